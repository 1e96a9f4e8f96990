//! [`Outcome`]: the answer to a query, as data.

use crate::{Coverage, Cursor, Explained, QueryError};
use debros_core::{RawRow, Value};

/// The answer to a query, as data, with how much was there to read.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The answer.
    pub found: Answered,
    /// How much was there to read.
    pub coverage: Coverage,
}

/// The answer to a query; one variant for each kind of [`End`](crate::End).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Answered {
    /// To `Rows`.
    Rows(Vec<RawRow>),
    /// To `First` and `One`.
    Row(Option<RawRow>),
    /// To `Count`.
    Count(u64),
    /// To `Exists`.
    Exists(bool),
    /// To `Aggregate`: null where there is nothing to tell.
    Value(Value),
    /// To `Group`.
    Groups(Vec<GroupRow>),
    /// To `Page`.
    Page(RawPage),
    /// To `Explain`.
    Explained(Explained),
}

/// One group of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRow {
    /// The values that its rows have in common, in the order of [`GroupSpec::keys`](crate::GroupSpec::keys).
    pub keys: Vec<Value>,
    /// Its figures, in the order of [`GroupSpec::select`](crate::GroupSpec::select).
    pub figures: Vec<Value>,
}

/// One page of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawPage {
    /// The rows.
    pub rows: Vec<RawRow>,
    /// Where it ended; `None` if it is empty.
    pub cursor: Option<Cursor>,
    /// Was there a row after it?
    pub more: bool,
}

impl Answered {
    fn kind(&self) -> &'static str {
        match self {
            Answered::Rows(_) => "rows",
            Answered::Row(_) => "a row",
            Answered::Count(_) => "a count",
            Answered::Exists(_) => "whether there is one",
            Answered::Value(_) => "a figure",
            Answered::Groups(_) => "groups",
            Answered::Page(_) => "a page",
            Answered::Explained(_) => "a plan",
        }
    }

    /// The error of an answer that is not of the kind that was asked for.
    pub(crate) fn wrong(&self, model: &'static str) -> QueryError {
        QueryError::WrongAnswer { model, found: self.kind() }
    }
}
