//! The `debros` command, as a library: [`run`] is all of it.
//!
//! | command | what it does |
//! |---|---|
//! | `debros inspect DIR` | tells what is in a data folder |
//! | `debros verify DIR` | checks every block, chain and entry of a data folder |
//! | `debros doctor URL` | looks at a Kubo daemon: what is wrong, and the command that mends it |
//! | `debros rendezvous key FILE`, `sign`, `show FILE` | makes, signs and reads lists of peers to begin with |
//!
//! With `--json` each that looks at something prints one JSON value. The exit code is 0 if nothing is wrong, 1 if something is, and 2 if the
//! command was misused or could not look.

mod arguments;
mod command_error;
mod count;
mod doctor;
mod exit;
mod inspect;
mod plain;
mod rendezvous;
mod size;
mod verify;

pub use exit::Exit;

use arguments::{Arguments, Command};
use clap::Parser as _;
use command_error::CommandError;
use plain::Plain;
use std::{
    ffi::OsString,
    io::{self, Write},
};

/// Runs the command with these arguments, the first of which is the program's name. Errors go to `errors`.
///
/// # Errors
/// If the output cannot be written.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> io::Result<Exit> {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        // what was asked for by `--help` is no error
        Err(shown) if !shown.use_stderr() => {
            write!(out, "{shown}")?;
            return Ok(Exit::Clean);
        }
        Err(misuse) => {
            write!(errors, "{misuse}")?;
            return Ok(Exit::Unusable);
        }
    };
    let done = match &arguments.command {
        Command::Inspect(inspect) => inspect.run(out),
        Command::Verify(verify) => verify.run(out),
        Command::Doctor(doctor) => doctor.run(out),
        Command::Rendezvous(rendezvous) => rendezvous.run(out),
    };
    match done {
        Ok(exit) => Ok(exit),
        Err(CommandError::Output(error)) => Err(error),
        Err(error) => {
            writeln!(errors, "{}", Plain(&error.to_string()))?;
            Ok(Exit::Unusable)
        }
    }
}
