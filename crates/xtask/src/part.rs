//! [`Part`]: one part of the tests.

use crate::{
    cargo::{Cargo, Ended},
    kubo::Kubo,
    node, targets,
};
use std::{fmt, io};

/// Compiles what needs a Kubo daemon or the network, too.
const FEATURES: &str = "--features=debros/network,debros/quic,debros/relay,debros-orbit/simulation,debros-tests/kubo,debros-tests/javascript,debros-book/kubo";

/// A part of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Formatting.
    Fmt,
    /// Lints.
    Clippy,
    /// Unit and integration tests.
    Unit,
    /// Compile errors.
    Ui,
    /// Documentation of the crates.
    Doc,
    /// `docs/` and the README.
    Book,
    /// OrbitDB's vectors.
    Vectors,
    /// Kills.
    Crash,
    /// What needs a Kubo daemon.
    Kubo,
    /// What needs JavaScript peers.
    JavaScript,
    /// Licences and sources of the dependencies.
    Deny,
}

impl Part {
    /// What runs when no part is named: what fails soonest comes first. `deny` is missing, because its program has to
    /// be installed first, which takes minutes.
    pub(crate) const DEFAULT: [Part; 10] = [
        Part::Fmt,
        Part::Clippy,
        Part::Unit,
        Part::Ui,
        Part::Doc,
        Part::Book,
        Part::Vectors,
        Part::Crash,
        Part::Kubo,
        Part::JavaScript,
    ];

    const ALL: [Part; 11] = [
        Part::Fmt,
        Part::Clippy,
        Part::Unit,
        Part::Ui,
        Part::Doc,
        Part::Book,
        Part::Vectors,
        Part::Crash,
        Part::Kubo,
        Part::JavaScript,
        Part::Deny,
    ];

    /// The part of this name.
    pub(crate) fn named(name: &str) -> Option<Part> {
        Part::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Fmt => "fmt",
            Part::Clippy => "clippy",
            Part::Unit => "unit",
            Part::Ui => "ui",
            Part::Doc => "doc",
            Part::Book => "book",
            Part::Vectors => "vectors",
            Part::Crash => "crash",
            Part::Kubo => "kubo",
            Part::JavaScript => "javascript",
            Part::Deny => "deny",
        }
    }

    /// Runs it.
    ///
    /// Always with all default members and these features, never with `--package`: the features of shared dependencies are then
    /// the same in every part, and nothing is compiled twice. Only the lints look at `crates/bench`, too, which brings SQLite, and at
    /// the libraries without the features; that they work without it is shown by the applications of `tests/outside`.
    pub(crate) fn run(self, cargo: &Cargo) -> io::Result<Ended> {
        match self {
            Part::Fmt => cargo.run(["fmt", "--all", "--check"]),
            Part::Clippy => {
                let strict = ["--quiet", "--", "--deny", "warnings"];
                let all =
                    cargo.run(["clippy", FEATURES, "--workspace", "--all-targets"].iter().chain(&strict).copied())?;
                if !all.success {
                    return Ok(all);
                }
                cargo.run(["clippy", "--package", "debros"].iter().chain(&strict).copied())
            }
            Part::Unit => {
                let mut arguments = ["test", FEATURES, "--lib", "--bins"].map(str::to_owned).to_vec();
                for target in targets::of_unit(cargo.root())? {
                    arguments.extend(["--test".to_owned(), target]);
                }
                some(cargo.run(arguments)?)
            }
            Part::Ui => target(cargo, "ui"),
            Part::Doc => {
                let examples = cargo.run(["test", FEATURES, "--doc"])?;
                let pages = if examples.success {
                    cargo.with("RUSTDOCFLAGS", "--deny warnings").run(["doc", FEATURES, "--no-deps", "--quiet"])?
                } else {
                    Ended::default()
                };
                Ok(Ended { success: examples.success && pages.success, ..examples })
            }
            Part::Book => {
                let kubo = Kubo::ready(cargo.root())?;
                let cargo = cargo.with("KUBO_BIN", kubo.program());
                some(cargo.run(["test", FEATURES, "--test", "chapters", "--test", "links"])?)
            }
            Part::Vectors => target(cargo, "vectors"),
            Part::Crash => target(cargo, "crash"),
            Part::Kubo => {
                let kubo = Kubo::ready(cargo.root())?;
                let mut arguments = ["test", FEATURES].map(str::to_owned).to_vec();
                for target in targets::of_kubo(cargo.root())? {
                    arguments.extend(["--test".to_owned(), target]);
                }
                some(cargo.with("KUBO_BIN", kubo.program()).run(arguments)?)
            }
            Part::JavaScript => {
                node::check()?;
                target(cargo, "javascript_peers")
            }
            Part::Deny => {
                cargo.run(["deny", "--all-features", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"])
            }
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn target(cargo: &Cargo, name: &str) -> io::Result<Ended> {
    some(cargo.run(["test", FEATURES, "--test", name])?)
}

/// A part that ran no test has failed.
fn some(ended: Ended) -> io::Result<Ended> {
    if ended.success && ended.passed == 0 {
        println!("no test ran");
    }
    Ok(Ended { success: ended.success && ended.passed > 0, ..ended })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_found_by_its_name() {
        for part in Part::ALL {
            assert_eq!(Part::named(part.name()), Some(part));
            assert!(crate::chore::USAGE.contains(&format!("\n    {part} ")), "the usage explains {part}");
        }
    }

    #[test]
    fn a_part_without_tests_fails() {
        let none = Ended { success: true, passed: 0, failed: 0 };
        assert!(!some(none).expect("no I/O").success);
        assert!(some(Ended { passed: 1, ..none }).expect("no I/O").success);
    }
}
