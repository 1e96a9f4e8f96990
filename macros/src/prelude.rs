//! Does the crate that uses the macro forgo the prelude?
//!
//! Under `#![no_implicit_prelude]` the compiler knows no tool attributes, and `#[diagnostic::on_unimplemented]` is an error. A
//! macro is not told of it, so it looks at the sources. If it sees none where there is one, the compiler says so.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
};

/// May generated code have tool attributes?
pub(crate) fn has_tool_attributes() -> bool {
    if !proc_macro::is_available() {
        return true;
    }
    let here = proc_macro::Span::call_site().local_file();
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let roots = root.iter().flat_map(|root| ["src/lib.rs", "src/main.rs"].map(|file| root.join(file)));
    !here.into_iter().chain(roots).any(|file| forgoes(&file))
}

/// Is there `no_implicit_prelude` in this file? The compiler runs the macro for each model of a crate in one process.
fn forgoes(file: &Path) -> bool {
    static SEEN: LazyLock<Mutex<HashMap<PathBuf, bool>>> = LazyLock::new(Mutex::default);
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    *seen.entry(file.to_owned()).or_insert_with(|| fs::read_to_string(file).is_ok_and(|source| says_so(&source)))
}

fn says_so(source: &str) -> bool {
    source.lines().map(str::trim_start).any(|line| line.starts_with('#') && line.contains("no_implicit_prelude"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_attribute_counts() {
        assert!(says_so("//! x\n#![no_implicit_prelude]\n"));
        assert!(says_so("#![cfg_attr(all(), no_implicit_prelude)]"));
        assert!(!says_so("// without #![no_implicit_prelude]\nfn main() {}"));
    }
}
