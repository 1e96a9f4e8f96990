//! Applications outside the workspace, that depend on the crate by its path: one compiles and runs the contract of the design, one calls
//! the crate otherwise.

use std::{fs, path::Path, process::Command};

/// Puts a program into a folder of its own, with this name for the crate, runs it there, and gives back what it prints.
fn run(program: &str, name: &str) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = fs::read_to_string(tests.join("outside/Cargo.toml.in")).expect("the manifest");
    let debros = tests.join("../crates/debros").canonicalize().expect("the crate");
    let manifest = manifest.replace("@NAME@", name).replace("@DEBROS@", debros.to_str().expect("a path in UTF-8"));
    fs::write(folder.path().join("Cargo.toml"), manifest).expect("the manifest is written");
    fs::copy(tests.join("../Cargo.lock"), folder.path().join("Cargo.lock")).expect("the lock file");
    fs::create_dir(folder.path().join("src")).expect("a folder");
    fs::copy(tests.join("outside/src").join(program), folder.path().join("src/main.rs")).expect("the program");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside");
    let run = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--"])
        .arg(folder.path().join("data"))
        .current_dir(folder.path())
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("cargo runs");
    let (out, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{out}\n{errors}");
    out.into_owned()
}

#[test]
fn an_application_of_its_own_runs_the_contract() {
    let out = run("main.rs", "debros");
    assert!(out.ends_with("the contract holds\n"), "{out}");
}

#[test]
fn an_application_may_call_the_crate_otherwise() {
    assert_eq!(run("renamed.rs", "orm"), "Note, Author\n");
}
