//! [`Session`]: a user at work.

use crate::{
    Batch, Create, Db, Durability, Identity, Update, WriteError, Writing,
    write::{Done, LinkRow, Operation, Target, delete, link_row},
};
use debros_core::{Changeable, HookContext, Insert, Linkable, Model, ModelOf, Rel, RelOf, Row, Timestamp, UserId};

/// A user at work: reads that user's own data and the global models, and writes as that user. A cheap clone.
#[derive(Clone, Debug)]
pub struct Session {
    db: Db,
    identity: Identity,
    durability: Durability,
}

impl Session {
    pub(crate) fn new(db: Db, identity: Identity, durability: Durability) -> Session {
        Session { db, identity, durability }
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The user.
    pub fn user(&self) -> UserId {
        self.identity.user()
    }

    /// The same session, whose writes are answered when they are as durable as this says.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Session {
        self.durability = durability;
        self
    }

    /// Creates a record.
    ///
    /// What `NewPost` does not have is filled in: the generated id, defaults, times, the owner; `.set(..)` sets more. What comes back is
    /// the record as it is stored.
    pub fn create<N: Insert>(&self, new: N) -> Create<N::Model> {
        Create::new(self.clone(), new)
    }

    /// Changes the fields that `.set(..)` names, and no others, whatever copy of the row is given.
    pub fn update<W: Row<Model: Changeable>>(&self, row: &W) -> Update<W::Model> {
        Update::new(self.clone(), row.row())
    }

    /// Deletes a record, with this user's own links to and from it.
    ///
    /// # Errors
    /// If it is not there ([`WriteError::NotFound`]) or not this user's, or a row that is held here requires it.
    pub fn delete<W: Row<Model: Changeable>>(&self, row: &W) -> Writing<()> {
        Writing::new(delete::<W::Model>(self.clone(), Target::of(row.row())))
    }

    /// Links two rows of a many_to_many. To link what is linked does nothing.
    ///
    /// # Errors
    /// If one of the rows is not there, or a link by this user would not count: links are made by the owner of a user-scoped
    /// row at one of the ends, or, between global models, by whoever may write the side without `inverse`.
    pub fn link<W: Row, R: Linkable + RelOf<W::Model>, T>(
        &self,
        from: &W,
        relation: impl FnOnce(<W::Model as Model>::Fields) -> Rel<R>,
        to: &T,
    ) -> Writing<()>
    where
        R::Target: ModelOf<T>,
    {
        let _: Rel<R> = relation(W::Model::FIELDS);
        let (session, link) = (self.clone(), link_row::<W, R, T>(self, from, to));
        Writing::new(async move {
            session.link_rows(link?, Operation::Link).await?;
            Ok(())
        })
    }

    /// Takes this user's link between two rows away. False: there was none.
    ///
    /// # Errors
    /// If the rows are linked by another user only ([`WriteError::NotYours`]).
    pub fn unlink<W: Row, R: Linkable + RelOf<W::Model>, T>(
        &self,
        from: &W,
        relation: impl FnOnce(<W::Model as Model>::Fields) -> Rel<R>,
        to: &T,
    ) -> Writing<bool>
    where
        R::Target: ModelOf<T>,
    {
        let _: Rel<R> = relation(W::Model::FIELDS);
        let (session, link) = (self.clone(), link_row::<W, R, T>(self, from, to));
        Writing::new(async move { Ok(session.link_rows(link?, Operation::Unlink).await? > 0) })
    }

    async fn link_rows(&self, link: LinkRow, operation: fn(LinkRow) -> Operation) -> Result<u64, WriteError> {
        let done = self.write(self.context(), vec![operation(link)]).await?;
        Ok(done.iter().map(|done| done.count).sum())
    }

    /// Several writes in one commit, all or nothing.
    pub fn batch(&self) -> Batch {
        Batch::new(self.clone())
    }

    /// Who writes, and when: what hooks are told.
    pub(crate) fn context(&self) -> HookContext {
        HookContext { user: self.user(), now: Timestamp::now() }
    }

    /// Writes operations in one commit, all or nothing.
    pub(crate) async fn write(
        &self,
        context: HookContext,
        operations: Vec<Operation>,
    ) -> Result<Vec<Done>, WriteError> {
        self.db.write(&self.identity, self.durability, context, operations).await
    }
}
