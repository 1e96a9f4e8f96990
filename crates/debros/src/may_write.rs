//! [`MayWrite`]: which handles write records. The others have the same methods, whose only job is to say who does.

use crate::{Batch, Create, Db, Session, Update, View, Writing};
use debros_core::{Insert, Model, Rel, Row};

/// Handles that write records: a [`Session`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot write",
    label = "only a session writes: `db.session(&identity)`"
)]
pub trait MayWrite<I> {}
impl MayWrite<()> for Session {}

macro_rules! cannot_write {
    ($($handle:ident)*) => { $(
        #[doc(hidden)]
        impl $handle {
            pub fn create<N: Insert, I>(&self, _: N) -> Create<N::Model> where Self: MayWrite<I> {
                unreachable!()
            }
            pub fn update<W: Row, I>(&self, _: &W) -> Update<W::Model> where Self: MayWrite<I> {
                unreachable!()
            }
            pub fn delete<W: Row, I>(&self, _: &W) -> Writing<()> where Self: MayWrite<I> {
                unreachable!()
            }
            pub fn link<W: Row, R, T, I>(
                &self,
                _: &W,
                _: impl FnOnce(<W::Model as Model>::Fields) -> Rel<R>,
                _: &T,
            ) -> Writing<()>
            where
                Self: MayWrite<I>,
            {
                unreachable!()
            }
            pub fn unlink<W: Row, R, T, I>(
                &self,
                _: &W,
                _: impl FnOnce(<W::Model as Model>::Fields) -> Rel<R>,
                _: &T,
            ) -> Writing<bool>
            where
                Self: MayWrite<I>,
            {
                unreachable!()
            }
            pub fn batch<I>(&self) -> Batch where Self: MayWrite<I> {
                unreachable!()
            }
        }
    )* };
}
cannot_write!(Db View);
