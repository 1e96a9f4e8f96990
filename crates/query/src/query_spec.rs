//! [`QuerySpec`]: a query as data.

use crate::{Aggregate, Cursor, Reach};
use debros_core::{Expr, IncludeSpec, Map, ModelDef, SortKey, Value};

/// A query as data: what [`Query`](crate::Query) builds, and what a handle executes.
#[derive(Clone, Debug)]
pub struct QuerySpec {
    /// Of which model.
    pub model: &'static ModelDef,
    /// Among which rows.
    pub start: Start,
    /// Which of them.
    pub filter: Expr,
    /// In which order; ties by key, in the direction of the last of these.
    pub order: Vec<SortKey>,
    /// At most how many.
    pub limit: Option<usize>,
    /// What to load with each.
    pub includes: Vec<IncludeSpec>,
    /// Whose databases.
    pub reach: Reach,
    /// Is an answer wanted although not everything is held here?
    pub partial: bool,
    /// Only rows that come after this one.
    pub after: Option<Cursor>,
}

impl QuerySpec {
    /// All rows of a model, in the databases of the handle.
    pub fn new(model: &'static ModelDef) -> QuerySpec {
        QuerySpec {
            model,
            start: Start::All,
            filter: Expr::Always,
            order: Vec::new(),
            limit: None,
            includes: Vec::new(),
            reach: Reach::Own,
            partial: false,
            after: None,
        }
    }
}

/// Among which rows a query looks.
#[derive(Clone, Debug)]
pub enum Start {
    /// All of them.
    All,
    /// The one with this key, in stored form.
    Key(Value),
    /// Those that a relation of one row leads to.
    Related {
        /// The row's model.
        from: &'static ModelDef,
        /// The relation's name.
        relation: &'static str,
        /// The row.
        record: Map,
    },
}

/// What ends a query.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum End {
    /// Every row.
    Rows,
    /// The first row, if there is one.
    First,
    /// The one row that there is; an error otherwise.
    One,
    /// How many rows.
    Count,
    /// Is there a row?
    Exists,
    /// One figure over all rows.
    Aggregate(Aggregate),
    /// Figures over groups of rows.
    Group(GroupSpec),
    /// This many rows, and a cursor to go on from.
    Page(usize),
    /// How the query would be answered.
    Explain,
}

/// What to tell of each group of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupSpec {
    /// The fields whose values make a group.
    pub keys: Vec<&'static str>,
    /// The figures of a group.
    pub select: Vec<Aggregate>,
    /// The order of the groups; ties by the values of `keys`.
    pub order: Vec<GroupOrder>,
    /// At most how many groups.
    pub limit: Option<usize>,
}

/// One column of an order of groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupOrder {
    /// By which figure.
    pub by: Aggregate,
    /// Largest first?
    pub descending: bool,
}
