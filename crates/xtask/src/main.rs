//! The project's own chores.
//!
//! ```text
//! cargo xtask test [--no-fail-fast] [PART..]    all parts, or those that are named
//! cargo xtask crash [--times N]                 kills a process that writes
//! cargo xtask fuzz [TARGET] [--seconds N]       looks for bytes that a decoder does not stand
//! cargo xtask sim [--seeds N] [--seed S]        whole nodes in a world that a seed decides
//! cargo xtask bench [NAME] [ARGS..]             the measurements, or one of them
//! cargo xtask kubo [run]                        the program of a Kubo daemon, or a daemon
//! ```
//!
//! It has no dependencies: it is the first thing that a newcomer, and the build machine, compiles.

mod cargo;
mod chore;
mod fuzz;
mod kubo;
mod node;
mod part;
mod sim;
mod summary;
mod targets;

use chore::Chore;
use std::process::ExitCode;

fn main() -> ExitCode {
    let chore = match Chore::parse(std::env::args().skip(1)) {
        Ok(chore) => chore,
        Err(misuse) => {
            eprintln!("{misuse}\n\n{}", chore::USAGE);
            return ExitCode::from(2);
        }
    };
    match chore.run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
