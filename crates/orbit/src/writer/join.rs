use crate::{
    DatabaseId, Entry, EntryError, Hash, IdentityBlock, IdentityError, LogError, ReadDocuments as _, ReadError,
    WriteError, Writer, heads, journal_op::JournalOp, limits::MAX_HEADS, log::check_time, state::StateError,
};
use debros_ipfs::ApplyError;

/// Why an entry of another node does not join a log here. Nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// It is no entry that anyone should have made.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// It belongs to another log, follows something that is not here, or its clock is wrong.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The identity that it names is not known here. Add its block first.
    #[error("the identity {0} of the entry is not known here; fetch its block first")]
    UnknownIdentity(Hash),
    /// The identity itself is not valid.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Its writer may not write this database.
    #[error("the user {user} may not write the database `{database}`")]
    Denied {
        /// The database's name.
        database: String,
        /// The user's id.
        user: String,
    },
    /// State could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// State could not be changed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl From<StateError> for JoinError {
    fn from(error: StateError) -> JoinError {
        JoinError::Read(error.into())
    }
}

impl Writer<'_> {
    /// Adds the identity block of another node, whose entries can join then.
    ///
    /// # Errors
    /// If it is none, or its signatures are wrong.
    pub fn add_identity(&mut self, block: &[u8]) -> Result<Hash, JoinError> {
        let identity = IdentityBlock::decode(block)?;
        let hash = identity.hash();
        if self.author(&hash)?.is_none() {
            identity.verify()?;
            self.ensure_author(&hash, &identity).map_err(|error| match error {
                WriteError::Apply(error) => JoinError::Apply(error),
                WriteError::Read(error) => JoinError::Read(error),
                other => JoinError::Apply(ApplyError::refused(other)),
            })?;
        }
        Ok(hash)
    }

    /// Joins an entry of another node to the log of a database, after checking everything: form, log, identity,
    /// signature, the right to write, ancestors, clock. False if it was there already.
    ///
    /// # Errors
    /// If it does not belong there, or cannot be judged yet.
    pub fn join(&mut self, database: DatabaseId, entry: &[u8]) -> Result<bool, JoinError> {
        let info = self.database_info(database)?;
        let entry = Entry::decode(entry)?;
        if entry.log() != info.address {
            return Err(LogError::OtherLog { entry: entry.log(), log: info.address }.into());
        }
        let hash = entry.hash();
        // the store holds no entry that was not accepted, and an entry belongs to one log
        if self.block(&hash)?.is_some() {
            return Ok(false);
        }
        let Some(author) = self.author(&entry.identity())? else {
            return Err(JoinError::UnknownIdentity(entry.identity()));
        };
        let identity = self.block(&author.hash)?.ok_or(JoinError::UnknownIdentity(author.hash))?;
        entry.verify(&IdentityBlock::decode(&identity)?)?;
        if !info.spec.access.allows(&author.id) {
            return Err(JoinError::Denied { database: info.spec.name.clone(), user: author.id.clone() });
        }
        let mut before = 0;
        for next in entry.next() {
            let links = self.ancestor(&info.log, next)?;
            before = before.max(links);
        }
        for reference in entry.refs() {
            self.ancestor(&info.log, reference)?;
        }
        let time = entry.clock().time;
        check_time(time, before)?;

        let heads = self.core.log(self.job.as_state(), database)?.heads;
        let followed = |hash: &Hash| entry.next().contains(hash);
        if heads.len() >= MAX_HEADS && !heads.iter().any(|head| followed(&head.hash)) {
            return Err(LogError::TooManyHeads.into());
        }

        let block = self.job.add_block(hash.cid(), entry.into_bytes());
        self.job.journal(JournalOp::EntryAccepted { database, block }.to_bytes())?;
        Ok(true)
    }

    /// The time of an entry that must be in this log.
    fn ancestor(&self, log: &str, hash: &Hash) -> Result<u64, JoinError> {
        match heads::entry(self.job.as_state(), hash)? {
            Some((of, links)) if of == log => Ok(links.clock.time),
            _ => Err(LogError::Missing(*hash).into()),
        }
    }
}
