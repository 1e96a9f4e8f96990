use crate::{
    AccessSpec, DatabaseId, DatabaseKind, DocumentError, Entry, EntryError, Hash, Identity, IdentityError, Payload,
    ReadError, Writer,
    entry::encode_payload,
    heads,
    journal_op::JournalOp,
    limits::MAX_NEXT,
    state::{Accepted, Author, Job, Judged, Outcome, Right, StateError, is_dropped, refused, settle, takes},
};
use debros_core::{ID, Map, Value};
use debros_ipfs::ApplyError;
use std::sync::Arc;

/// Why something was not written. Nothing of it is left behind; what else the write has done stays, unless the write
/// gives an error too.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The user may not write this database.
    #[error("the user {user} may not write the database `{database}`")]
    Denied {
        /// The database's name.
        database: String,
        /// The user's id.
        user: String,
    },
    /// The database was dropped.
    #[error("the database `{database}` was dropped on this node; open it again to write it")]
    Dropped {
        /// The database's name.
        database: String,
    },
    /// The identity is not valid.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The record has no key, or there is nothing to delete.
    #[error("database `{database}`: {source}")]
    Document {
        /// The database's name.
        database: String,
        /// What is wrong.
        source: DocumentError,
    },
    /// The record is none for its database.
    #[error("database `{database}`: the record was refused: {reason}")]
    Record {
        /// The database's name.
        database: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The record is another user's.
    #[error("database `{database}`: the record was put by another user, and only that user deletes it")]
    NotOwner {
        /// The database's name.
        database: String,
    },
    /// Something that a database of this kind does not have.
    #[error("the database `{database}` is a {kind} database, which has no {op}")]
    Kind {
        /// The database's name.
        database: String,
        /// Its kind.
        kind: DatabaseKind,
        /// What was to be done.
        op: &'static str,
    },
    /// A right was to be granted or revoked in a database that says nothing about rights.
    #[error(
        "`{database}` is no database that says who may write others: rights are granted in the one that protects them"
    )]
    NoRights {
        /// The database's name.
        database: String,
    },
    /// A text that is no right.
    #[error("`{0}` is no right that can be granted: name one with 1 to 64 characters, without `/`")]
    NotARight(String),
    /// The entry cannot be written.
    #[error("database `{database}`: {source}")]
    Entry {
        /// The database's name.
        database: String,
        /// What is wrong.
        source: EntryError,
    },
    /// State could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// State could not be changed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl From<StateError> for WriteError {
    fn from(error: StateError) -> WriteError {
        WriteError::Read(error.into())
    }
}

impl Writer<'_> {
    /// Puts a record into a documents database, under its `_id`: a new one, or in place of the one that is there.
    ///
    /// # Errors
    /// If the user may not write, the record has no key, is refused by the schema or cannot be stored, or the store
    /// fails.
    pub fn put(&mut self, database: DatabaseId, identity: &Identity, record: Map) -> Result<Hash, WriteError> {
        let key = record.field(ID).clone();
        self.append(database, identity, Payload::put(key, Value::Map(record)))
    }

    /// Deletes what a key holds.
    ///
    /// # Errors
    /// If the user may not write, there is nothing or it is another user's to delete, or the store fails.
    pub fn del(&mut self, database: DatabaseId, identity: &Identity, key: Value) -> Result<Hash, WriteError> {
        self.append(database, identity, Payload::del(key))
    }

    /// Sets a key of a keyvalue database.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn set(
        &mut self,
        database: DatabaseId,
        identity: &Identity,
        key: impl Into<String>,
        value: Value,
    ) -> Result<Hash, WriteError> {
        self.append(database, identity, Payload::put(Value::from(key.into()), value))
    }

    /// Adds an event to an events database.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn add(&mut self, database: DatabaseId, identity: &Identity, value: Value) -> Result<Hash, WriteError> {
        self.append(database, identity, Payload::add(value))
    }

    /// Writes an entry: signs it, and applies what it does.
    ///
    /// # Errors
    /// As [`Writer::put`] and [`Writer::del`]; also if the operation is none of the database's kind.
    pub fn append(&mut self, database: DatabaseId, identity: &Identity, payload: Payload) -> Result<Hash, WriteError> {
        let info = self.database_info(database)?;
        let name = || info.spec.name.clone();
        if is_dropped(self.job.as_state(), database)? {
            return Err(WriteError::Dropped { database: name() });
        }
        let log = self.core.log(self.job.as_state(), database)?;
        let author = match self.author(&identity.hash())? {
            Some(author) => author,
            // who may not write leaves nothing behind, not even an identity
            None => Arc::new(Author::new(0, identity.block())),
        };
        let time = log.heads.iter().map(|head| head.time).max().unwrap_or(0) + 1;
        let value = match info.spec.access {
            AccessSpec::Custom { .. } => payload.clone().into_value(),
            _ => Value::Null,
        };
        if self.core.right(self.job.as_state(), &info, &author, &value, time)? != Right::Has {
            return Err(WriteError::Denied { database: name(), user: identity.id().to_owned() });
        }
        let author = self.ensure_author(&identity.hash(), identity.block())?;
        self.core.writes_here(&author);
        let judged = Judged::of(self.job.as_state(), self.core, &info, &author, Some(&payload))?;
        match &judged.outcome {
            Outcome::Row(_) | Outcome::Deletes { exists: true, may: true } => {}
            Outcome::Problem(reason) | Outcome::Refused(reason) | Outcome::Unkept(reason) => {
                if info.spec.kind == DatabaseKind::Documents && crate::documents::is_no_key(&payload.key) {
                    let source = DocumentError::NoKey(ID.to_owned());
                    return Err(WriteError::Document { database: name(), source });
                }
                return Err(WriteError::Record { database: name(), reason: reason.clone() });
            }
            Outcome::Deletes { exists: false, .. } => {
                let source = DocumentError::NotFound(Box::new(payload.key));
                return Err(WriteError::Document { database: name(), source });
            }
            Outcome::Deletes { .. } => return Err(WriteError::NotOwner { database: name() }),
            Outcome::Nothing => {
                return Err(WriteError::Kind { database: name(), kind: info.spec.kind, op: payload.op.word() });
            }
        }

        let mut heads = heads::sorted(self.core, self.job.as_state(), database)?;
        if heads.len() > MAX_NEXT {
            // the writer's own before others: each entry of a key is to build on those before
            heads.sort_by_key(|(clock, _)| clock.id != author.key);
        }
        let next: Vec<Hash> = heads.iter().take(MAX_NEXT).map(|(_, hash)| *hash).collect();
        let mut refs = Vec::new();
        if self.references > 0 {
            let behind = heads::behind(self.core, self.job.as_state(), &info, &next)?;
            refs = behind.take(next.len() + self.references).collect::<Result<_, _>>()?;
            refs = refs.split_off(next.len().min(refs.len()));
        }
        let wrong = |source| WriteError::Entry { database: info.spec.name.clone(), source };
        let encryption = self.core.encryption(&info.address);
        let sealed = |source| wrong(EntryError::Encryption(source));
        let payload = encryption.seal_payload(payload.into_value()).map_err(sealed)?;
        let payload = encode_payload(&payload).map_err(wrong)?;
        let bytes = Entry::encode(identity, &info.log, &payload, &next, &refs, time).map_err(wrong)?;
        let bytes = encryption.seal_block(bytes).map_err(sealed)?;
        let hash = Hash::of(&bytes);
        let block = self.job.add_block(hash.cid(), bytes);
        let core = self.core;
        // what replay would do, without decoding and judging once more what was just judged and encoded
        let settled = |job: &mut dyn Job| {
            let (_, _, position) =
                job.group_block(block).ok_or_else(|| ApplyError::refused("the entry has no block"))?;
            let accepted = Accepted { hash, position, time, next: &next, followed: false, unread: false, local: true };
            takes(job, database, position).map_err(refused)?;
            let effect = settle(job, core, &info, &author, &accepted, judged).map_err(refused)?;
            Ok(JournalOp::EntryAccepted { database, block, effect })
        };
        self.job.journal_with(Box::new(settled))?;
        self.written.insert(database);
        Ok(hash)
    }
}
