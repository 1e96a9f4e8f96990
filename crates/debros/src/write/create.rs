//! [`Create`]: a record that waits to be written.

use super::{Changes, Writing, behaviour, operation::Operation};
use crate::{Session, WriteError};
use debros_core::{Codec, Hook, Insert, IntoValue, Model, Path, SettableAtCreation};
use std::future::IntoFuture;

/// A record that `.await` creates: `session.create(NewPost { .. }).set(|p| p.published, true).await?`.
#[must_use = "nothing is written without `.await`"]
pub struct Create<N: Insert> {
    session: Session,
    new: N,
    changes: Changes,
}

impl<N: Insert> Create<N> {
    pub(crate) fn new(session: Session, new: N) -> Create<N> {
        Create { session, new, changes: Changes::default() }
    }

    /// Gives a field that is not in the `New..` struct, or has a default, a value.
    pub fn set<T, K: SettableAtCreation + Codec<T>>(
        mut self,
        field: impl FnOnce(<N::Model as Model>::Fields) -> Path<N::Model, T, K>,
        value: impl IntoValue<T>,
    ) -> Create<N> {
        self.changes.set(field(N::Model::FIELDS), value.into_value());
        self
    }
}

impl<N: Insert> IntoFuture for Create<N> {
    type Output = Result<N::Model, WriteError>;
    type IntoFuture = Writing<N::Model>;

    fn into_future(self) -> Writing<N::Model> {
        let Create { session, new, changes } = self;
        Writing::new(async move {
            let context = session.context();
            let [nonce] = behaviour::nonces::<1>()?;
            let (mut row, create) = behaviour::create(new, &changes.finish()?, nonce, &context)?;
            session.write(context, vec![Operation::Create(create)]).await?;
            after_create(&mut row, &context);
            Ok(row)
        })
    }
}

/// Runs the hook after a record was created.
pub(crate) fn after_create<M: Model>(row: &mut M, context: &debros_core::HookContext) {
    if M::HOOKS {
        // what an `after_` hook returns is always Ok
        let _ = row.hook(Hook::AfterCreate, context);
    }
}
