//! [`Case`]: a schema, rows and one query.

use super::{Expected, MemoryResolver, MemorySource, with_indexes};
use crate::{End, Executor, Outcome, QueryError, QuerySpec, Start};
use debros_core::{Map, ModelDef, UserId};

/// A schema, rows, and one query on the first of its models.
#[derive(Clone, Debug)]
pub struct Case {
    /// The models. What the relations of one lead to is among them.
    pub tables: Vec<&'static ModelDef>,
    /// The rows of all models.
    pub rows: Vec<CaseRow>,
    /// The user whom the query is executed for, as a number.
    pub me: Option<u8>,
    /// The query; its model is the first of `tables`.
    pub spec: QuerySpec,
    /// What ends it.
    pub end: End,
}

/// One row of a [`Case`].
#[derive(Clone, Debug, PartialEq)]
pub struct CaseRow {
    /// Of which model: a position in [`Case::tables`].
    pub table: usize,
    /// In whose store, as a number; of a user-scoped model only.
    pub owner: Option<u8>,
    /// The record as stored.
    pub record: Map,
}

/// The user of this number.
pub fn user(number: u8) -> UserId {
    let mut bytes = [number; 33];
    bytes[0] = 2;
    UserId::from_bytes(bytes)
}

impl Case {
    /// The databases, read on behalf of the case's user.
    pub fn source(&self) -> MemorySource {
        let mut source = MemorySource::new(self.tables.iter().copied());
        for row in &self.rows {
            source.insert(self.tables[row.table], row.owner.map(user), row.record.clone());
        }
        source.as_user(self.me.map(user))
    }

    /// What the executor of this crate answers.
    ///
    /// # Errors
    /// As [`Executor::run`].
    pub fn execute(&self, source: &MemorySource) -> Result<Outcome, QueryError> {
        Executor::new(source, &MemoryResolver::new(source)).run(&self.spec, &self.end)
    }

    /// What the oracle says.
    pub fn expect(&self) -> Expected {
        Expected::of(self)
    }

    /// How an answer differs from what the oracle says; `None`: it does not.
    pub fn disagreement(&self, answer: &Result<Outcome, QueryError>) -> Option<String> {
        self.expect().disagreement(self, answer)
    }

    /// The same case, with those indexes of the first model for which `keep` holds.
    #[must_use]
    pub fn with_indexes(&self, keep: impl Fn(usize) -> bool) -> Case {
        let mut case = self.clone();
        let (old, new) = (self.tables[0], with_indexes(self.tables[0], keep));
        case.tables[0] = new;
        case.spec.model = new;
        if let Start::Related { from, .. } = &mut case.spec.start
            && from.path == old.path
        {
            *from = new;
        }
        case
    }
}
