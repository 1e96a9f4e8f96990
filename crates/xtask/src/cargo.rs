//! [`Cargo`]: runs cargo, shows what it runs, passes its output on and counts the tests in it.

use std::{
    env,
    ffi::OsString,
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Cargo, in the root folder of this workspace.
pub(crate) struct Cargo {
    program: OsString,
    root: PathBuf,
    /// variables that programs started by cargo are to see, beside those of this process
    variables: Vec<(&'static str, OsString)>,
}

/// How one run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Did it exit with 0?
    pub(crate) success: bool,
    /// The tests that passed.
    pub(crate) passed: u64,
    /// The tests that failed.
    pub(crate) failed: u64,
}

impl Cargo {
    /// Finds the workspace that this program belongs to, and the cargo that started it.
    pub(crate) fn of_this_workspace() -> io::Result<Cargo> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let mut variables = Vec::new();
        // Tests run in the folder of their package; a relative folder is meant from here.
        if let Some(vectors) = env::var_os("ORBITDB_VECTORS") {
            variables.push(("ORBITDB_VECTORS", std::path::absolute(vectors)?.into_os_string()));
        }
        Ok(Cargo { program: env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), root, variables })
    }

    /// The same, with one more variable.
    pub(crate) fn with(&self, name: &'static str, value: impl Into<OsString>) -> Cargo {
        let mut variables = self.variables.clone();
        variables.push((name, value.into()));
        Cargo { program: self.program.clone(), root: self.root.clone(), variables }
    }

    /// The root folder of the workspace.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Runs cargo with these arguments and waits for it.
    pub(crate) fn run(&self, arguments: impl IntoIterator<Item = impl Into<String>>) -> io::Result<Ended> {
        let arguments: Vec<String> = arguments.into_iter().map(Into::into).collect();
        println!("$ {}cargo {}", self.variables_as_text(), arguments.join(" "));
        let mut child = Command::new(&self.program)
            .args(&arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut ended = Ended::default();
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).split(b'\n') {
                let line = String::from_utf8_lossy(&line?).into_owned();
                println!("{line}");
                if let Some((passed, failed)) = counts(&line) {
                    ended.passed += passed;
                    ended.failed += failed;
                }
            }
        }
        ended.success = child.wait()?.success();
        Ok(ended)
    }

    fn variables_as_text(&self) -> String {
        self.variables.iter().map(|(name, value)| format!("{name}='{}' ", value.to_string_lossy())).collect()
    }
}

/// The numbers in a closing line of Rust's test runner.
fn counts(line: &str) -> Option<(u64, u64)> {
    let (_, numbers) = line.split_once("test result: ")?.1.split_once(". ")?;
    let number = |word: &str| {
        let part = numbers.split("; ").find_map(|part| part.strip_suffix(word))?;
        part.trim().parse().ok()
    };
    Some((number(" passed")?, number(" failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 5 filtered out; finished in 0.01s";
        assert_eq!(counts(line), Some((12, 3)));
        assert_eq!(counts("test result_is_kept ... ok"), None);
    }
}
