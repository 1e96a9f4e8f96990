//! [`Moment`]: when a child is killed.

use debros_ipfs::Step;
use std::time::Duration;

/// When a child is killed.
#[derive(Debug)]
pub(crate) enum Moment {
    /// So long after it was started: most likely while it opens the folder.
    Opening(Duration),
    /// So long after it has opened the folder.
    Open(Duration),
    /// When it comes to this failpoint for the so many-th time; it kills itself.
    At {
        /// Name of the failpoint.
        point: String,
        /// Counted from 1.
        times: u64,
    },
}

impl Moment {
    /// The steps of rewriting a segment.
    pub(crate) const REWRITING: [Step; 4] =
        [Step::SegmentRewrite, Step::SegmentRewriteSync, Step::SegmentReplace, Step::SegmentReplaceSync];

    /// All failpoints that a child comes to.
    ///
    /// Reading is none: nothing is different after it. A torn tail with whole records in it needs a power cut, and
    /// compaction a state file of some megabytes. Segments are rewritten where databases are dropped.
    pub(crate) fn points() -> Vec<String> {
        let steps = Step::ALL.into_iter();
        let steps = steps.filter(|step| !matches!(step, Step::SegmentRead | Step::TailCopy | Step::StateCompact));
        let steps = steps.filter(|step| !Moment::REWRITING.contains(step));
        steps.flat_map(|step| [step.before(), step.after()]).collect()
    }

    pub(crate) fn is_at(&self, name: &str) -> bool {
        matches!(self, Moment::At { point, .. } if point == name)
    }
}
