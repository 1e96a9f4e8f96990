use crate::HintStatus;
use std::time::SystemTime;

/// How it stands with a Kubo daemon and what is to be sent to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShippingStatus {
    /// The daemon's address; `None` where no daemon was asked for.
    pub url: Option<String>,
    /// Whether the daemon answered the last time it was asked.
    pub reachable: bool,
    /// The daemon's version, once it was reached.
    pub version: Option<String>,
    /// The daemon's peer id, once it was reached.
    pub peer: Option<String>,
    /// Entries that the daemon has not confirmed yet. Before it was reached, it is taken for the one that was sent most from this folder.
    pub outbox_entries: u64,
    /// Bytes of segments that are still to be looked through for what is to be sent.
    pub outbox_bytes: u64,
    /// Whether something that the daemon had lost is being sent once more.
    pub mending: bool,
    /// Pins that this data folder has in the daemon.
    pub pins: u64,
    /// Pins of this data folder whose blocks are not all here, as after restoring a backup: they are left alone.
    pub foreign_pins: u64,
    /// What went wrong last, and when. It stays after things went well again.
    pub last_error: Option<(SystemTime, String)>,
    /// The last time that something was confirmed.
    pub last_shipment: Option<LastShipment>,
    /// How it stands with what is exchanged with others through the daemon; `None` where nothing is.
    pub hints: Option<HintStatus>,
}

/// The last time that a daemon confirmed to hold and pin something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastShipment {
    /// When.
    pub at: SystemTime,
    /// How many entries.
    pub entries: u64,
    /// How many blocks were sent for it, with lists and what makes the entries readable.
    pub blocks: u64,
}
