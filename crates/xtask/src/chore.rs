//! [`Chore`]: what was asked for on the command line.

use crate::{cargo::Cargo, fuzz::Fuzz, kubo::Kubo, part::Part, sim::Sim, summary::Summary};
use std::io;

/// How it is called.
pub(crate) const USAGE: &str = "\
cargo xtask test [--no-fail-fast] [PART..]
    Tests the project: every part, or those that are named. It stops at the first part that fails.
    fmt      formatting
    clippy   lints, as errors
    unit     unit and integration tests of every crate and example
    ui       the compile errors that a mistake in a model or a query gives
    doc      documentation: its examples run, its links resolve, it has no warnings
    book     docs/ and the README: their programs run and print what they say, their links resolve
    vectors  the OrbitDB vectors; ORBITDB_VECTORS=DIR takes them from another folder
    crash    a child process writes and is killed, 200 times; see `cargo xtask crash`
    kubo     what needs a Kubo daemon, against a real one; see `cargo xtask kubo`
    javascript  replication with JavaScript OrbitDB peers, which Node 20 or newer runs and npm installs
    deny     licences and sources of the dependencies; only when named, as it needs cargo-deny
cargo xtask crash [--times N]
    Kills a process that writes 10,000 times, or N. DEBROS_CRASH_SEED repeats the choices of a run, which prints it.
cargo xtask fuzz [TARGET] [--seconds N]
    Looks for bytes that a decoder does not stand, for 600 seconds a target, or N; needs a nightly compiler and cargo-fuzz.
cargo xtask sim [--seeds N] [--from S]
    Runs whole nodes in a world that a seed decides, 100,000 times or N, with the seeds from 0 or S on. One that fails is made as
    short as it gets, and told.
cargo xtask sim --seed S [--steps N]
    Runs one of them and tells what happens, message by message.
cargo xtask bench [NAME] [ARGS..]
    Runs the measurements, or one of them, and prints ratios.
cargo xtask kubo
    Gets the program of a Kubo daemon ready and prints where it is: the one that KUBO_BIN names, or `ipfs` on the PATH,
    or one that is built by Go, or downloaded, and kept.
cargo xtask kubo run
    Runs such a daemon on the loopback interface, with a repository that is removed afterwards, until Ctrl-C. Prints
    the address of its RPC.";

/// How often `cargo xtask crash` kills.
const CRASHES: u64 = 10_000;

/// What was asked for.
pub(crate) enum Chore {
    /// Print how it is called.
    Help,
    /// Run tests.
    Test {
        /// In this order.
        parts: Vec<Part>,
        /// Stop at the first part that fails?
        fail_fast: bool,
    },
    /// Kill a process that writes.
    Crash {
        /// So many times.
        times: u64,
    },
    /// Look for bytes that a decoder does not stand.
    Fuzz(Fuzz),
    /// Run nodes in a world that a seed decides.
    Sim(Sim),
    /// Run measurements.
    Bench {
        /// What the measuring program is told.
        arguments: Vec<String>,
    },
    /// Get the program of a Kubo daemon ready.
    Kubo {
        /// Run a daemon, too?
        run: bool,
    },
}

impl Chore {
    /// Reads the command line, without the program's name. The error says what is wrong with it.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Chore, String> {
        let mut arguments = arguments.into_iter();
        match arguments.next().as_deref() {
            None => Err("what shall be done?".into()),
            Some("help" | "--help" | "-h") => Ok(Chore::Help),
            Some("bench") => Ok(Chore::Bench { arguments: arguments.collect() }),
            Some("crash") => Ok(Chore::Crash { times: setting(arguments, "--times", CRASHES)? }),
            Some("fuzz") => Fuzz::parse(arguments).map(Chore::Fuzz),
            Some("sim") => Sim::parse(arguments).map(Chore::Sim),
            Some("kubo") => match (arguments.next().as_deref(), arguments.next()) {
                (None, _) => Ok(Chore::Kubo { run: false }),
                (Some("run"), None) => Ok(Chore::Kubo { run: true }),
                _ => Err("`cargo xtask kubo` takes nothing but `run`".into()),
            },
            Some("test") => {
                let (mut parts, mut fail_fast) = (Vec::new(), true);
                for argument in arguments {
                    match argument.as_str() {
                        "--no-fail-fast" => fail_fast = false,
                        name => parts.push(Part::named(name).ok_or_else(|| format!("there is no part `{name}`"))?),
                    }
                }
                if parts.is_empty() {
                    parts = Part::DEFAULT.to_vec();
                }
                Ok(Chore::Test { parts, fail_fast })
            }
            Some(other) => Err(format!("there is no chore `{other}`")),
        }
    }

    /// Does it. False: something failed, and its output said what.
    pub(crate) fn run(self) -> io::Result<bool> {
        let cargo = Cargo::of_this_workspace()?;
        match self {
            Chore::Help => {
                println!("{USAGE}");
                Ok(true)
            }
            Chore::Crash { times } => Ok(Part::Crash.run(&cargo.with("DEBROS_CRASH_RUNS", times.to_string()))?.success),
            Chore::Fuzz(fuzz) => fuzz.run(&cargo),
            Chore::Sim(sim) => Ok(cargo.run(sim.arguments())?.success),
            Chore::Bench { arguments } => {
                let fixed = ["run", "--release", "--quiet", "--package", "debros-bench", "--"];
                let all = fixed.into_iter().map(str::to_owned).chain(arguments);
                Ok(cargo.run(all)?.success)
            }
            Chore::Kubo { run } => {
                let kubo = Kubo::ready(cargo.root())?;
                if run {
                    return kubo.run();
                }
                println!("{}", kubo.program().display());
                Ok(true)
            }
            Chore::Test { parts, fail_fast } => {
                let mut summary = Summary::default();
                for part in parts {
                    let success = summary.time(part, || part.run(&cargo))?;
                    if !success && fail_fast {
                        break;
                    }
                }
                println!("{summary}");
                Ok(summary.success())
            }
        }
    }
}

/// A number that may be set, and nothing else.
fn setting(mut arguments: impl Iterator<Item = String>, name: &str, otherwise: u64) -> Result<u64, String> {
    match (arguments.next(), arguments.next(), arguments.next()) {
        (None, ..) => Ok(otherwise),
        (Some(given), Some(number), None) if given == name => {
            number.parse().ok().filter(|number| *number > 0).ok_or(format!("`{number}` is no number for {name}"))
        }
        _ => Err(format!("only `{name}` and a number can be said here")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Chore, String> {
        Chore::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn test_alone_means_every_default_part() {
        let Ok(Chore::Test { parts, fail_fast: true }) = parse("test") else { panic!("not understood") };
        assert_eq!(parts, Part::DEFAULT);
    }

    #[test]
    fn named_parts_run_in_the_order_given() {
        let Ok(Chore::Test { parts, fail_fast: false }) = parse("test --no-fail-fast crash deny fmt") else {
            panic!("not understood")
        };
        assert_eq!(parts, [Part::Crash, Part::Deny, Part::Fmt]);
    }

    #[test]
    fn kubo_is_got_ready_or_run() {
        assert!(matches!(parse("kubo"), Ok(Chore::Kubo { run: false })));
        assert!(matches!(parse("kubo run"), Ok(Chore::Kubo { run: true })));
        assert!(parse("kubo walk").is_err() && parse("kubo run away").is_err());
    }

    #[test]
    fn crashes_are_counted() {
        assert!(matches!(parse("crash"), Ok(Chore::Crash { times: CRASHES })));
        assert!(matches!(parse("crash --times 7"), Ok(Chore::Crash { times: 7 })));
        for wrong in ["crash 7", "crash --times", "crash --times x", "crash --times 0", "crash --times 7 8"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_part_is_named() {
        let Err(error) = parse("test clipy") else { panic!("understood") };
        assert!(error.contains("`clipy`"), "{error}");
    }
}
