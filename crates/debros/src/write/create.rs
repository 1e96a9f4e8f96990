//! [`Create`]: a record that waits to be written.

use super::{Changes, Writing, behaviour, operation::Operation};
use crate::{Session, WriteError};
use debros_core::{Codec, Hook, Insert, IntoValue, Model, Path, Seed, SettableAtCreation};
use std::future::IntoFuture;

/// A record that `.await` creates: `session.create(NewPost { .. }).set(|p| p.published, true).await?`.
#[must_use = "nothing is written without `.await`"]
pub struct Create<M> {
    session: Session,
    build: Box<dyn FnOnce(&Seed) -> M + Send>,
    changes: Changes,
}

impl<M: Model> Create<M> {
    pub(crate) fn new(session: Session, new: impl Insert<Model = M>) -> Create<M> {
        Create { session, build: Box::new(|seed| new.build(seed)), changes: Changes::default() }
    }

    /// Gives a field that is not in the `New..` struct, or has a default, a value.
    pub fn set<T, K: SettableAtCreation + Codec<T>>(
        mut self,
        field: impl FnOnce(M::Fields) -> Path<M, T, K>,
        value: impl IntoValue<T>,
    ) -> Create<M> {
        self.changes.set(field(M::FIELDS), value.into_value());
        self
    }
}

impl<M: Model> IntoFuture for Create<M> {
    type Output = Result<M, WriteError>;
    type IntoFuture = Writing<M>;

    fn into_future(self) -> Writing<M> {
        let Create { session, build, changes } = self;
        Writing::new(async move {
            let context = session.context();
            let [nonce] = behaviour::nonces::<1>()?;
            let (mut row, create) = behaviour::create(build, &changes.finish()?, nonce, &context)?;
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
