use crate::{doctor::Doctor, inspect::Inspect, rendezvous::Rendezvous, verify::Verify};
use clap::{Parser, Subcommand};

/// Looks into data folders of debros and at Kubo daemons, and signs lists of peers.
#[derive(Debug, Parser)]
#[command(
    name = "debros",
    version,
    after_help = "The exit code is 0 if nothing is wrong, 1 if something is, and 2 if it could not be looked at."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Inspect(Inspect),
    Verify(Verify),
    Doctor(Doctor),
    Rendezvous(Rendezvous),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_commands_are_well_formed() {
        Arguments::command().debug_assert();
    }
}
