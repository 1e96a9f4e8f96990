use std::io;

/// A step that a store takes on the disk. With the feature `failpoints`, tests make it fail, or end the process before or
/// after it; without, it is nothing but the work that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "failpoints"), expect(unreachable_pub, reason = "only tests name steps"))]
pub enum Step {
    /// Writing the draft of the format file, and syncing it.
    FormatWrite,
    /// Giving the format file its name.
    FormatRename,
    /// Syncing the names in the data folder.
    FolderSync,
    /// Removing what an interrupted `verify` left.
    TemporaryClear,
    /// Writing the text of the lock file.
    LockWrite,
    /// Removing a state file that cannot be used.
    StateRemove,
    /// Syncing the copy of a torn tail that is set aside.
    TailCopy,
    /// Cutting a torn tail off.
    TailCut,
    /// Syncing the segment that was cut.
    TailSync,
    /// Writing again what an earlier process wrote, whose last sync may have failed.
    RecoveryWrite,
    /// Syncing what an earlier process wrote, before the state file may learn of it.
    RecoverySync,
    /// Creating a segment file, and writing its header.
    SegmentCreate,
    /// Syncing a new segment file.
    SegmentCreateSync,
    /// Syncing the names in the folder of the segments.
    SegmentFolderSync,
    /// Writing a group at the end of the open segment.
    SegmentAppend,
    /// Syncing a group before it is answered.
    SegmentSync,
    /// Reading from a segment file.
    SegmentRead,
    /// Syncing the open segment before a checkpoint.
    CheckpointSync,
    /// Committing rows to the state file.
    StateCommit,
    /// Compacting the state file.
    StateCompact,
    /// Closing the state file.
    StateClose,
    /// Writing the draft of the index of a full segment.
    IndexWrite,
    /// Syncing that draft.
    IndexSync,
    /// Giving an index file its name.
    IndexRename,
    /// Syncing the name of an index file.
    IndexFolderSync,
    /// Writing the draft of a segment without what is gone.
    SegmentRewrite,
    /// Syncing that draft.
    SegmentRewriteSync,
    /// Putting it in the place of the segment.
    SegmentReplace,
    /// Syncing its name.
    SegmentReplaceSync,
}

impl Step {
    /// Does the work of the step.
    #[cfg(not(feature = "failpoints"))]
    #[inline(always)]
    pub(crate) fn run<T, E: From<io::Error>>(self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        work()
    }

    /// Does the work of the step, unless a test wants otherwise. An error that a test asks for before the step leaves the
    /// work undone; after it, the work is done and said to have failed.
    #[cfg(feature = "failpoints")]
    pub(crate) fn run<T, E: From<io::Error>>(self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        fn point(name: String) -> io::Result<()> {
            fail::fail_point!(&name, |code| Err(error(code)));
            Ok(())
        }
        fn error(code: Option<String>) -> io::Error {
            let code = code.and_then(|code| code.parse().ok());
            code.map_or_else(|| io::Error::other("a test asked for it"), io::Error::from_raw_os_error)
        }
        point(self.before())?;
        let done = work()?;
        point(self.after())?;
        Ok(done)
    }
}

#[cfg(feature = "failpoints")]
impl Step {
    /// All of them.
    pub const ALL: [Step; 29] = [
        Step::FormatWrite,
        Step::FormatRename,
        Step::FolderSync,
        Step::TemporaryClear,
        Step::LockWrite,
        Step::StateRemove,
        Step::TailCopy,
        Step::TailCut,
        Step::TailSync,
        Step::RecoveryWrite,
        Step::RecoverySync,
        Step::SegmentCreate,
        Step::SegmentCreateSync,
        Step::SegmentFolderSync,
        Step::SegmentAppend,
        Step::SegmentSync,
        Step::SegmentRead,
        Step::CheckpointSync,
        Step::StateCommit,
        Step::StateCompact,
        Step::StateClose,
        Step::IndexWrite,
        Step::IndexSync,
        Step::IndexRename,
        Step::IndexFolderSync,
        Step::SegmentRewrite,
        Step::SegmentRewriteSync,
        Step::SegmentReplace,
        Step::SegmentReplaceSync,
    ];

    /// The name of the failpoint before the step. `return(28)` there fails with that error of the operating system.
    pub fn before(self) -> String {
        format!("before {self:?}")
    }

    /// The name of the failpoint after the step.
    pub fn after(self) -> String {
        format!("after {self:?}")
    }
}
