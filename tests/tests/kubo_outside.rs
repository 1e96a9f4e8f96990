//! An application outside the workspace, with the feature `kubo` and the one line that the README asks for, compiles and keeps
//! its blocks in a real daemon. (`outside.rs` shows one without the feature, and without the line.)

use debros_tests::KuboDaemon;
use std::{fs, path::Path, process::Command};

const MANIFEST: &str = r#"
[package]
name = "outside-kubo"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
debros = { path = "@ROOT@/crates/debros", features = ["kubo"] }
tokio = { version = "1", features = ["rt-multi-thread", "macros"] }

[patch.crates-io]
core2 = { path = "@ROOT@/crates/core2" }
"#;

const PROGRAM: &str = r#"
use debros::prelude::*;

#[model(scope = user)]
#[derive(Debug, Clone)]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    pub text: String,
}

#[tokio::main]
async fn main() -> debros::Result<()> {
    let [_, folder, daemon] = std::env::args().collect::<Vec<_>>().try_into().expect("folder and daemon");
    let db = Db::builder(folder, "outside").kubo(daemon).open(models![Note]).await?;
    let me = db.session(&db.identity("me").await?).durability(Durability::Pinned);
    me.create(NewNote { text: "held twice".into() }).await?;
    println!("pinned");
    db.close().await
}
"#;

#[test]
fn an_application_of_its_own_keeps_its_blocks_in_kubo() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = tests.join("..").canonicalize().expect("the workspace");
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = MANIFEST.replace("@ROOT@", root.to_str().expect("a path in UTF-8"));
    fs::write(folder.path().join("Cargo.toml"), manifest).expect("the manifest is written");
    fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).expect("the lock file");
    fs::create_dir(folder.path().join("src")).expect("a folder");
    fs::write(folder.path().join("src/main.rs"), PROGRAM).expect("the program is written");
    let daemon = KuboDaemon::start();
    let run = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--"])
        .arg(folder.path().join("data"))
        .arg(daemon.url())
        .current_dir(folder.path())
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside"))
        .output()
        .expect("cargo runs");
    let (out, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && out == "pinned\n", "{out}\n{errors}");
    assert!(daemon.ipfs_ok(&["pin", "ls", "--names"]).contains("debros/outside/Note.zdpu"));
}
