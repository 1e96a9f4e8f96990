//! [`Fuzz`]: bytes that nobody thought of.

use crate::cargo::Cargo;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What is fuzzed, and for how long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fuzz {
    /// The target; all, one after the other, if none is named.
    pub(crate) target: Option<String>,
    /// Seconds for each.
    pub(crate) seconds: u64,
}

/// Seconds for each target, if nothing is said.
const SECONDS: u64 = 600;
/// Longer inputs are not tried: nothing here reads differently beyond.
const MAX_LEN: u32 = 8 << 10;

impl Fuzz {
    /// Reads the arguments.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Fuzz, String> {
        let mut fuzz = Fuzz { target: None, seconds: SECONDS };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            if argument == "--seconds" {
                let number = arguments.next().unwrap_or_default();
                let seconds = number.parse().ok().filter(|seconds| *seconds > 0);
                fuzz.seconds = seconds.ok_or(format!("`{number}` is no number of seconds"))?;
            } else if argument.starts_with('-') || fuzz.target.is_some() {
                return Err(format!("`cargo xtask fuzz` takes a target and `--seconds N`, and not `{argument}`"));
            } else {
                fuzz.target = Some(argument);
            }
        }
        Ok(fuzz)
    }

    /// Runs it; false if something was found, which is told.
    pub(crate) fn run(&self, cargo: &Cargo) -> io::Result<bool> {
        let targets = targets(cargo.root())?;
        let chosen = match &self.target {
            None => targets,
            Some(target) if targets.contains(target) => vec![target.clone()],
            Some(other) => {
                println!("there is no target `{other}`; there are {}", targets.join(", "));
                return Ok(false);
            }
        };
        for (what, how) in [
            (
                vec!["rustc", "--version"],
                "fuzzing needs a nightly compiler: `rustup toolchain install nightly --profile minimal`",
            ),
            (vec!["cargo", "fuzz", "--version"], "fuzzing needs cargo-fuzz: `cargo install --locked cargo-fuzz`"),
        ] {
            let found = nightly(cargo.root()).args(what).stdout(Stdio::null()).stderr(Stdio::null()).status();
            if !found.is_ok_and(|status| status.success()) {
                println!("{how}");
                return Ok(false);
            }
        }
        for target in chosen {
            // what a run finds stays there for the next
            let corpus = folder(cargo.root()).join("corpus").join(&target);
            let corpus = corpus.to_string_lossy().into_owned();
            let seeds =
                ["run", "--quiet", "--package", "debros-tests", "--features", "kubo", "--example", "fuzz_corpus", "--"];
            if !cargo.run(seeds.into_iter().chain([target.as_str(), corpus.as_str()]))?.success {
                return Ok(false);
            }
            let mut run = nightly(cargo.root());
            run.args(["cargo", "fuzz", "run", "--fuzz-dir", "tests/fuzz", &target, &corpus, "--"]);
            run.args([
                format!("-max_total_time={}", self.seconds),
                format!("-max_len={MAX_LEN}"),
                "-timeout=20".to_owned(),
            ]);
            println!("$ {run:?}");
            if !run.status()?.success() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What the nightly toolchain runs.
fn nightly(root: &Path) -> Command {
    let mut command = Command::new("rustup");
    // those of the toolchain that runs this program
    command.args(["run", "nightly"]).env_remove("CARGO").env_remove("RUSTC").current_dir(root);
    command
}

fn folder(root: &Path) -> PathBuf {
    root.join("tests/fuzz")
}

/// The names of the targets.
fn targets(root: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for file in fs::read_dir(folder(root).join("targets"))? {
        names.extend(file?.path().file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Fuzz, String> {
        Fuzz::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_target_and_seconds_may_be_said() {
        assert_eq!(parse(""), Ok(Fuzz { target: None, seconds: SECONDS }));
        assert_eq!(parse("entry --seconds 5"), Ok(Fuzz { target: Some("entry".into()), seconds: 5 }));
        for wrong in ["a b", "--seconds", "--seconds x", "--seconds 0", "--minutes 5"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_target_is_a_program_of_its_name() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let manifest = fs::read_to_string(folder(&root).join("Cargo.toml")).expect("the manifest");
        let targets = targets(&root).expect("the targets");
        assert_eq!(manifest.matches("[[bin]]").count(), targets.len());
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"\npath = \"targets/{target}.rs\"")), "{target}");
            let text = fs::read_to_string(folder(&root).join(format!("targets/{target}.rs"))).expect("the target");
            assert!(text.contains(&format!("check(\"{target}\", bytes)")), "{target}");
        }
    }
}
