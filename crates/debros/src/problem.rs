//! [`Problem`]: a stored record that typed queries leave out.

use debros_core::UserId;
use std::fmt;

/// A stored record that typed queries leave out, or leave out of some. Nothing is lost: it stays in its log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The model's name, or `Model.relation` for a link.
    pub model: String,
    /// The record's key.
    pub key: String,
    /// The user whose record it is, if the model is user-scoped.
    pub user: Option<UserId>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// It does not decode into its model, so that no query gives it.
    Unreadable {
        /// Why: `` `Post.title` holds an integer where the model has text``.
        reason: String,
    },
    /// Its writer may not put it there, and what was there before stays.
    Refused {
        /// The user who tried.
        writer: String,
        /// Why.
        reason: String,
    },
    /// A row that it requires is not held here, so that queries with `.with(..)` of that relation leave it out.
    MissingParent {
        /// The relation.
        relation: &'static str,
        /// The key of the row that is not here.
        parent: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { model, key, user, kind } = self;
        write!(f, "`{model}` {key}")?;
        if let Some(user) = user {
            write!(f, " of the user {user}")?;
        }
        match kind {
            ProblemKind::Unreadable { reason } => write!(f, " cannot be read: {reason}"),
            ProblemKind::Refused { writer, reason } => write!(f, " was refused from the user {writer}: {reason}"),
            ProblemKind::MissingParent { relation, parent } => {
                write!(f, " requires `{relation}` {parent}, which is not here")
            }
        }
    }
}
