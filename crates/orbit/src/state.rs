//! What a node knows of its databases, as rows that follow from the journal.

mod accept;
mod author;
mod core;
mod document_row;
mod fields;
mod job;
mod log_row;
mod replay;
mod tables;

pub(crate) use accept::{Accepted, Judged, Outcome, settle};
pub(crate) use author::Author;
#[cfg(feature = "kubo")]
pub(crate) use core::all_entries;
pub(crate) use core::{Core, StateError, load_record, load_value, next_database};
pub(crate) use document_row::DocumentRow;
pub(crate) use fields::{FieldReader, Fields};
pub(crate) use job::Job;
pub(crate) use log_row::{Head, LogRow};
pub(crate) use replay::{Replay, refused};
pub(crate) use tables::{
    ADDRESSES, DOCUMENTS, FAMILIES, FAMILY_ROWS, INDEXES, MEMBERS, NAMES, PROBLEMS, SHIPMENTS, SHIPPED, family_prefix,
    index_prefix, key_of, name_key, past, problem_key, problem_parts, shipment_key,
};
