//! Node.js, which JavaScript peers need.

use std::{io, process::Command};

/// The oldest version that will do.
const OLDEST: u32 = 20;

/// Is there a Node that will do? The error says what to do if not.
pub(crate) fn check() -> io::Result<()> {
    let why = |reason: String| {
        io::Error::other(format!(
            "{reason}. JavaScript peers need Node {OLDEST} or newer, with npm: install it and put it on the PATH."
        ))
    };
    let said =
        Command::new("node").arg("--version").output().map_err(|error| why(format!("`node` does not run: {error}")))?;
    let said = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    match version(&said) {
        Some(version) if version >= OLDEST => Ok(()),
        _ => Err(why(format!("`node --version` says `{said}`"))),
    }
}

/// The first number of what `node --version` prints.
fn version(said: &str) -> Option<u32> {
    said.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(version("v20.20.2"), Some(20));
        assert_eq!(version("v9.0.0").map(|version| version >= OLDEST), Some(false));
        assert_eq!(version("node 20"), None);
    }
}
