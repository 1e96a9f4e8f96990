use super::{
    ChangeStream,
    reader::{Begin, Span, Subject},
};
use crate::Db;
use debros_core::{Expr, UserId, Value};
use debros_orbit::FeedPosition;
use debros_query::Reach;
use std::fmt;

/// What happens to the records of all models, and to links: [`Db::changes`] gives it, or `changes` of a session or view. What
/// [`Changes`](super::Changes) says holds here.
///
/// Records are told as they are stored: a map of their fields. A link is a record of `Model.field` with the two keys `l` and `r`.
#[derive(Clone)]
pub struct RecordChanges {
    db: Db,
    user: Option<UserId>,
    reach: Reach,
    span: Span,
}

impl RecordChanges {
    pub(super) fn new(db: &Db, user: Option<UserId>, reach: Reach) -> RecordChanges {
        RecordChanges { db: db.clone(), user, reach, span: Span::FUTURE }
    }

    /// What came behind this position: one that a stream, a change or [`Db::position`] gave. Without it, what comes from now on.
    #[must_use]
    pub fn from(mut self, position: &FeedPosition) -> RecordChanges {
        self.span.begin = Begin::Behind(*position);
        self
    }

    /// All that ever happened in this data folder, and what comes.
    #[must_use]
    pub fn from_beginning(mut self) -> RecordChanges {
        self.span.begin = Begin::Start;
        self
    }

    /// Only what is there when the stream begins: it does not wait for more, and however much is written meanwhile, it ends.
    #[must_use]
    pub fn until_now(mut self) -> RecordChanges {
        self.span.ends = true;
        self
    }

    /// The changes, one after the other. "From now on" begins when this is called.
    pub fn stream(&self) -> ChangeStream<Value> {
        let subject = Subject { model: None, filter: Expr::Always, reach: self.reach };
        ChangeStream::new(&self.db, self.user, subject, self.span, |model, record| {
            (model.check)(record).is_ok().then(|| Value::Map(record.clone()))
        })
    }
}

impl fmt::Debug for RecordChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RecordChanges { user, reach, span, .. } = self;
        f.debug_struct("RecordChanges")
            .field("user", user)
            .field("reach", reach)
            .field("span", span)
            .finish_non_exhaustive()
    }
}
