//! [`Completeness`]: must an answer be complete?

use crate::Coverage;

/// Must the answer to a query be complete ([`Whole`]), or may it be what is here ([`InPart`], after `.partial()`)?
pub trait Completeness: 'static {
    /// What an answer of the type `T` becomes.
    type Out<T: Send + 'static>: Send + 'static;
    /// May it be incomplete?
    const PARTIAL: bool;
    /// Makes an answer of what was found.
    fn give<T: Send + 'static>(found: T, coverage: Coverage) -> Self::Out<T>;
}

/// The answer must be complete: else it is the error [`Incomplete`](crate::QueryError::Incomplete).
pub struct Whole;
impl Completeness for Whole {
    type Out<T: Send + 'static> = T;
    const PARTIAL: bool = false;
    fn give<T: Send + 'static>(found: T, _: Coverage) -> T {
        found
    }
}

/// The answer may be incomplete, and says how much was there to read: it is a [`Partial`].
pub struct InPart;
impl Completeness for InPart {
    type Out<T: Send + 'static> = Partial<T>;
    const PARTIAL: bool = true;
    fn give<T: Send + 'static>(found: T, coverage: Coverage) -> Partial<T> {
        Partial { rows: found, coverage }
    }
}

/// What the end of a query gives after `.partial()`: an answer from what is here, and how much that was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Partial<T> {
    /// The rows; of another end than `fetch`, what it would have given: a row, a page, a count, a figure.
    pub rows: T,
    /// How much was there to read.
    pub coverage: Coverage,
}
