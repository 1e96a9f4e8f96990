//! The floors of the house: a crate imports only from floors below it.

use std::{fs, path::Path};

/// Each crate, and the crates of ours that stand on floors below it.
const FLOORS: [(&str, &[&str]); 9] = [
    ("core", &[]),
    ("ipfs", &["core"]),
    ("orbit", &["core", "ipfs"]),
    ("shard", &["core", "ipfs", "orbit"]),
    ("query", &["core", "ipfs", "orbit", "shard"]),
    ("relation", &["core", "ipfs", "orbit", "shard", "query"]),
    ("debros", &["core", "ipfs", "orbit", "shard", "query", "relation", "derive"]),
    ("cli", &["core", "ipfs", "orbit", "shard", "query", "relation", "debros"]),
    ("derive", &[]),
];

/// The crates of ours that a manifest names under `[dependencies]` or a table of one dependency.
fn imports(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(table) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = table.ends_with("dependencies") && !table.contains("dev-") && !table.contains("build-");
            if let Some((_, name)) = table.split_once("dependencies.").filter(|_| !table.contains("dev-")) {
                found.push(name.to_owned());
            }
        } else if inside {
            let name: String = line.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            found.push(name);
        }
    }
    found.retain(|name| name.starts_with("debros"));
    found
}

#[test]
fn no_crate_imports_upward() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (name, below) in FLOORS {
        let folder = if name == "derive" { root.join("macros") } else { root.join("crates").join(name) };
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("each crate has a manifest");
        for import in imports(&manifest) {
            let import = import.strip_prefix("debros-").unwrap_or(&import);
            assert!(below.contains(&import), "{name} imports {import}, which is no floor below it");
        }
    }
}

#[test]
fn an_upward_import_would_be_found() {
    let manifest = "[dependencies]\nserde = \"1\"\ndebros-query.workspace = true\n\n[dependencies.debros]\npath = \"x\"\n\n[dev-dependencies]\ndebros-shard = \"1\"\n";
    assert_eq!(imports(manifest), ["debros-query", "debros"]);
}
