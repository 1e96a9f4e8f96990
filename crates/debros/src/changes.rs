//! [`Changes`]: what happens to records, as streams.

mod change_stream;
mod changes_error;
mod follow;
mod reader;
mod record_changes;
mod row_change;

pub use self::{
    change_stream::ChangeStream,
    changes_error::ChangesError,
    follow::Follow,
    record_changes::RecordChanges,
    row_change::{ChangeKind, RowChange},
};

use crate::{Db, Session, View};
use debros_core::{Expr, Filter, IntoFilter, Map, Model, World};
use debros_orbit::FeedPosition;
use debros_query::{Reach, Reads};
use reader::{Begin, Span, Subject};
use std::{fmt, marker::PhantomData};

/// What happens to the records of the model `M`; `Post::changes()` is it. It says what is wanted; a handle, given to
/// [`Changes::stream`], says who asks: as with queries, a session or a view is told of its user's records and the global ones, and of
/// everybody's that are held here with [`Changes::everywhere`].
///
/// What was written here and what came from peers is told alike, in the one order in which it came about in this data folder. A
/// write that lost against a newer one, or was refused, changes nothing and is not told.
///
/// ```
/// # use debros::prelude::*;
/// # #[model(scope = user)]
/// # #[derive(Debug, Clone)]
/// # pub struct Post {
/// #     #[field(key)]
/// #     pub id: Id<Post>,
/// #     pub title: String,
/// #     #[field(default = false)]
/// #     pub published: bool,
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> debros::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// let db = Db::open(folder.path(), "blog", models![Post]).await?;
/// let me = db.session(&db.identity("alice").await?);
///
/// let mut changes = Post::changes().filter(|p| p.published.eq(true)).stream(&me);
/// let post = me.create(NewPost { title: "Hi".into() }).await?;
/// me.update(&post).set(|p| p.published, true).await?;
/// me.update(&post).set(|p| p.published, false).await?;
///
/// let change = changes.next().await.expect("the database is open")?;
/// assert_eq!((change.kind, change.user), (ChangeKind::Entered, me.user()));
/// assert_eq!(change.row.expect("it matches").title, "Hi");
/// let change = changes.next().await.expect("the database is open")?;
/// assert_eq!((change.kind, change.row.is_none()), (ChangeKind::Left, true));
/// # db.close().await?;
/// # Ok(()) }
/// ```
pub struct Changes<M: Model, C = <M as Model>::Scope> {
    filter: Expr,
    reach: Reach,
    span: Span,
    types: PhantomData<fn() -> (M, C)>,
}

impl<M: Model> Changes<M> {
    /// All changes of the model, from now on.
    pub fn new() -> Changes<M> {
        Changes { filter: Expr::Always, reach: Reach::Own, span: Span::FUTURE, types: PhantomData }
    }
}

impl<M: Model> Default for Changes<M> {
    fn default() -> Changes<M> {
        Changes::new()
    }
}

impl<M: Model, C> Clone for Changes<M, C> {
    fn clone(&self) -> Changes<M, C> {
        Changes { filter: self.filter.clone(), reach: self.reach, span: self.span, types: PhantomData }
    }
}

impl<M: Model, C> fmt::Debug for Changes<M, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Changes { filter, reach, span, .. } = self;
        f.debug_struct("Changes")
            .field("model", &M::DEF.name)
            .field("filter", filter)
            .field("reach", reach)
            .field("span", span)
            .finish()
    }
}

impl<M: Model, C> Changes<M, C> {
    /// Only of records for which the predicate holds. Several add up: all must hold.
    ///
    /// A record that begins to match is told as [`ChangeKind::Entered`], one that ceases to as [`ChangeKind::Left`]. The predicate looks at
    /// the record alone, as it was then: one that goes through a relation is refused by the stream, since nothing tells what the other
    /// record was then.
    #[must_use]
    pub fn filter(self, filter: impl FnOnce(M::Fields) -> Filter<M>) -> Changes<M, C> {
        self.matching(filter(M::FIELDS))
    }

    /// Only of records for which the predicate holds: a value that was made before.
    #[must_use]
    pub fn matching(mut self, filter: impl IntoFilter<M>) -> Changes<M, C> {
        self.filter = self.filter.and(filter.into_filter().into_expr());
        self
    }

    /// What came behind this position: one that a stream, a change or [`Db::position`] gave. Without it, what comes from now on.
    #[must_use]
    pub fn from(mut self, position: &FeedPosition) -> Changes<M, C> {
        self.span.begin = Begin::Behind(*position);
        self
    }

    /// All that ever happened in this data folder, and what comes.
    #[must_use]
    pub fn from_beginning(mut self) -> Changes<M, C> {
        self.span.begin = Begin::Start;
        self
    }

    /// Only what is there when the stream begins: it does not wait for more, and however much is written meanwhile, it ends.
    #[must_use]
    pub fn until_now(mut self) -> Changes<M, C> {
        self.span.ends = true;
        self
    }

    /// In the databases of all users, as far as they are held here, and not those of one.
    #[must_use]
    pub fn everywhere(self) -> Changes<M, World> {
        Changes { filter: self.filter, reach: Reach::Everywhere, span: self.span, types: PhantomData }
    }

    /// The changes, one after the other. "From now on" begins when this is called.
    ///
    /// A stream costs nothing while nothing is written, and keeps nothing but the commit that it is in. One that is read slowly misses
    /// nothing. It keeps the database open, as a session does, and ends when that is closed.
    pub fn stream<H: Reads<C> + Follow>(self, handle: &H) -> ChangeStream<M> {
        let subject = Subject { model: Some(M::DEF), filter: self.filter, reach: self.reach };
        ChangeStream::new(handle.db(), handle.user(), subject, self.span, |_, record: &Map| M::decode(record).ok())
    }
}

impl Db {
    /// The place in the feed of changes behind everything that is here now. Who takes it, then reads, and then follows from it misses
    /// nothing in between.
    ///
    /// # Errors
    /// If the database was closed.
    pub fn position(&self) -> Result<FeedPosition, ChangesError> {
        Ok(self.node().feed_position().map_err(debros_orbit::ReadError::from)?)
    }

    /// What happens to the records of all models that are held here, and to links.
    pub fn changes(&self) -> RecordChanges {
        RecordChanges::new(self, None, Reach::Everywhere)
    }
}

impl Session {
    /// What happens to the records of all models, of this user and global ones, and to this user's links.
    pub fn changes(&self) -> RecordChanges {
        RecordChanges::new(self.db(), Some(self.user()), Reach::Own)
    }
}

impl View {
    /// What happens to the records of all models, of this user and global ones, and to this user's links.
    pub fn changes(&self) -> RecordChanges {
        RecordChanges::new(self.db(), Some(self.user()), Reach::Own)
    }
}
