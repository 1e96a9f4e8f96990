//! Whole nodes in a world that a seed decides: what they decide and store is real; the network between them, their clocks and
//! their disks are not. The same seed gives the same course of events, to the last message.
//!
//! What is real: `Replicator`, `Exchange`, `FetchPlan`, what an entry
//! or a head means to a log (`standing`), the messages, and a [`Node`](crate::Node) with its store. In place of the driver, the tasks of a
//! database and libp2p there is `OurNode`. It has no limits on how many exchanges there are at a time, and refuses nobody: that
//! an honest peer did something for which it could be refused is a fault that is told.

mod clock;
mod dice;
mod javascript_node;
mod our_node;
mod packet;
mod search;
mod world;

pub use search::Search;

use dice::Dice;
use std::{fmt, path::Path};
use world::World;

/// What happens, and to how many nodes, follows from the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// The seed.
    pub seed: u64,
    /// So many things are done to the nodes; the seed says how many, if it is `None`.
    pub steps: Option<u64>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Peers.
    pub peers: usize,
    /// Writes that were answered as durable.
    pub answered: usize,
    /// What happened, line by line, if it was to be traced.
    pub trace: Vec<String>,
}

/// Something that must not happen has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In this course.
    pub course: Course,
    /// What.
    pub what: String,
    /// What happened before, line by line, if it was to be traced.
    pub trace: Vec<String>,
}

impl Course {
    /// How many things are done.
    pub fn steps(&self) -> u64 {
        self.steps.unwrap_or_else(|| Dice::new(!self.seed).between(5, 60))
    }

    /// Runs it, with data folders in this folder, which is empty.
    ///
    /// # Errors
    /// If something happens that must not.
    pub fn run(self, folder: &Path, traced: bool) -> Result<Ended, Box<Failure>> {
        let fails = |what: String, trace| Box::new(Failure { course: self, what, trace });
        let mut world = World::new(self.seed, folder, traced).map_err(|error| fails(error.to_string(), Vec::new()))?;
        let lived = world.live(self.steps()).and_then(|()| world.heal());
        let (peers, answered) = world.figures();
        let trace = world.into_trace();
        match lived {
            Ok(()) => Ok(Ended { peers, answered, trace }),
            Err(error) => Err(fails(error.to_string(), trace)),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(f, "{line}")?;
        }
        write!(f, "seed {}, {} steps: {}", self.course.seed, self.course.steps(), self.what)
    }
}
