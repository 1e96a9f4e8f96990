use debros_core::{UserId, Value};
use debros_orbit::FeedPosition;

/// What happened to a record. `R` is its model, or [`Value`] where those of all models are told.
///
/// Whoever mirrors records needs two fields: [`row`](RowChange::row), where there is one, takes the place of what was under its key; where
/// there is none, what was [`before`](RowChange::before) is gone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RowChange<R> {
    /// What happened.
    pub kind: ChangeKind,
    /// The record as it is since. `None` if it is gone, or, with a filter, does not match any more.
    pub row: Option<R>,
    /// The record as it was before. `None` if there was none, or, with a filter, it did not match.
    pub before: Option<R>,
    /// Its key, in stored form: text for ids.
    pub key: Value,
    /// The model; `Model.field` for links.
    pub model: &'static str,
    /// Whose store it is in, if the model is user-scoped.
    pub owner: Option<UserId>,
    /// Who wrote it.
    pub user: UserId,
    /// The device that wrote it: its public key.
    pub device: String,
    /// The entry that did it: its hash, by which all peers know it.
    pub entry: String,
    /// The time of the entry, by the log's clock.
    pub clock: u64,
    /// It was written in this data folder; others came from peers.
    pub local: bool,
    /// The place in the feed behind it, from which another stream goes on.
    pub position: FeedPosition,
}

/// What happened to a record.
///
/// A stored record that does not decode into this version of the model is none, as in queries: one that comes to decode enters, and one that
/// does not any more leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It was created.
    Created,
    /// It was changed. An event does not change, but one that comes before it in the log may take its key.
    Updated,
    /// It was deleted.
    Deleted,
    /// It was changed, and matches the filter only since.
    Entered,
    /// It was changed, and does not match the filter any more.
    Left,
}
