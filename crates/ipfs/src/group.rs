use std::{iter, sync::Arc};

use crate::{
    Apply, ApplyError, BlockError, Bytes, Cid, Position, ReadState, Rows, StoreError, Table,
    block::{self, block_key},
    group_blocks::{BlocksMark, GroupBlocks},
    merged_rows::MergedRows,
    overlay::Overlay,
    segments::Segments,
    view::View,
};

/// Most bytes of blocks and operations that one job may bring.
pub(crate) const MAX_JOB: usize = 128 << 20;
/// What an operation costs beside its bytes, for limits.
const OP_OVERHEAD: usize = 16;

/// What a job, or replay, works on: the state so far, and the blocks and operations that it adds.
///
/// A job reads the state as all jobs before it left it, whether they are on the disk yet or not. What it adds is kept
/// only if it returns `Ok` and nothing failed in between; then it becomes part of one commit, whole.
pub struct Group<'g> {
    pub(crate) source: GroupSource<'g>,
    pub(crate) open: &'g mut OpenGroup,
    /// Rows that this job changed.
    pub(crate) changes: Overlay,
    pub(crate) fault: Option<GroupFault>,
    /// Whether `Apply` is running.
    applying: bool,
    /// What was in the group before this job.
    mark: GroupMark,
}

/// Where a group reads what it did not change itself.
#[derive(Clone, Copy)]
pub(crate) struct GroupSource<'g> {
    pub(crate) apply: &'g Arc<dyn Apply>,
    pub(crate) segments: &'g Segments,
    pub(crate) view: &'g View,
    pub(crate) in_flight: Option<&'g InFlight>,
}

/// A group that is being committed: not in the view yet, but seen by the jobs after it.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) changes: Arc<Overlay>,
    pub(crate) blocks: Arc<GroupBlocks>,
}

/// A group that jobs are still added to.
#[derive(Debug)]
pub(crate) struct OpenGroup {
    pub(crate) blocks: GroupBlocks,
    pub(crate) ops: Vec<Vec<u8>>,
    ops_bytes: usize,
    pub(crate) changes: Overlay,
}

/// Why the job cannot be kept.
#[derive(Debug)]
pub(crate) enum GroupFault {
    Apply(String),
    Block(BlockError),
    TooLarge,
    Misuse(&'static str),
}

#[derive(Debug, Clone, Copy)]
struct GroupMark {
    blocks: BlocksMark,
    ops: usize,
    ops_bytes: usize,
    bytes: usize,
}

impl OpenGroup {
    pub(crate) fn new(blocks: GroupBlocks) -> OpenGroup {
        OpenGroup { blocks, ops: Vec::new(), ops_bytes: 0, changes: Overlay::default() }
    }

    /// Whether nothing would be written.
    pub(crate) fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.blocks.len() == 0
    }

    /// Bytes of blocks and operations, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.bytes().len() + self.ops_bytes
    }

    fn mark(&self) -> GroupMark {
        GroupMark { blocks: self.blocks.mark(), ops: self.ops.len(), ops_bytes: self.ops_bytes, bytes: self.bytes() }
    }
}

impl<'g> Group<'g> {
    pub(crate) fn new(source: GroupSource<'g>, open: &'g mut OpenGroup) -> Group<'g> {
        let mark = open.mark();
        Group { source, open, changes: Overlay::default(), fault: None, applying: false, mark }
    }

    /// Makes what the job did a part of the group.
    pub(crate) fn keep(self) {
        self.open.changes.absorb(self.changes);
    }

    /// Forgets what the job did.
    pub(crate) fn discard(self) {
        self.open.blocks.rewind(self.mark.blocks);
        self.open.ops.truncate(self.mark.ops);
        self.open.ops_bytes = self.mark.ops_bytes;
    }

    /// Applies an operation of a journal record.
    pub(crate) fn replay(&mut self, op: &[u8]) -> Result<(), ApplyError> {
        let apply = self.source.apply.clone();
        self.applying(|group| apply.apply(op, group))
    }

    /// Runs what may change rows of state.
    fn applying<T>(&mut self, apply: impl FnOnce(&mut Self) -> Result<T, ApplyError>) -> Result<T, ApplyError> {
        self.applying = true;
        let result = apply(self);
        self.applying = false;
        match (result, &self.fault) {
            (Ok(_), Some(fault)) => Err(fault.as_apply_error()),
            (result, _) => result,
        }
    }

    /// Adds a block and returns its index in the group. No search for copies is made: whether a block that is there
    /// already is stored again is the caller's decision.
    ///
    /// A block that the store does not take ([`BlockError`]) makes the job fail, whatever it returns.
    pub fn add_block(&mut self, cid: Cid, data: Vec<u8>) -> u32 {
        if self.applying {
            self.fail(GroupFault::Misuse("blocks are added by jobs, not by Apply"));
        } else if let Err(error) = block::check(&cid, &data, self.source.segments.mark()) {
            self.fail(GroupFault::Block(error));
        } else if self.open.bytes() - self.mark.bytes + data.len() > MAX_JOB {
            self.fail(GroupFault::TooLarge);
        }
        if self.fault.is_some() {
            return self.open.blocks.len();
        }
        self.open.blocks.add(cid, &data)
    }

    /// A block of this group by its index: CID, content and position. On replay the blocks are those that were added
    /// when the group was written, in the same order; of those that were taken out of the segments since, there is
    /// [`Group::gone_block`].
    pub fn group_block(&self, index: u32) -> Option<(&Cid, &[u8], Position)> {
        self.open.blocks.get(index)
    }

    /// On replay, where a block of this group was, by its index, which was taken out of the segments since.
    pub fn gone_block(&self, index: u32) -> Option<Position> {
        self.open.blocks.gone(index)
    }

    /// Adds an operation to the journal record of the group, and applies it to the state. The operation may refer to
    /// blocks of the group that were added before it, by their index.
    ///
    /// After an error the job is lost, whatever it returns.
    pub fn journal(&mut self, op: Vec<u8>) -> Result<(), ApplyError> {
        let apply = self.source.apply.clone();
        self.journal_with(|group| {
            apply.apply(&op, group)?;
            Ok(op)
        })
    }

    /// [`Group::journal`] for a caller that knows already what the operation does to the state, or learns from doing it what
    /// the operation has to say: `apply` stands in for [`Apply::apply`], must change exactly what that would change, and gives
    /// the operation. A difference shows in [`Store::verify`](crate::Store::verify).
    pub fn journal_with(
        &mut self,
        apply: impl FnOnce(&mut Self) -> Result<Vec<u8>, ApplyError>,
    ) -> Result<(), ApplyError> {
        if self.applying {
            self.fail(GroupFault::Misuse("operations are journaled by jobs, not by Apply"));
        }
        if let Some(fault) = &self.fault {
            return Err(fault.as_apply_error());
        }
        let op = match self.applying(apply) {
            Ok(op) => op,
            Err(error) => {
                self.fail(GroupFault::Apply(error.to_string()));
                return Err(error);
            }
        };
        if self.open.bytes() - self.mark.bytes + op.len() + OP_OVERHEAD > MAX_JOB {
            self.fail(GroupFault::TooLarge);
        }
        if let Some(fault) = &self.fault {
            return Err(fault.as_apply_error());
        }
        self.open.ops_bytes += op.len() + OP_OVERHEAD;
        self.open.ops.push(op);
        Ok(())
    }

    /// Sets a row of derived state. Only [`Apply`] may: state follows from the journaled operations alone.
    pub fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.change(table, key, Some(value));
    }

    /// Removes a row of derived state, if it is there. Only [`Apply`] may.
    pub fn delete(&mut self, table: Table, key: Vec<u8>) {
        self.change(table, key, None);
    }

    fn change(&mut self, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
        if !self.applying {
            self.fail(GroupFault::Misuse("rows of state are changed by Apply, not by jobs"));
        } else if table.0.starts_with(char::is_control) {
            self.fail(GroupFault::Misuse("names of tables do not begin with a control character"));
        } else {
            self.changes.set(table, key, value);
        }
    }

    /// The first failure is the one that is told.
    fn fail(&mut self, fault: GroupFault) {
        self.fault.get_or_insert(fault);
    }

    /// What is changed since the state file, newest first.
    fn overlays(&self) -> impl Iterator<Item = &Overlay> {
        iter::once(&self.changes)
            .chain(iter::once(&self.open.changes))
            .chain(self.source.in_flight.map(|group| group.changes.as_ref()))
            .chain(self.source.view.newest_first())
    }
}

impl GroupFault {
    fn as_apply_error(&self) -> ApplyError {
        ApplyError::Failed {
            reason: match self {
                GroupFault::Apply(reason) => reason.clone(),
                GroupFault::Block(error) => error.to_string(),
                GroupFault::TooLarge => format!("more than {MAX_JOB} bytes of blocks and operations"),
                GroupFault::Misuse(rule) => (*rule).to_owned(),
            },
        }
    }
}

impl ReadState for Group<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.overlays().find_map(|overlay| overlay.get(table, key)) {
            Some(value) => Ok(value.map(<[u8]>::to_vec)),
            None => self.source.view.base.get(table, key),
        }
    }

    fn scan<'s>(&'s self, table: Table, start: &[u8], end: Option<&[u8]>, reverse: bool) -> Rows<'s> {
        Box::new(MergedRows::new(&self.source.view.base, self.overlays(), table, start, end, reverse))
    }

    fn block_at(&self, position: Position) -> Result<Bytes, StoreError> {
        let in_memory = self.open.blocks.data(position);
        let in_memory = in_memory.or_else(|| self.source.in_flight.and_then(|group| group.blocks.data(position)));
        match in_memory {
            Some(data) => Ok(Bytes::copy_from_slice(data)),
            None => self.source.segments.read(position),
        }
    }

    fn block(&self, cid: &Cid) -> Result<Option<(Position, Bytes)>, StoreError> {
        let key = block_key(cid);
        let in_memory = self.open.blocks.find(&key);
        let in_memory = in_memory.or_else(|| self.source.in_flight.and_then(|group| group.blocks.find(&key)));
        let found = match in_memory {
            Some(position) => position,
            None => return self.source.segments.read_newest(&key, self.source.view.end.place()),
        };
        Ok(Some((found, self.block_at(found)?)))
    }
}
