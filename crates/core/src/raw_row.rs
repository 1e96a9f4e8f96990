//! [`RawRow`]: a row before it gets its type.

use crate::Map;

/// A stored record and what was loaded with it, as the floors below the typed surface hand it up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawRow {
    /// The record as stored: key under `_id`, the rest under the fields' names.
    pub record: Map,
    /// What `.with(..)` asked for, in its order.
    pub included: Vec<Included>,
}

/// The rows of one loaded relation.
#[derive(Clone, Debug, PartialEq)]
pub enum Included {
    /// `belongs_to`, `has_one`.
    One(Option<Box<RawRow>>),
    /// `has_many`, `many_to_many`.
    Many(Vec<RawRow>),
}
