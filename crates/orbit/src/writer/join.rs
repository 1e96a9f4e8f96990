use crate::{
    AccessSpec, DatabaseId, DatabaseInfo, Entry, EntryError, Hash, IdentityBlock, IdentityError, LimitError, Limits,
    LogError, Payload, ReadError, Received, WriteError, Writer,
    journal_op::JournalOp,
    limits::MAX_HEADS,
    state::{
        Accepted, Author, Job, Judged, Known, LogRow, Right, StateError, is_dropped, known, open_payload, refused,
        settle, takes,
    },
};
use debros_ipfs::ApplyError;
use std::sync::Arc;

/// Why an entry of another node does not join a log here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// It is no entry that anyone should have made.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// It belongs to another log, follows something that is not here, or its clock is wrong.
    #[error(transparent)]
    Log(#[from] LogError),
    /// It is beyond a limit of this node.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// It is in the log, encrypted otherwise, or not at all.
    #[error("the entry {0} is in the log already, in another encryption or in none")]
    Twice(Hash),
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
    /// The database was dropped.
    #[error("the database `{database}` was dropped on this node; open it again to have what others write")]
    Dropped {
        /// The database's name.
        database: String,
    },
    /// The right of its writer was revoked, and whether it was written before is not known yet.
    #[error(
        "the right of the user {user} to write the database `{database}` was revoked, and whether the entry was written before will be known when what was in the log then is here"
    )]
    Revoked {
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
    /// signature, the right to write, ancestors, clock. False if it was there already. To keep entries that cannot join
    /// yet, and for many at once, see [`Node::receive`](crate::Node::receive).
    ///
    /// # Errors
    /// If it does not belong there, or cannot be judged yet. Nothing of it is left behind then.
    pub fn join(&mut self, database: DatabaseId, entry: &[u8]) -> Result<bool, JoinError> {
        let info = self.database_info(database)?;
        self.check_is_here(&info)?;
        let (_, entry) = Received::read(entry, &self.core.limits, &self.core.encryption(&info.address)).into_parts();
        let entry = entry?;
        let log = self.core.log(self.job.as_state(), database)?;
        if entry.log() == info.address
            && let Some(Known::Joined { .. }) = known(self.core, self.job.as_state(), &log, &info, &entry.hash())?
        {
            return Ok(false);
        }
        if let Some(kept) = self.core.schema.last_events(&info) {
            Limits::admits_event(&kept, &info, log.entries + log.held, entry.bytes().len())?;
        }
        let author = self.check(&info, &log, &entry)?;
        self.accept(&info, &author, entry)?;
        Ok(true)
    }

    /// Was the database not dropped?
    pub(super) fn check_is_here(&self, info: &DatabaseInfo) -> Result<(), JoinError> {
        match is_dropped(self.job.as_state(), info.id)? {
            true => Err(JoinError::Dropped { database: info.spec.name.clone() }),
            false => Ok(()),
        }
    }

    /// May this entry, whose signature was checked, join the log as it is? Gives its author.
    pub(super) fn check(&mut self, info: &DatabaseInfo, log: &LogRow, entry: &Entry) -> Result<Arc<Author>, JoinError> {
        if entry.log() != info.address {
            return Err(LogError::OtherLog { entry: entry.log(), log: info.address }.into());
        }
        // whoever can read could wrap an entry anew, and it would count again
        let content = Hash::of(entry.bytes());
        if content != entry.hash()
            && let Some(Known::Joined { .. }) = known(self.core, self.job.as_state(), log, info, &content)?
        {
            return Err(JoinError::Twice(content));
        }
        let Some(author) = self.author(&entry.identity())? else {
            return Err(JoinError::UnknownIdentity(entry.identity()));
        };
        if author.key != entry.key() {
            return Err(EntryError::NotTheIdentitys { identity: entry.identity(), key: entry.key() }.into());
        }
        let (database, user) = (|| info.spec.name.clone(), || author.id.clone());
        match self.right_of(info, &author, entry)? {
            Right::Has => {}
            Right::HasNot => return Err(JoinError::Denied { database: database(), user: user() }),
            Right::Had => return Err(JoinError::Revoked { database: database(), user: user() }),
        }
        let state = self.job.as_state();
        let mut before = 0;
        for next in entry.next() {
            let known = known(self.core, state, log, info, next)?.ok_or(LogError::Missing(*next))?;
            before = before.max(known.time());
        }
        for reference in entry.refs() {
            known(self.core, state, log, info, reference)?.ok_or(LogError::Missing(*reference))?;
        }
        self.core.limits.check_time(entry.clock().time, before)?;
        let max = self.core.limits.heads.min(MAX_HEADS);
        if log.heads.len() >= max && !log.heads.iter().any(|head| entry.next().contains(&head.hash)) {
            return Err(LimitError::Heads { database: database(), max }.into());
        }
        Ok(author)
    }

    /// May its author write this? What was in the log when a right was revoked still counts.
    fn right_of(&self, info: &DatabaseInfo, author: &Author, entry: &Entry) -> Result<Right, StateError> {
        let state = self.job.as_state();
        // a rule of the application's own is asked about what was written, where that can be read
        let payload = match &info.spec.access {
            AccessSpec::Custom { .. } => open_payload(self.core, &info.log, entry.payload().clone()),
            _ => None,
        };
        let payload = payload.as_ref().unwrap_or(entry.payload());
        let right = self.core.right(state, info, author, payload, entry.clock().time)?;
        if right != Right::Had {
            return Ok(right);
        }
        let found = self.frontiers.iter().find(|found| found.database == info.id && found.user == author.id);
        let Some(found) = found.filter(|found| found.looked_for.contains(&entry.hash())) else {
            return Ok(Right::Had);
        };
        if self.core.frontier(state, info, &author.id)?.as_ref() != Some(&found.heads) {
            return Ok(Right::Had);
        }
        Ok(if found.reached.contains(&entry.hash()) { Right::Has } else { Right::HasNot })
    }

    /// Takes an entry that may join into the log.
    pub(super) fn accept(&mut self, info: &Arc<DatabaseInfo>, author: &Author, entry: Entry) -> Result<(), JoinError> {
        let payload = open_payload(self.core, &info.log, entry.payload().clone()).map(Payload::from_value);
        let unread = payload.is_none();
        let judged = Judged::of(self.job.as_state(), self.core, info, author, payload.flatten().as_ref())?;
        let (hash, time, next) = (entry.hash(), entry.clock().time, entry.next().to_vec());
        let block = self.job.add_block(hash.cid(), entry.into_block());
        let core = self.core;
        let settled = |job: &mut dyn Job| {
            let (_, _, position) =
                job.group_block(block).ok_or_else(|| ApplyError::refused("the entry has no block"))?;
            let accepted = Accepted { hash, position, time, next: &next, followed: false, unread, local: false };
            takes(job, info.id, position).map_err(refused)?;
            let effect = settle(job, core, info, author, &accepted, judged).map_err(refused)?;
            Ok(JournalOp::EntryAccepted { database: info.id, block, effect })
        };
        self.job.journal_with(Box::new(settled))?;
        Ok(())
    }
}
