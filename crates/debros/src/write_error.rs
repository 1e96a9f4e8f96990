//! [`WriteError`]: why a write was refused.

use debros_core::{DagCborError, DecodeError, EncodeError, UserId, ValidationError};
use debros_query::QueryError;

/// Why a create, update, delete, link or batch did nothing.
///
/// Whatever the reason, nothing of the operation was written: a batch is written whole or not at all. (The one exception is
/// `NotPinned`, of the feature `kubo`, and `NotReplicated`, of the feature `network`: then all of it was.)
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The record breaks rules of its model; every broken rule is listed.
    #[error(transparent)]
    Validation(#[from] ValidationError),
    /// A value cannot be stored.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A hook of the model refused, or a check or hook panicked.
    #[error("`{model}`: its `{hook}` hook refused: {message}")]
    Hook {
        /// The model.
        model: &'static str,
        /// The hook.
        hook: &'static str,
        /// What it said.
        message: String,
    },
    /// The record's key is empty, 0 or false, which OrbitDB's documents databases take for no key.
    #[error("`{model}` cannot have the key {key:?}: a key must not be empty, 0 or false")]
    NoKey {
        /// The model.
        model: &'static str,
        /// The key.
        key: String,
    },
    /// The record's key is too long.
    #[error("a key of `{model}` takes {bytes} bytes, more than the {limit} that a key may have: choose a shorter one")]
    KeyTooLong {
        /// The model.
        model: &'static str,
        /// What it takes, in bytes.
        bytes: usize,
        /// What it may take.
        limit: usize,
    },
    /// Another record has the key.
    #[error("`{model}` has a record with the key {key} already: choose another key, or go on with that record")]
    KeyTaken {
        /// The model.
        model: &'static str,
        /// The key.
        key: String,
    },
    /// Another record has the values of a unique field, or of a unique set of fields.
    #[error("`{model}.{}` is unique, and {values} is taken by the record {by}: choose another", fields.join("`, `"))]
    Duplicate {
        /// The model.
        model: &'static str,
        /// The fields that are unique together.
        fields: &'static [&'static str],
        /// The values.
        values: String,
        /// The key of the record that has them.
        by: String,
    },
    /// A required relation leads to no record.
    #[error(
        "`{model}.{relation}` is required, but there is no `{target}` with the key {key}: create it first, or make the relation `BelongsTo<Option<{target}>>`"
    )]
    MissingParent {
        /// The model.
        model: &'static str,
        /// The relation.
        relation: &'static str,
        /// The model that it leads to.
        target: &'static str,
        /// The key that is not there.
        key: String,
    },
    /// Rows that are held here require the record that was to be deleted.
    #[error(
        "`{model}` {key} cannot be deleted: `{by}.{relation}` of the record {child} requires it{}",
        if *stays { ", which is an event and stays" } else { "; delete that one first" }
    )]
    StillRequired {
        /// The model.
        model: &'static str,
        /// The record's key.
        key: String,
        /// The model of the row that requires it.
        by: &'static str,
        /// The relation that does.
        relation: &'static str,
        /// The key of the row that requires it.
        child: String,
        /// Is that an event, which cannot be deleted?
        stays: bool,
    },
    /// The record is not there.
    #[error(
        "`{model}` has no record with the key {key} among those that this session may write: it was deleted, or never there"
    )]
    NotFound {
        /// The model.
        model: &'static str,
        /// The key.
        key: String,
    },
    /// The record, or link, belongs to another user.
    #[error("`{model}` {key} belongs to the user {owner}, and only they may change it")]
    NotYours {
        /// The model, or `Model.relation` for a link.
        model: String,
        /// The key.
        key: String,
        /// Whose it is.
        owner: UserId,
    },
    /// This user may not write this model.
    #[error("`{model}` is written by {writers} only, and this session's user {user} is not among them")]
    NotAllowed {
        /// The model, or `Model.relation` for a link.
        model: String,
        /// Who may.
        writers: &'static str,
        /// Who tried.
        user: UserId,
    },
    /// The relation is not made of links.
    #[error("`{model}.{relation}` is no many_to_many: rows are linked by it through the fields that hold their keys")]
    NoLinks {
        /// The model.
        model: &'static str,
        /// The relation.
        relation: &'static str,
    },
    /// The record is too large.
    #[error(
        "`{model}` {key}: the record takes {bytes} bytes, more than the {limit} that a write may have: store large data as files and their names here"
    )]
    TooLarge {
        /// The model.
        model: &'static str,
        /// The record's key.
        key: String,
        /// What it takes, in bytes of DAG-CBOR.
        bytes: usize,
        /// What it may take.
        limit: usize,
    },
    /// A value of the record has too many lists and maps within each other.
    #[error(
        "`{model}` {key}: its lists and maps are more than {limit} levels deep, which no peer takes: make it flatter"
    )]
    TooDeep {
        /// The model.
        model: &'static str,
        /// The record's key.
        key: String,
        /// How many levels there may be.
        limit: usize,
    },
    /// More rows than one commit may change.
    #[error(
        "more than {limit} rows of `{model}` would change in one commit: narrow the filter and do it in several steps"
    )]
    TooMany {
        /// The model.
        model: &'static str,
        /// How many rows may change.
        limit: usize,
    },
    /// The stored row that was to be changed does not decode; `db.problems()` lists it.
    #[error("the stored row {key} cannot be read, so it cannot be changed: {source}; `db.problems()` lists such rows")]
    Decode {
        /// The row's key.
        key: String,
        /// Why.
        source: DecodeError,
    },
    /// A value has no form in DAG-CBOR.
    #[error("`{model}` {key}: {source}")]
    DagCbor {
        /// The model.
        model: &'static str,
        /// The record's key.
        key: String,
        /// Why.
        source: DagCborError,
    },
    /// A model that the database was not opened with.
    #[error("`{model}` is not among the models of this database: add it to the `models![..]` that it is opened with")]
    UnknownModel {
        /// The model.
        model: &'static str,
    },
    /// The session's identity was got from another data folder.
    #[error(
        "this identity of the user {user} is of another data folder, whose device key must write there alone: take it from this one, by `db.identity(..)`, or `db.import_identity(..)` with what `export` gives"
    )]
    OtherFolder {
        /// The user.
        user: UserId,
    },
    /// [`Durability::Pinned`](crate::Durability::Pinned) was asked for, and there is no daemon to pin anything. Nothing was written.
    #[cfg(feature = "kubo")]
    #[error(
        "`Durability::Pinned` waits for a Kubo daemon, and this database was opened without one: name it by `Db::builder(..).kubo(\"http://127.0.0.1:5001\")`"
    )]
    NoKubo,
    /// It **was written** and is durable here, but the Kubo daemon has not confirmed in time that it pins it.
    #[cfg(feature = "kubo")]
    #[error(transparent)]
    NotPinned(#[from] debros_orbit::NotPinned),
    /// [`Durability::Replicated`](crate::Durability::Replicated) was asked for, and there is no network. Nothing was written.
    #[cfg(feature = "network")]
    #[error(
        "`Durability::Replicated` waits for peers, and this database was opened without a network: say where it listens, `Db::builder(..).listen(\"/ip4/0.0.0.0/tcp/0\")`"
    )]
    NoNetwork,
    /// It **was written** and is durable here, but not enough peers have said in time that they have it.
    #[cfg(feature = "network")]
    #[error(transparent)]
    NotReplicated(#[from] debros_orbit::NotReplicated),
    /// The database was closed.
    #[error("the database was closed; open it again to write")]
    Closed,
    /// The rows that an `update_all` or `delete_all` should change could not be found.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The log refused the entry.
    #[error(transparent)]
    Log(#[from] debros_orbit::WriteError),
    /// The database that is to hold the record was not opened.
    #[error(transparent)]
    Database(#[from] debros_orbit::OpenDatabaseError),
    /// The local store failed.
    #[error(transparent)]
    Store(Box<dyn std::error::Error + Send + Sync>),
}

impl WriteError {
    /// A failure of the local store, or of the engine itself.
    pub(crate) fn store(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> WriteError {
        WriteError::Store(error.into())
    }
}
