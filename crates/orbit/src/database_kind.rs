//! [`DatabaseKind`]: what the entries of a database mean.

use std::{fmt, str::FromStr};

/// What the entries of a database mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatabaseKind {
    /// Records by key, which can be changed and deleted.
    Documents,
    /// Values by key, which can be changed and deleted.
    KeyValue,
    /// Values in a row, which stay.
    Events,
}

impl DatabaseKind {
    /// The word in the manifest.
    pub const fn word(self) -> &'static str {
        match self {
            DatabaseKind::Documents => "documents",
            DatabaseKind::KeyValue => "keyvalue",
            DatabaseKind::Events => "events",
        }
    }
}

impl fmt::Display for DatabaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that is no [`DatabaseKind`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no type of a database: expected `documents`, `keyvalue` or `events`")]
pub struct NotADatabaseKind(pub String);

impl FromStr for DatabaseKind {
    type Err = NotADatabaseKind;

    fn from_str(word: &str) -> Result<DatabaseKind, NotADatabaseKind> {
        [DatabaseKind::Documents, DatabaseKind::KeyValue, DatabaseKind::Events]
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or_else(|| NotADatabaseKind(word.chars().take(80).collect()))
    }
}
