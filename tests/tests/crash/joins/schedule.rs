//! [`Schedule`]: when which child is killed.

use crate::{moment::Moment, random::Random};
use debros_ipfs::Step;
use std::{collections::BTreeMap, time::Duration};

/// When which child is killed: one in three at a random moment, the others at one failpoint after the other.
pub(super) struct Schedule {
    random: Random,
    /// The failpoints of a folder's first opening.
    first: Vec<String>,
    /// All others.
    points: Vec<String>,
    /// How often each was to come.
    due: BTreeMap<String, u64>,
}

impl Schedule {
    pub(super) fn new() -> Schedule {
        let first = [Step::FormatWrite, Step::FormatRename].map(|step| [step.before(), step.after()]).concat();
        let points = Moment::points().into_iter().filter(|point| !first.contains(point)).collect();
        Schedule { random: Random::of_this_run(), first, points, due: BTreeMap::new() }
    }

    /// For the so many-th child of a folder.
    pub(super) fn next(&mut self, of_folder: u64) -> Moment {
        if of_folder > 0 && of_folder.is_multiple_of(3) {
            return match self.random.below(6) {
                0 => Moment::Opening(Duration::from_millis(self.random.below(20))),
                _ => Moment::Open(Duration::from_micros(self.random.below(60_000))),
            };
        }
        let points = if of_folder == 0 { &self.first } else { &self.points };
        let due = |point: &&String| self.due.get(*point).copied().unwrap_or(0);
        let point = points.iter().min_by_key(due).expect("there are failpoints").clone();
        *self.due.entry(point.clone()).or_default() += 1;
        // what is done with each write has come to pass in many states
        let of_writing =
            [Step::SegmentAppend, Step::SegmentSync, Step::StateCommit, Step::IndexSync, Step::IndexRename];
        let again = of_writing.iter().any(|step| [step.before(), step.after()].contains(&point));
        Moment::At { point, times: if again { 1 + self.random.below(6) } else { 1 } }
    }

    pub(super) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// How many failpoints were due, and how many there are.
    pub(super) fn covered(&self) -> (usize, usize) {
        (self.due.len(), self.first.len() + self.points.len())
    }
}
