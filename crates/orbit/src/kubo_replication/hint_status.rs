use std::time::SystemTime;

/// How it stands with the hints that are exchanged over a Kubo daemon's pubsub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HintStatus {
    /// Whether the daemon's pubsub is listened to.
    pub pubsub: Pubsub,
    /// Databases that are told of.
    pub databases: u64,
    /// Of how many of them others are known, and all who are known have the same heads.
    pub agreed: u64,
    /// The last time that somebody was seen to have the same heads as are here.
    pub last_agreed: Option<SystemTime>,
    /// Messages that were published.
    pub sent: u64,
    /// Messages of others that were heard and understood.
    pub received: u64,
    /// Messages that were not: too large, too many of one daemon, or none of ours.
    pub refused: u64,
    /// How often what somebody told of was fetched,
    pub fetched: u64,
    /// and how often it did not come, or was of no use.
    pub failed: u64,
    /// Blocks that were fetched for it, with lists of blocks, whether it all came or not.
    pub blocks: u64,
    /// What went wrong last, and when. It stays after things went well again.
    pub last_error: Option<(SystemTime, String)>,
}

/// Whether a daemon's pubsub is listened to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pubsub {
    /// The daemon was not reached yet, or is not there at the moment.
    #[default]
    Unreached,
    /// It is listened to.
    On,
    /// The daemon has it off: `ipfs config --json Pubsub.Enabled true`, and a new start, turn it on.
    Off,
}
