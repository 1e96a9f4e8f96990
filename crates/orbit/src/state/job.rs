//! [`Job`]: what changes state.

use crate::journal_op::JournalOp;
use debros_ipfs::{ApplyError, Cid, Group, Position, ReadState, Table};

/// What an operation does to the state. Gives the operation.
pub(crate) type Changes<'c> = Box<dyn FnOnce(&mut dyn Job) -> Result<JournalOp, ApplyError> + 'c>;

/// What a change of state needs of a [`Group`], without its lifetime.
pub(crate) trait Job: ReadState {
    fn add_block(&mut self, cid: Cid, data: Vec<u8>) -> u32;
    fn group_block(&self, index: u32) -> Option<(&Cid, &[u8], Position)>;
    fn gone_block(&self, index: u32) -> Option<Position>;
    fn journal(&mut self, op: Vec<u8>) -> Result<(), ApplyError>;
    fn journal_with(&mut self, apply: Changes<'_>) -> Result<(), ApplyError>;
    fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>);
    fn delete(&mut self, table: Table, key: Vec<u8>);
    fn as_state(&self) -> &dyn ReadState;
}

impl Job for Group<'_> {
    fn add_block(&mut self, cid: Cid, data: Vec<u8>) -> u32 {
        Group::add_block(self, cid, data)
    }
    fn group_block(&self, index: u32) -> Option<(&Cid, &[u8], Position)> {
        Group::group_block(self, index)
    }
    fn gone_block(&self, index: u32) -> Option<Position> {
        Group::gone_block(self, index)
    }
    fn journal(&mut self, op: Vec<u8>) -> Result<(), ApplyError> {
        Group::journal(self, op)
    }
    fn journal_with(&mut self, apply: Changes<'_>) -> Result<(), ApplyError> {
        Group::journal_with(self, |group| Ok(apply(group)?.to_bytes()))
    }
    fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        Group::put(self, table, key, value);
    }
    fn delete(&mut self, table: Table, key: Vec<u8>) {
        Group::delete(self, table, key);
    }
    fn as_state(&self) -> &dyn ReadState {
        self
    }
}
