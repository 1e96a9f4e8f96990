//! What 200 models of 8 fields cost the compiler.

use crate::Outcome;
use std::{
    fmt::{self, Write as _},
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

pub(crate) const MODELS: usize = 200;

/// The crate that has them.
pub(crate) const CRATE: &str = "many";

/// The folder of the package `debros`.
pub(crate) fn debros() -> io::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../debros").canonicalize()
}

/// The Cargo.toml of a crate with models.
pub(crate) fn manifest(dependencies: &str) -> String {
    format!(
        "[package]\nname = \"{CRATE}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n{dependencies}\n"
    )
}

/// Which model a model belongs to: the one before it. A chain of them is ten long: rustc follows a chain of Toasty's to its
/// end, and gives up below 50.
pub(crate) fn parent(model: usize) -> Option<usize> {
    if model.is_multiple_of(10) { None } else { model.checked_sub(1) }
}

/// The models.
pub(crate) fn source() -> Result<String, fmt::Error> {
    let mut source = String::from("//! Many models.\nuse debros::prelude::*;\n");
    for n in 0..MODELS {
        write!(
            source,
            "/// A model.\n#[model(scope = user)]\n#[derive(Debug, Clone)]\npub struct M{n} {{\n    /// .\n    #[field(key)] pub id: Id<M{n}>,\n    /// .\n    pub parent_id: Option<Id<M{p}>>,\n    \
             /// .\n    #[field(unique, len = 3..=32)] pub name: String,\n    /// .\n    pub bio: Option<String>,\n    /// .\n    #[field(index, default = false)] pub live: bool,\n    \
             /// .\n    #[field(default = 0)] pub score: i64,\n    /// .\n    pub ratio: f64,\n    /// .\n    #[field(created)] pub at: Timestamp,\n    \
             /// .\n    #[belongs_to(key = parent_id)] pub parent: BelongsTo<Option<M{p}>>,\n}}\n",
            p = parent(n).unwrap_or(n),
        )?;
    }
    let names: Vec<String> = (0..MODELS).map(|n| format!("M{n}")).collect();
    writeln!(source, "/// All of them.\npub fn all() -> Models {{ models![{}] }}", names.join(", "))?;
    Ok(source)
}

pub(crate) fn run() -> Outcome {
    let debros = debros()?;
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("src"))?;
    fs::write(folder.path().join("Cargo.toml"), manifest(&format!("debros = {{ path = {debros:?} }}")))?;
    let source = source()?;
    let lib = folder.path().join("src/lib.rs");
    fs::write(&lib, &source)?;
    let check = || -> Result<f64, Box<dyn std::error::Error>> {
        let begin = Instant::now();
        let status =
            Command::new("cargo").args(["check", "--quiet", "--offline"]).current_dir(folder.path()).status()?;
        if status.success() { Ok(begin.elapsed().as_secs_f64()) } else { Err("the models do not compile".into()) }
    };
    fs::copy(debros.join("../../Cargo.lock"), folder.path().join("Cargo.lock"))?;
    let cold = check()?;
    let mut warm = Vec::new();
    for round in 0..3 {
        fs::write(&lib, format!("{source}// {round}\n"))?;
        warm.push(check()?);
    }
    warm.sort_by(f64::total_cmp);
    println!(
        "{MODELS} models of 8 fields: `cargo check` after a touch {:.1} s (median of 3, goal: 5), with everything below them {cold:.0} s",
        warm[1]
    );
    Ok(())
}
