//! [`QueryError`]: why a query has no answer.

use crate::{Coverage, SourceError};
use debros_core::{DecodeError, EncodeError};

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// `one` found no row.
    #[error("no `{model}` matches; `.first(..)` gives an `Option` instead")]
    NotFound {
        /// The model's name.
        model: &'static str,
    },
    /// `one` found more than one row.
    #[error("more than one `{model}` matches; narrow the filter, or take the `.first(..)`")]
    SeveralFound {
        /// The model's name.
        model: &'static str,
    },
    /// Not everything that the query asks for is held here.
    #[error("the answer would not be complete: {0}; `.partial()` takes what is here")]
    Incomplete(Coverage),
    /// A sum left the range of its type.
    #[error("the sum of `{model}.{field}` does not fit its type; sum smaller groups, or take the average")]
    Overflow {
        /// The model's name.
        model: &'static str,
        /// The field's name.
        field: &'static str,
    },
    /// A field holds what cannot be added up.
    #[error("`{model}.{field}` holds {found}, which cannot be added up")]
    NotANumber {
        /// The model's name.
        model: &'static str,
        /// The field's name.
        field: &'static str,
        /// What it holds.
        found: &'static str,
    },
    /// The model has no such field.
    #[error("`{model}` has no field `{field}`: the query was made for another version of the model")]
    UnknownField {
        /// The model's name.
        model: &'static str,
        /// The name asked for.
        field: String,
    },
    /// The model has no such relation.
    #[error("`{model}` has no relation `{relation}`: the query was made for another version of the model")]
    UnknownRelation {
        /// The model's name.
        model: &'static str,
        /// The name asked for.
        relation: String,
    },
    /// A relation leads to a model that the database was not opened with.
    #[error(
        "`{model}.{relation}` leads to `{target}`, which is not in the list that the database was opened with; add it to `models![..]`"
    )]
    UnknownModel {
        /// The model's name.
        model: &'static str,
        /// The relation's name.
        relation: &'static str,
        /// The path of the model that it leads to.
        target: &'static str,
    },
    /// A value in the query, or the row whose relation it follows, has no stored form.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A stored row does not decode into its model.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The databases could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The handle gave an answer of another kind than was asked for.
    #[error("a query on `{model}` was answered with {found}; the handle's `execute` is wrong")]
    WrongAnswer {
        /// The model's name.
        model: &'static str,
        /// What was answered.
        found: &'static str,
    },
}
