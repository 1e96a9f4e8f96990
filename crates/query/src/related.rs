//! [`Related`]: queries that begin at a row.

use crate::{Query, Unsorted};
use debros_core::{Bare, Model, Rel, RelOf, Relation, Row, World};

/// Queries that begin at a row: every row has them.
pub trait Related: Row {
    /// The rows that a relation of this row leads to, in every database held here.
    ///
    /// ```
    /// use debros_query::{Get, Related as _, oracle::{Memory, blog::User}};
    /// # futures::executor::block_on(async {
    /// # let me = Memory::blog();
    ///
    /// let alice = Get::<User>::new("alice").fetch(&me).await?.expect("she is there");
    /// let best = alice.related(|u| u.posts).order_by(|p| p.likes.desc()).first(&me).await?;
    /// assert_eq!(best.map(|post| post.likes), Some(30));
    /// # Ok::<(), debros_query::QueryError>(()) }).unwrap();
    /// ```
    fn related<R>(
        &self,
        relation: impl FnOnce(<Self::Model as Model>::Fields) -> Rel<R>,
    ) -> Query<R::Target, Bare, Unsorted, World>
    where
        R: Relation + RelOf<Self::Model>,
        Self: Sized,
    {
        Query::related_to(self, relation(Self::Model::FIELDS))
    }
}
impl<W: Row> Related for W {}
