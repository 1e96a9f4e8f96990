//! What a node knows of its databases, as rows that follow from the journal.

mod accept;
mod author;
mod core;
mod document_row;
mod dropping;
mod fields;
mod held_row;
mod hold;
mod job;
mod log_row;
mod replay;
mod rights;
mod room;
mod sealed;
mod state_hash;
mod tables;

#[cfg(feature = "network")]
pub(crate) use accept::clock_at;
pub(crate) use accept::{Accepted, Judged, Outcome, event_key, settle};
pub(crate) use author::Author;
#[cfg(feature = "kubo")]
pub(crate) use core::all_entries;
pub(crate) use core::{Core, StateError, database_with, load_record, load_value, next_database};
pub(crate) use document_row::DocumentRow;
pub(crate) use dropping::{Stage, dropped, dropping, gone, is_dropped};
pub(crate) use fields::{FieldReader, Fields};
pub(crate) use held_row::HeldRow;
pub(crate) use hold::{Known, REVOKED, hash_at, held, known, lacks, links_at};
pub(crate) use job::Job;
pub(crate) use log_row::{Head, LogRow};
pub(crate) use replay::{Replay, entries_read, entry_released, refused};
pub(crate) use rights::{FRONTIER, Right, rights_row};
pub(crate) use room::{dead, takes};
pub(crate) use sealed::{open_entry, open_payload, sealed_entry};
pub(crate) use state_hash::state_hash;
#[cfg(feature = "network")]
pub(crate) use tables::CLOCKS;
pub(crate) use tables::{
    ADDRESSES, ANY, DOCUMENTS, FAMILIES, FAMILY_ROWS, HELD, INDEXES, MEMBERS, NAMES, PROBLEMS, PROTECTED, READY,
    SHIPMENTS, SHIPPED, UNREAD, WAITING, family_prefix, index_prefix, key_of, name_key, past, problem_key,
    problem_parts, shipment_key, waiting_key,
};
