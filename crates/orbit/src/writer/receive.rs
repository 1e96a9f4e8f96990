use crate::{
    DatabaseId, DatabaseInfo, Entry, Hash, Hold, IdentityBlock, JoinError, LimitError, Limits, LogError,
    ReadDocuments as _, ReadError, Receipt, Received, Writer,
    journal_op::{HeldOp, JournalOp},
    state::{
        ANY, HELD, HeldRow, Known, LogRow, READY, REVOKED, Right, StateError, UNREAD, WAITING, entries_read,
        entry_released, hash_at, held, is_dropped, key_of, known, lacks, past, refused, waiting_key,
    },
};
use debros_ipfs::{ApplyError, Position};
use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// So many bytes of the name of a peer are kept.
const MAX_PEER: usize = 128;

impl Writer<'_> {
    /// Takes entries of a database that came from a peer: those that may join do, others are held back.
    ///
    /// # Errors
    /// If the store fails, or there is no such database. Nothing is taken then.
    pub fn receive(
        &mut self,
        database: DatabaseId,
        mut entries: Vec<Received>,
        from: &str,
    ) -> Result<Receipt, JoinError> {
        let info = self.database_info(database)?;
        self.check_is_here(&info)?;
        let from: String = from.chars().take(MAX_PEER).collect();
        entries.sort_by_key(Received::time);
        let mut needed: Option<HashSet<Hash>> = None;
        let mut receipt = Receipt::default();
        let mut rest = VecDeque::from(entries);
        while let Some(received) = rest.pop_front() {
            let hash = received.hash();
            let log = self.core.log(self.job.as_state(), database)?;
            let mut forgotten = false;
            if log.held > 0
                && let Some(row) = held(self.job.as_state(), database, &hash)?
            {
                match row.held {
                    Some(held) => {
                        receipt.held.push((hash, held.hold));
                        continue;
                    }
                    None => forgotten = true,
                }
            } else if let Some(Known::Joined { .. }) = known(self.core, self.job.as_state(), &log, &info, &hash)? {
                receipt.known += 1;
                continue;
            }
            if let Some(log) = received.log().filter(|log| *log != info.address) {
                receipt.not_kept.push((hash, LogError::OtherLog { entry: log, log: info.address }.into()));
                continue;
            }
            let links = received.links();
            let (bytes, entry) = received.into_parts();
            if let Some(kept) = self.core.schema.last_events(&info)
                && !forgotten
                && let Err(limit) = Limits::admits_event(&kept, &info, log.entries + log.held, bytes.len())
            {
                receipt.not_kept.push((hash, limit.into()));
                continue;
            }
            let judged = match entry {
                Ok(entry) => match self.check(&info, &log, &entry) {
                    Ok(author) if !forgotten => {
                        self.accept(&info, &author, entry)?;
                        receipt.joined += 1;
                        continue;
                    }
                    Ok(_) => {
                        self.release(database, hash)?;
                        receipt.joined += 1;
                        continue;
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            if matches!(judged, JoinError::Read(_) | JoinError::Apply(_)) {
                return Err(judged);
            }
            let Some(hold) = Hold::of(&judged) else {
                receipt.not_kept.push((hash, judged));
                continue;
            };
            let named = match &mut needed {
                Some(needed) => needed,
                None => needed.insert(self.needed_by(&info, &rest)?),
            };
            let needed = named.contains(&hash)
                || self.is_waited_for(database, &hash)?
                || self.is_of_frontier(&info, &hold, &hash)?;
            if let Err(limit) = self.has_room(&info, &log, &hold, needed, bytes.len()) {
                // it comes again, and can be judged then
                if let Hold::Identity(identity) = hold {
                    self.core.missed_identity(identity);
                }
                receipt.not_kept.push((hash, limit.into()));
                continue;
            }
            let held = HeldOp { hold: hold.clone(), needed, since: now(), from: from.clone() };
            let lacks = lacks(self.job.as_state(), self.core, &info, &hold, &links)?;
            if forgotten {
                self.journal(JournalOp::HoldChanged { database, hash, held: Some((held, lacks)) })?;
            } else {
                let block = self.job.add_block(hash.cid(), bytes);
                self.journal(JournalOp::EntryHeld { database, block, held, lacks })?;
            }
            receipt.held.push((hash, hold));
        }
        Ok(receipt)
    }

    /// Judges entries again that are held back and for which something has changed, at most `most` of them. How many
    /// were.
    pub(crate) fn judge_ready(&mut self, most: usize) -> Result<usize, JoinError> {
        let mut done = 0;
        let mut from = Vec::new();
        while done < most {
            let next = self.job.scan(READY, &from, None, false).next().transpose().map_err(StateError::from)?;
            let Some((mut key, _)) = next else { break };
            let database = key.first_chunk().map(|number| DatabaseId(u32::from_be_bytes(*number)));
            let database = database.ok_or_else(|| StateError::Broken("a key of `ready` is too short".to_owned()))?;
            match self.judge_again(database, hash_at(&key, 4)?) {
                Ok(true) => done += 1,
                // left for when more is looked up; or for when what it takes can be read, which holds up no others
                Ok(false) | Err(JoinError::Read(ReadError::State(_))) => {
                    key.push(0);
                    from = key;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// Whether it could be judged.
    fn judge_again(&mut self, database: DatabaseId, hash: Hash) -> Result<bool, JoinError> {
        let info = self.database_info(database)?;
        if is_dropped(self.job.as_state(), database)? {
            // its row goes with the others
            return Ok(false);
        }
        let missing = || StateError::Broken(format!("the entry {hash} that is held back is not there"));
        let row = held(self.job.as_state(), database, &hash)?.ok_or_else(missing)?;
        let Some(before) = row.held else {
            self.journal(JournalOp::HoldChanged { database, hash, held: None })?;
            return Ok(true);
        };
        let block = self.job.block_at(row.position).map_err(StateError::from)?;
        let log = self.core.log(self.job.as_state(), database)?;
        let encryption = self.core.encryption(&info.address);
        let entry = Entry::open(&block, &encryption).map_err(JoinError::from).and_then(|entry| {
            // of what could not be opened, nothing was checked yet
            if before.hold == Hold::Sealed {
                self.core.limits.admits(&entry)?;
                entry.verify_signature()?;
            }
            Ok(entry)
        });
        let checked = entry.and_then(|entry| self.check(&info, &log, &entry).map(drop));
        let op = match checked {
            Ok(()) => {
                self.release(database, hash)?;
                return Ok(true);
            }
            Err(error @ (JoinError::Read(_) | JoinError::Apply(_))) => return Err(error),
            Err(error) => {
                // a limit that is reached may not be reached later, so the entry comes again
                let held = match Hold::of(&error) {
                    None => None,
                    Some(hold) => {
                        let opened = encryption.open_block(&block);
                        let links = opened.map(|block| Entry::links_of(&block)).unwrap_or_default();
                        let lacks = lacks(self.job.as_state(), self.core, &info, &hold, &links)?;
                        // for those that wait for another reason, nobody has looked yet
                        let is_looked_for = before.hold.is_about_rights();
                        if matches!(hold, Hold::Revoked { .. }) && is_looked_for && lacks.frontier.is_empty() {
                            return Ok(false);
                        }
                        if hold == before.hold && hold != Hold::Missing && !matches!(hold, Hold::Revoked { .. }) {
                            self.journal(JournalOp::HoldKept { database, hash })?;
                            return Ok(true);
                        }
                        Some((HeldOp { hold, ..before }, lacks))
                    }
                };
                JournalOp::HoldChanged { database, hash, held }
            }
        };
        self.journal(op)?;
        Ok(true)
    }

    /// Forgets an entry that is held back: it is not listed any more, and judged anew when it comes again. False if it is
    /// not held back, or something builds on it.
    ///
    /// # Errors
    /// If the store fails, or there is no such database.
    pub fn forget(&mut self, database: DatabaseId, hash: Hash) -> Result<bool, JoinError> {
        self.database_info(database)?;
        let row = held(self.job.as_state(), database, &hash)?;
        if !row.is_some_and(|row| row.held.is_some_and(|held| !held.needed) && !row.followed) {
            return Ok(false);
        }
        self.journal(JournalOp::HoldChanged { database, hash, held: None })?;
        Ok(true)
    }

    /// Has the entries of a database that are held back for want of a right judged again, as when an
    /// [`AccessController`](crate::AccessController) decides otherwise now. It happens by itself when rights are granted
    /// or revoked.
    pub(crate) fn judge_rights_again(&mut self, database: DatabaseId) -> Result<(), JoinError> {
        self.database_info(database)?;
        self.journal(JournalOp::RightsChanged { database })?;
        Ok(())
    }

    /// Reads what a key opens that was not there: payloads of entries in the log, at most `most` of them, and entries that
    /// are held back. How many there were.
    pub(crate) fn read_sealed(&mut self, database: DatabaseId, most: usize) -> Result<usize, JoinError> {
        let info = self.database_info(database)?;
        let prefix = key_of(database, &[]);
        let mut sealed = Vec::new();
        for row in self.job.scan(HELD, &prefix, past(&prefix).as_deref(), false) {
            let (key, row) = row.map_err(StateError::from)?;
            if HeldRow::from_bytes(&row).and_then(|row| row.held).is_some_and(|held| held.hold == Hold::Sealed) {
                sealed.push(hash_at(&key, 4)?);
            }
        }
        for hash in sealed {
            // what this key does not open stays as it is
            let encryption = self.core.encryption(&info.address);
            let row = held(self.job.as_state(), database, &hash)?;
            let Some(row) = row else { continue };
            let block = self.job.block_at(row.position).map_err(StateError::from)?;
            if encryption.open_block(&block).is_ok() {
                self.judge_again(database, hash)?;
            }
        }
        let encryption = self.core.encryption(&info.address);
        let mut entries = Vec::new();
        for row in self.job.scan(UNREAD, &prefix, past(&prefix).as_deref(), false) {
            let (key, row) = row.map_err(StateError::from)?;
            let Some(position) = Position::from_bytes(&row) else { continue };
            let block = self.job.block_at(position).map_err(StateError::from)?;
            let Ok(entry) = Entry::open(&block, &encryption) else { continue };
            if encryption.open_payload(entry.payload()).is_ok() {
                entries.push(hash_at(&key, 4)?);
            }
            if entries.len() >= most {
                break;
            }
        }
        let read = entries.len();
        if read > 0 {
            let core = self.core;
            self.job.journal_with(Box::new(move |job| {
                let entries = entries_read(core, database, entries.into_iter(), job).map_err(refused)?;
                Ok(JournalOp::EntriesRead { database, entries })
            }))?;
        }
        Ok(read)
    }

    fn journal(&mut self, op: JournalOp) -> Result<(), ApplyError> {
        self.job.journal(op.to_bytes())
    }

    /// Lets an entry join that is held back.
    fn release(&mut self, database: DatabaseId, hash: Hash) -> Result<(), ApplyError> {
        let core = self.core;
        self.job.journal_with(Box::new(move |job| {
            let effect = entry_released(core, database, hash, job).map_err(refused)?;
            Ok(JournalOp::EntryReleased { database, hash, effect })
        }))
    }

    /// Which of the entries that came together are built on by one whose author may write.
    fn needed_by(&mut self, info: &DatabaseInfo, rest: &VecDeque<Received>) -> Result<HashSet<Hash>, JoinError> {
        let mut needed = HashSet::new();
        for received in rest.iter().rev() {
            let mut builds = needed.contains(&received.hash());
            if let Some(entry) = received.entry().filter(|_| !builds)
                && let Some(author) = self.author(&entry.identity())?
            {
                let (state, payload) = (self.job.as_state(), entry.payload());
                builds = author.key == entry.key()
                    && self.core.right(state, info, &author, payload, entry.clock().time)? == Right::Has;
            }
            if builds {
                let links = received.links();
                needed.extend(links.next.into_iter().chain(links.refs));
            }
        }
        Ok(needed)
    }

    /// Is what this identity wrote to a database worth keeping, be it that it may write or that there is room?
    pub(crate) fn has_room_for(&self, database: DatabaseId, identity: &[u8]) -> Result<bool, JoinError> {
        let denied = Hold::Denied { user: String::new() };
        let log = self.core.log(self.job.as_state(), database)?;
        if log.unneeded[denied.pool()].entries < self.core.limits.quarantined {
            return Ok(true);
        }
        let Ok(identity) = IdentityBlock::decode(identity) else { return Ok(false) };
        Ok(self.may_write(database, &identity.id.to_string())?)
    }

    /// Does an entry wait for this identity, or did one that was not kept?
    pub(crate) fn is_waited_for_identity(&self, identity: &Hash) -> Result<bool, ReadError> {
        if self.core.missed_identities().contains(identity) {
            return Ok(true);
        }
        let prefix = waiting_key(ANY, identity, None);
        Ok(self.job.scan(WAITING, &prefix, past(&prefix).as_deref(), false).next().transpose()?.is_some())
    }

    /// Was this entry a head of the log when its user's right was revoked?
    fn is_of_frontier(&self, info: &DatabaseInfo, hold: &Hold, hash: &Hash) -> Result<bool, StateError> {
        let Hold::Revoked { user } = hold else { return Ok(false) };
        let frontier = self.core.frontier(self.job.as_state(), info, user)?;
        Ok(frontier.is_some_and(|heads| heads.contains(hash)))
    }

    /// Does an entry that may join wait for this one?
    fn is_waited_for(&self, database: DatabaseId, hash: &Hash) -> Result<bool, ReadError> {
        let prefix = waiting_key(database, hash, None);
        for row in self.job.scan(WAITING, &prefix, past(&prefix).as_deref(), false) {
            let waiter = hash_at(&row?.0, 40)?;
            if waiter == REVOKED
                || held(self.job.as_state(), database, &waiter)?.is_some_and(|row| row.needs_ancestors())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_room(
        &self,
        info: &Arc<DatabaseInfo>,
        log: &LogRow,
        hold: &Hold,
        needed: bool,
        bytes: usize,
    ) -> Result<(), LimitError> {
        let limits = &self.core.limits;
        let database = || info.spec.name.clone();
        if needed {
            return Ok(());
        }
        if *hold == Hold::Missing {
            return match log.pending >= limits.pending {
                true => Err(LimitError::Pending { database: database(), max: limits.pending }),
                false => Ok(()),
            };
        }
        let pool = log.unneeded[hold.pool()];
        if pool.entries >= limits.quarantined {
            let (max, hold) = (limits.quarantined, hold.clone());
            return Err(LimitError::Quarantined { database: database(), max, hold });
        }
        if pool.bytes + bytes as u64 > limits.quarantined_bytes {
            let (max, hold) = (limits.quarantined_bytes, hold.clone());
            return Err(LimitError::QuarantinedBytes { database: database(), max, hold });
        }
        Ok(())
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
