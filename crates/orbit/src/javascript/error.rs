use super::NotJavaScriptCbor;
use crate::{Address, Hash};

/// Why a JavaScript peer does not accept an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JavaScriptError {
    /// The block does not decode.
    #[error(transparent)]
    Decode(#[from] NotJavaScriptCbor),
    /// A field that JavaScript cannot go on with.
    #[error("the entry's field `{0}` is not what JavaScript can read")]
    Field(&'static str),
    /// It belongs to another log.
    #[error("the entry belongs to `{entry}`, and this is the log of {log}")]
    OtherLog {
        /// Where it belongs: what its field `id` says, shortened.
        entry: String,
        /// The log that it was to join.
        log: Address,
    },
    /// The identity that it names may not write, is not valid, or is not to be had.
    #[error("the identity that entry {0} names may not write, or is not valid")]
    Denied(Hash),
    /// A field is missing.
    #[error("entry {entry} has no field `{field}`")]
    NoField {
        /// The entry.
        entry: Hash,
        /// The field.
        field: &'static str,
    },
    /// The signature is not by the entry's key.
    #[error("the signature of entry {0} is not by its key")]
    Signature(Hash),
    /// An ancestor cannot be had.
    #[error("entry {0}, which the entry follows or refers to, is not to be had")]
    Missing(Hash),
}
