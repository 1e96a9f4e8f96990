//! [`Feed`]: what has changed, in the order in which it did.

mod change;
mod feed_error;
mod feed_position;

pub use self::{
    change::{Change, ChangeKind},
    feed_error::FeedError,
    feed_position::{FeedPosition, NotAFeedPosition},
};

use crate::{
    DatabaseId, DatabaseInfo, DatabaseKind, Hash, Node, Op, Payload, ReadDocuments as _, ReadError, Snapshot,
    effect::{Did, Effect},
    entry::EntryParts,
    heads,
    journal_op::JournalOp,
    state::{StateError, dropped, load_value, open_payload},
};
use debros_core::{ID, Value};
use debros_ipfs::{Bytes, CommittedGroup, Groups, Place, StoreError};
use std::{borrow::Cow, cmp::Ordering};
use tokio::sync::watch;

/// So many bytes of segments are read at once at most, whatever they hold; the last commit may go beyond.
const MAX_READ: usize = 4 << 20;
/// So many bytes of entries are told at once at most; the last may go beyond.
const MAX_TOLD: usize = 1 << 20;

/// What has changed in the databases of a node, in the order in which it did: what was written here and what came from others
/// alike. [`Node::feed`] begins one.
///
/// It reads the journal in the segments, where everything that joined a log stands in one order, with what it did. So nothing is
/// kept for a reader, and one that is slow misses nothing: it reads later. What it reads is what was committed since, whatever
/// the databases hold; while nothing is committed it costs nothing. In memory it has one commit, and what it tells at once.
///
/// A change is one to what a key holds. An entry that lost against a newer one, that was refused or means nothing, is none.
#[derive(Debug)]
pub struct Feed {
    node: Node,
    commits: watch::Receiver<u64>,
    /// Everything before this was read.
    at: FeedPosition,
    /// Something was read from where it began, so that place is in the segments.
    proven: bool,
    reading: Option<Reading>,
    /// What lies behind this is not read.
    end: Option<Place>,
}

/// What is being read.
struct Reading {
    groups: Groups,
    /// The commit in which the feed is.
    group: Option<CommittedGroup>,
}

/// What a feed has read.
#[derive(Debug)]
#[non_exhaustive]
pub struct FeedBatch {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// Is there more to be read?
    pub more: bool,
}

impl Node {
    /// The place in the journal behind everything that is committed now: where a feed begins that is to tell what comes.
    ///
    /// # Errors
    /// If the node was closed.
    pub fn feed_position(&self) -> Result<FeedPosition, StoreError> {
        Ok(FeedPosition::at(self.store().tag(), self.snapshot()?.state.end()))
    }

    /// The place before everything: where a feed begins that is to tell all that ever changed.
    ///
    /// # Errors
    /// If the node was closed.
    pub fn feed_start(&self) -> Result<FeedPosition, StoreError> {
        Ok(FeedPosition::at(self.store().tag(), self.snapshot()?.state.start()))
    }

    /// Tells what changes behind a position: of this node, now ([`Node::feed_position`]), from the beginning
    /// ([`Node::feed_start`]), or where another feed was ([`Feed::position`], [`Change::position`]). Reads nothing yet.
    ///
    /// # Errors
    /// If the position is of another data folder, or the node was closed. That what lies there is gone, because an older copy of the folder
    /// took its place, may be seen only when it is read.
    pub fn feed(&self, from: &FeedPosition) -> Result<Feed, FeedError> {
        if from.folder != self.store().tag() {
            return Err(FeedError::OtherFolder);
        }
        let commits = self.store().commits();
        let snapshot = self.snapshot().map_err(ReadError::from)?;
        let (start, end) = (snapshot.state.start(), snapshot.state.end());
        // places compare by where they are, and are equal only if the same was committed before them
        let is_there = match from.place.cmp(&end) {
            Ordering::Less => from.place >= start,
            Ordering::Equal => from.place == end && !from.is_within(),
            Ordering::Greater => false,
        };
        if !is_there {
            return Err(FeedError::Gone { reason: format!("it has nothing at {}", from.place) });
        }
        let proven = from.place == end;
        Ok(Feed { node: self.clone(), commits, at: *from, proven, reading: None, end: None })
    }
}

impl Feed {
    /// Everything before this was read: from here another feed goes on. It lasts as long as the data folder, through restarts and
    /// crashes.
    pub fn position(&self) -> FeedPosition {
        self.at
    }

    /// About how many bytes of segments are still to be read.
    ///
    /// # Errors
    /// If the node was closed.
    pub fn bytes_left(&self) -> Result<u64, ReadError> {
        Ok(self.node.snapshot()?.state.bytes_behind(Some(self.at.place))?)
    }

    /// Ends it behind what is committed now: whatever is committed later is not read.
    ///
    /// # Errors
    /// If the node was closed.
    pub fn end_now(&mut self) -> Result<(), ReadError> {
        self.end = Some(self.node.snapshot()?.state.end());
        Ok(())
    }

    /// Was everything read that is committed, or was before it [ends](Feed::end_now)?
    ///
    /// # Errors
    /// If the node was closed.
    pub fn is_at_end(&self) -> Result<bool, ReadError> {
        Ok(self.reading.is_none() && (self.has_ended() || self.bytes_left()? == 0))
    }

    /// So many commits lie before both places; where a segment ends, places differ that have the same before them.
    fn has_ended(&self) -> bool {
        self.end.is_some_and(|end| self.at.place.sequence() >= end.sequence())
    }

    /// Waits until there may be something to read; for ever, where it ends.
    ///
    /// # Errors
    /// If the node was closed.
    pub async fn changed(&mut self) -> Result<(), ReadError> {
        while self.is_at_end()? {
            // the sender ends with the store, which the node keeps
            let _ = self.commits.changed().await;
        }
        Ok(())
    }

    /// Reads on: the next changes, `most` at most (and one at least), of the databases that `wanted` chooses, in a state that has
    /// all that is read. Blocks while it reads, for some
    /// megabytes of segments at most, or one commit.
    ///
    /// # Errors
    /// If something cannot be read, once all before it was told; the feed stays before it. [`FeedError::Gone`] if the segments do not hold what the feed's beginning
    /// was behind.
    pub fn read(
        &mut self,
        most: usize,
        mut wanted: impl FnMut(&Snapshot, &DatabaseInfo) -> Result<bool, ReadError>,
    ) -> Result<FeedBatch, FeedError> {
        let mut told = Told { changes: Vec::new(), bytes: 0, most: most.max(1) };
        let more = self.read_on(&mut told, &mut wanted);
        if more.is_err() {
            self.reading = None;
        }
        let changes = told.changes;
        match more {
            Ok(more) => Ok(FeedBatch { changes, more }),
            Err(error) if changes.is_empty() => Err(error),
            // it comes again when that is read next
            Err(_) => Ok(FeedBatch { changes, more: true }),
        }
    }

    /// Whether there is more to be read.
    fn read_on(
        &mut self,
        told: &mut Told,
        wanted: &mut impl FnMut(&Snapshot, &DatabaseInfo) -> Result<bool, ReadError>,
    ) -> Result<bool, FeedError> {
        // what is committed from here on wakes it again
        self.commits.mark_unchanged();
        let snapshot = self.node.snapshot().map_err(ReadError::from)?;
        let mut bytes = 0;
        loop {
            if self.has_ended() {
                self.reading = None;
                return Ok(false);
            }
            let reading = self
                .reading
                .get_or_insert_with(|| Reading { groups: snapshot.state.groups(Some(self.at.place)), group: None });
            let group = match reading.group.take() {
                Some(group) => group,
                None => match reading.groups.next() {
                    Some(group) => self.prove(group)?,
                    None => {
                        self.reading = None;
                        return Ok(false);
                    }
                },
            };
            let done = self.read_group(&snapshot, &group, told, wanted)?;
            if done {
                self.at = FeedPosition::at(self.at.folder, group.end());
                bytes += group.bytes();
            } else if let Some(reading) = &mut self.reading {
                reading.group = Some(group);
            }
            if told.is_full() || bytes >= MAX_READ {
                return Ok(true);
            }
        }
    }

    /// The first group must be the one that the position stood before, or in.
    fn prove(&mut self, group: Result<CommittedGroup, StoreError>) -> Result<CommittedGroup, FeedError> {
        let gone = |reason: String| FeedError::Gone { reason };
        match group {
            Err(StoreError::Damaged(damage)) if !self.proven => Err(gone(damage.to_string())),
            Ok(group) if self.at.is_within() && self.at.commit != commit(&group) => {
                Err(gone(format!("another commit is at {}", self.at.place)))
            }
            Err(error) => Err(ReadError::from(error).into()),
            Ok(group) => {
                self.proven = true;
                self.at.commit = commit(&group);
                Ok(group)
            }
        }
    }

    /// Reads what is left of a group. Whether that was all.
    fn read_group(
        &mut self,
        snapshot: &Snapshot,
        group: &CommittedGroup,
        told: &mut Told,
        wanted: &mut impl FnMut(&Snapshot, &DatabaseInfo) -> Result<bool, ReadError>,
    ) -> Result<bool, FeedError> {
        while let Some(op) = group.ops().get(self.at.op as usize) {
            let (database, entries) = match JournalOp::from_bytes(op).map_err(StateError::from)? {
                JournalOp::EntryAccepted { database, block, effect } => (database, vec![(Entry::Block(block), effect)]),
                JournalOp::EntryReleased { database, hash, effect } => (database, vec![(Entry::Stored(hash), effect)]),
                JournalOp::EntriesRead { database, entries } => {
                    (database, entries.into_iter().map(|(hash, effect)| (Entry::Stored(hash), effect)).collect())
                }
                _ => {
                    self.at.op += 1;
                    continue;
                }
            };
            if entries.iter().any(|(_, effect)| effect.did != Did::Nothing)
                && !was_dropped(snapshot, group, database, &entries)?
            {
                let info = snapshot.info(database)?;
                if wanted(snapshot, &info)? {
                    while let Some((entry, effect)) = entries.get(self.at.entry as usize) {
                        if told.is_full() {
                            return Ok(false);
                        }
                        let behind = FeedPosition { entry: self.at.entry + 1, ..self.at };
                        if let Some((change, bytes)) = change(snapshot, &info, group, entry, *effect, behind)? {
                            // what was there before is read with it
                            told.bytes += bytes + change.former.map_or(0, |former| former.len as usize);
                            told.changes.push(change);
                        }
                        self.at = behind;
                    }
                }
            }
            (self.at.op, self.at.entry) = (self.at.op + 1, 0);
        }
        Ok(true)
    }

    /// What the key of a change held before it; `None` if that was nothing, or its database was dropped since.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn former(&self, change: &Change) -> Result<Option<Value>, ReadError> {
        let Some(position) = change.former else { return Ok(None) };
        let snapshot = self.node.snapshot()?;
        match load_value(&snapshot.core, &snapshot.state, position) {
            Err(StateError::Store(StoreError::Gone { .. })) => Ok(None),
            value => Ok(Some(value?)),
        }
    }
}

/// What is told at once.
struct Told {
    changes: Vec<Change>,
    /// Of their entries.
    bytes: usize,
    most: usize,
}

impl Told {
    fn is_full(&self) -> bool {
        self.changes.len() >= self.most || self.bytes >= MAX_TOLD
    }
}

/// What tells a commit from others.
fn commit(group: &CommittedGroup) -> [u8; 8] {
    let mut commit = [0; 8];
    commit.copy_from_slice(&group.digest()[..8]);
    commit
}

/// Where an entry is.
enum Entry {
    /// In the commit itself.
    Block(u32),
    /// In one before.
    Stored(Hash),
}

/// Was the database of these entries dropped since they joined? They are not told of any more: what is left of them may be anything.
fn was_dropped(
    snapshot: &Snapshot,
    group: &CommittedGroup,
    database: DatabaseId,
    entries: &[(Entry, Effect)],
) -> Result<bool, StateError> {
    let block = match entries {
        [(Entry::Block(block), _)] => Some(*block),
        _ => None,
    };
    Ok(dropped(&snapshot.state, database)?.is_some_and(|at| group.is_before(block, at.before)))
}

/// The change that an entry made, if it made one, and the entry's bytes.
fn change(
    snapshot: &Snapshot,
    info: &DatabaseInfo,
    group: &CommittedGroup,
    entry: &Entry,
    effect: Effect,
    position: FeedPosition,
) -> Result<Option<(Change, usize)>, ReadError> {
    let (kind, former) = match effect.did {
        Did::Nothing => return Ok(None),
        Did::Put(None) => (ChangeKind::Created, None),
        Did::Put(former) => (ChangeKind::Updated, former),
        Did::Deleted(former) => (ChangeKind::Deleted, Some(former)),
    };
    let (core, state) = (&*snapshot.core, &snapshot.state);
    let broken = |what: &str| StateError::Broken(format!("an entry of the database `{}` {what}", info.spec.name));
    let (hash, block): (Hash, Bytes) = match entry {
        Entry::Block(index) => {
            let (cid, data, _) = group.block(*index).ok_or_else(|| broken("has no block"))?;
            let hash = Hash::from_cid(cid).ok_or_else(|| broken("is under no name of one"))?;
            let sealed = |source| StateError::Sealed { database: info.spec.name.clone(), source };
            let block = match core.encryption(&info.address).open_block(data).map_err(sealed)? {
                Cow::Borrowed(data) => Bytes::copy_from_slice(data),
                Cow::Owned(data) => data.into(),
            };
            (hash, block)
        }
        Entry::Stored(hash) => {
            let (_, block) = heads::block(core, state, info, hash)?.ok_or_else(|| broken("has no block"))?;
            (*hash, block)
        }
    };
    let unreadable = |e: &dyn std::fmt::Display| broken(&format!("is unreadable: {e}"));
    let parts = EntryParts::parse(&block).map_err(|e| unreadable(&e))?;
    let identity: Hash = parts.identity.parse().map_err(|e| unreadable(&e))?;
    let author = core.author_of(state, &identity)?.ok_or_else(|| broken("is by nobody who is known"))?;
    let payload = Value::from_trusted_dag_cbor(parts.payload).map_err(|e| unreadable(&e))?;
    let sealed = || StateError::Sealed { database: info.spec.name.clone(), source: crate::EncryptionError::NoDataKey };
    let payload = open_payload(core, parts.log, payload).ok_or_else(sealed)?;
    let Payload { op, key, value } = Payload::from_value(payload).ok_or_else(|| broken("means nothing"))?;
    let key = match info.spec.kind {
        DatabaseKind::Events if core.schema.keyed_events(info) => {
            value.as_map().map_or(Value::Null, |record| record.field(ID).clone())
        }
        _ => key,
    };
    let change = Change {
        database: info.id,
        kind,
        key,
        value: (op != Op::Del).then_some(value),
        entry: hash,
        clock: crate::Clock { id: author.key, time: parts.time },
        identity,
        user: author.id.clone(),
        is_local: effect.local,
        position,
        former,
    };
    Ok(Some((change, block.len())))
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("within", &self.group.is_some()).finish_non_exhaustive()
    }
}
