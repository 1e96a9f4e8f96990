//! [`Resolver`]: what a query needs to know about relations.

use crate::{Coverage, DatabaseId, QueryError, Reach};
use debros_core::{Expr, IncludeSpec, Included, Map, ModelDef, Quantifier};

/// A row that a query found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The database that holds it.
    pub database: DatabaseId,
    /// Its encoded key.
    pub key: Vec<u8>,
    /// The record as stored.
    pub record: Map,
}

/// A predicate on the rows that a relation leads to: [`Expr::Related`], taken apart.
#[derive(Clone, Copy, Debug)]
pub struct RelatedExpr<'e> {
    /// The model that has the relation.
    pub model: &'static ModelDef,
    /// The relation's name.
    pub relation: &'static str,
    /// On which of the rows.
    pub quantifier: Quantifier,
    /// The predicate.
    pub expr: &'e Expr,
    /// Only rows in the asking user's own stores.
    pub mine: bool,
}

/// Found rows, one by one, read as they are asked for.
pub type FoundRows<'a> = Box<dyn Iterator<Item = Result<Found, QueryError>> + 'a>;

/// The rows that a relation of one row leads to.
pub enum Reached<'a> {
    /// Those that match, in these databases.
    Matching(Expr, Reach),
    /// These, in any order, each once.
    Rows(FoundRows<'a>),
}

/// What a query needs to know about relations. `debros-relation` implements it; one value serves one query on one
/// snapshot, so it may remember what it read.
pub trait Resolver {
    /// Does the predicate hold for the rows that the relation of this row leads to?
    ///
    /// # Errors
    /// If they cannot be read.
    fn holds(&self, related: RelatedExpr<'_>, database: DatabaseId, record: &Map) -> Result<bool, QueryError>;

    /// A predicate on the model's own fields that every row has for which `related` holds, if there is one that an
    /// index answers and few rows have. The executor still asks [`Resolver::holds`].
    ///
    /// # Errors
    /// If the other side cannot be read.
    fn narrow(&self, related: RelatedExpr<'_>) -> Result<Option<Expr>, QueryError>;

    /// The rows that a relation of one row leads to.
    ///
    /// # Errors
    /// If they cannot be read.
    fn reached(&self, from: &'static ModelDef, relation: &'static str, record: &Map)
    -> Result<Reached<'_>, QueryError>;

    /// Loads what `includes` asks for with each of these rows, and leaves out the rows that require one that is not
    /// here.
    ///
    /// # Errors
    /// If the other side cannot be read.
    fn attach(
        &self,
        model: &'static ModelDef,
        rows: Vec<Found>,
        includes: &[IncludeSpec],
        coverage: &mut Coverage,
    ) -> Result<Vec<(Found, Vec<Included>)>, QueryError>;

    /// Which of these rows are left out by `includes`, without loading more than that takes: true, if the row stays.
    ///
    /// # Errors
    /// If the other side cannot be read.
    fn keeps(
        &self,
        model: &'static ModelDef,
        rows: &[&Found],
        includes: &[IncludeSpec],
    ) -> Result<Vec<bool>, QueryError>;
}
