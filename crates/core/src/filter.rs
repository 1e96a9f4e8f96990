//! [`Filter`] and [`Sort`]: predicates and orders, tied to their model.

use crate::{Expr, SortKey};
use std::{
    fmt,
    marker::PhantomData,
    ops::{BitAnd, BitOr, Not},
};

/// A predicate over the rows of the model `M`: a value that can be kept, cloned, and joined with `&`, `|` and `!`.
pub struct Filter<M>(Expr, PhantomData<fn() -> M>);

impl<M> Filter<M> {
    /// The predicate of this expression.
    pub fn new(expr: Expr) -> Filter<M> {
        Filter(expr, PhantomData)
    }

    /// The predicate that holds for every row: where a filter is built in a loop, this is its beginning.
    pub fn always() -> Filter<M> {
        Filter::new(Expr::Always)
    }

    /// The predicate as data.
    pub fn into_expr(self) -> Expr {
        self.0
    }

    /// The predicate as data.
    pub fn expr(&self) -> &Expr {
        &self.0
    }
}

impl<M> Clone for Filter<M> {
    fn clone(&self) -> Filter<M> {
        Filter::new(self.0.clone())
    }
}
impl<M> fmt::Debug for Filter<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
/// What may stand where a predicate over the rows of `M` is wanted: one, or a reference to one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no predicate of `{M}`",
    label = "expected a predicate that begins at a field of `{M}`"
)]
pub trait IntoFilter<M> {
    /// The predicate.
    fn into_filter(self) -> Filter<M>;
}
impl<M> IntoFilter<M> for Filter<M> {
    fn into_filter(self) -> Filter<M> {
        self
    }
}
impl<M> IntoFilter<M> for &Filter<M> {
    fn into_filter(self) -> Filter<M> {
        self.clone()
    }
}
impl<M> Not for Filter<M> {
    type Output = Filter<M>;
    fn not(self) -> Filter<M> {
        Filter::new(match self.0 {
            Expr::Not(inner) => *inner,
            other => Expr::Not(Box::new(other)),
        })
    }
}
impl<M> BitAnd for Filter<M> {
    type Output = Filter<M>;
    fn bitand(self, other: Filter<M>) -> Filter<M> {
        Filter::new(self.0.and(other.0))
    }
}
impl<M> BitOr for Filter<M> {
    type Output = Filter<M>;
    fn bitor(self, other: Filter<M>) -> Filter<M> {
        Filter::new(self.0.or(other.0))
    }
}

/// An order of the rows of the model `M`. Rows that tie go by key.
pub struct Sort<M>(Vec<SortKey>, PhantomData<fn() -> M>);

impl<M> Sort<M> {
    /// By one column.
    pub fn new(key: SortKey) -> Sort<M> {
        Sort(vec![key], PhantomData)
    }

    /// Rows that tie in this order go by the next.
    #[must_use]
    pub fn then(mut self, next: Sort<M>) -> Sort<M> {
        self.0.extend(next.0);
        self
    }

    /// The order as data.
    pub fn into_keys(self) -> Vec<SortKey> {
        self.0
    }
}
impl<M> Clone for Sort<M> {
    fn clone(&self) -> Sort<M> {
        Sort(self.0.clone(), PhantomData)
    }
}
impl<M> fmt::Debug for Sort<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
