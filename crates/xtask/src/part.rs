//! [`Part`]: one part of the tests.

use crate::{
    cargo::{Cargo, Ended},
    targets,
};
use std::{fmt, io};

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
    /// Licences and sources of the dependencies.
    Deny,
}

impl Part {
    /// What runs when no part is named: what fails soonest comes first. `deny` is missing, because its program has to
    /// be installed first, which takes minutes.
    pub(crate) const DEFAULT: [Part; 8] =
        [Part::Fmt, Part::Clippy, Part::Unit, Part::Ui, Part::Doc, Part::Book, Part::Vectors, Part::Crash];

    const ALL: [Part; 9] =
        [Part::Fmt, Part::Clippy, Part::Unit, Part::Ui, Part::Doc, Part::Book, Part::Vectors, Part::Crash, Part::Deny];

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
            Part::Deny => "deny",
        }
    }

    /// Runs it.
    ///
    /// Always with all default members, never with `--package`: the features of shared dependencies are then the same in
    /// every part, and nothing is compiled twice. Only the lints look at `crates/bench`, too, which brings SQLite.
    pub(crate) fn run(self, cargo: &Cargo) -> io::Result<Ended> {
        match self {
            Part::Fmt => cargo.run(["fmt", "--all", "--check"]),
            Part::Clippy => {
                cargo.run(["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"])
            }
            Part::Unit => {
                let mut arguments = ["test", "--lib", "--bins"].map(str::to_owned).to_vec();
                for target in targets::of_unit(cargo.root())? {
                    arguments.extend(["--test".to_owned(), target]);
                }
                some(cargo.run(arguments)?)
            }
            Part::Ui => target(cargo, "ui"),
            Part::Doc => {
                let examples = cargo.run(["test", "--doc"])?;
                let pages = if examples.success {
                    cargo.with("RUSTDOCFLAGS", "--deny warnings").run(["doc", "--no-deps", "--quiet"])?
                } else {
                    Ended::default()
                };
                Ok(Ended { success: examples.success && pages.success, ..examples })
            }
            Part::Book => some(cargo.run(["test", "--test", "chapters", "--test", "links"])?),
            Part::Vectors => target(cargo, "vectors"),
            Part::Crash => target(cargo, "crash"),
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
    some(cargo.run(["test", "--test", name])?)
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
