//! Which test targets there are.

use std::{collections::BTreeSet, fs, io, path::Path};

/// The targets that have a part of their own.
const OTHER_PARTS: [&str; 6] = ["ui", "chapters", "links", "vectors", "crash", "javascript_peers"];
/// What the targets of the part `kubo` begin with.
const KUBO: &str = "kubo_";

/// The integration tests of the part `unit`: those of every member that no other part runs.
pub(crate) fn of_unit(root: &Path) -> io::Result<BTreeSet<String>> {
    let mut found = in_package(&root.join("macros"))?;
    found.extend(in_package(&root.join("tests"))?);
    for members in ["crates", "examples"] {
        for member in entries(&root.join(members))? {
            found.extend(in_package(&member)?);
        }
    }
    Ok(found.into_iter().filter(|name| !OTHER_PARTS.contains(&name.as_str()) && !name.starts_with(KUBO)).collect())
}

/// The integration tests of the part `kubo`.
pub(crate) fn of_kubo(root: &Path) -> io::Result<BTreeSet<String>> {
    let found = in_package(&root.join("tests"))?;
    Ok(found.into_iter().filter(|name| name.starts_with(KUBO)).collect())
}

fn in_package(package: &Path) -> io::Result<BTreeSet<String>> {
    if !package.join("Cargo.toml").is_file() {
        return Ok(BTreeSet::new());
    }
    let targets = entries(&package.join("tests"))?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file());
    Ok(targets.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect())
}

fn entries(folder: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn targets_with_a_part_of_their_own_are_left_out() {
        let found = of_unit(&root()).expect("the folders can be read");
        assert!(found.contains("floors"), "{found:?}");
        assert!(OTHER_PARTS.iter().all(|other| !found.contains(*other)), "{found:?}");
        let kubo = of_kubo(&root()).expect("the folder can be read");
        assert!(kubo.contains("kubo_client") && kubo.is_disjoint(&found), "{kubo:?}");
    }
}
