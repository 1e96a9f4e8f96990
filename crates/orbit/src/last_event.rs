//! [`LastEvent`]: what a device said last.

use crate::{PublicKey, ReadError};
use debros_core::Value;

/// What a device said last in an events database of which nothing else counts
/// ([`Schema::last_events`](crate::Schema::last_events)).
#[derive(Clone, Debug, PartialEq)]
pub struct LastEvent {
    /// The user, whose identity signed it.
    pub user: PublicKey,
    /// The key of the device.
    pub device: PublicKey,
    /// What it said.
    pub value: Value,
    /// When by the log's clock it said something first, as far as is known.
    pub first: u64,
    /// And when this.
    pub last: u64,
}

/// Last events, one by one, read as they are asked for. After an error there are no more.
pub type LastEventsRead<'s> = Box<dyn Iterator<Item = Result<LastEvent, ReadError>> + 's>;
