//! [`Reader`]: reads a feed, and tells what happened to records.

use super::{ChangeKind, ChangesError, RowChange};
use crate::{
    Db,
    source::NodeSource,
    stores::{Rows, Stores},
};
use debros_core::{Expr, ID, Map, ModelDef, StoreKind, UserId, Value};
use debros_orbit::{Change, DatabaseId, DatabaseInfo, Feed, FeedPosition, ReadError, Snapshot};
use debros_query::{Executor, Reach, SourceError};
use debros_relation::Loader;
use std::collections::HashMap;

/// So many changes are read at once at most.
const MOST: usize = 256;

/// Whether a database is followed is remembered of so many.
const REMEMBERED: usize = 4096;

/// Which part of the feed a stream tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) begin: Begin,
    /// It ends when all was told that was there when it began.
    pub(super) ends: bool,
}

/// Where a stream begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Begin {
    Now,
    Start,
    Behind(FeedPosition),
}

impl Span {
    /// What comes from now on.
    pub(super) const FUTURE: Span = Span { begin: Begin::Now, ends: false };
}

/// What a stream is about.
pub(super) struct Subject {
    /// `None`: all models, and links.
    pub(super) model: Option<&'static ModelDef>,
    pub(super) filter: Expr,
    pub(super) reach: Reach,
}

/// Makes a row of a record; `None` if it does not decode.
pub(super) type Decode<R> = fn(&'static ModelDef, &Map) -> Option<R>;

/// Reads a feed, and tells what happened to records.
pub(super) struct Reader<R> {
    db: Db,
    pub(super) feed: Feed,
    pub(super) ends: bool,
    /// Everything before this was read.
    pub(super) at: FeedPosition,
    /// What went wrong behind that.
    failed: Option<ChangesError>,
    user: Option<UserId>,
    subject: Subject,
    decode: Decode<R>,
    /// The models of databases that are followed, and `None` for others.
    followed: HashMap<DatabaseId, Option<&'static ModelDef>>,
}

impl<R> Reader<R> {
    pub(super) fn new(
        db: &Db,
        user: Option<UserId>,
        subject: Subject,
        span: Span,
        decode: Decode<R>,
    ) -> Result<Reader<R>, ChangesError> {
        if let Some(model) = subject.model {
            if !db.stores().registry.knows(model) {
                return Err(ChangesError::UnknownModel { model: model.name });
            }
            if let Some(relation) = subject.filter.relation() {
                return Err(ChangesError::Relation { model: model.name, relation });
            }
        }
        let position = match span.begin {
            Begin::Now => db.node().feed_position()?,
            Begin::Start => db.node().feed_start()?,
            Begin::Behind(position) => position,
        };
        let mut feed = db.node().feed(&position)?;
        if span.ends {
            feed.end_now()?;
        }
        let (db, ends, at) = (db.clone(), span.ends, feed.position());
        Ok(Reader { db, feed, ends, at, failed: None, user, subject, decode, followed: HashMap::new() })
    }

    /// Is there an error that was not told yet?
    pub(super) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// The next changes; none, if nothing that was read is told.
    pub(super) fn read(&mut self) -> Result<Vec<RowChange<R>>, ChangesError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.followed.len() >= REMEMBERED {
            self.followed.clear();
        }
        let (stores, user) = (self.db.stores().clone(), self.user);
        let Reader { followed, subject, .. } = self;
        let batch = self.feed.read(MOST, |snapshot, info| {
            let model = match followed.get(&info.id) {
                Some(model) => *model,
                None => follows(&stores, snapshot, subject, user.as_ref(), info)?,
            };
            // one that is not here now may be here again
            if model.is_some() || subject.model.is_some_and(|model| !model.is_user_scoped()) {
                followed.insert(info.id, model);
            }
            Ok(model.is_some())
        })?;
        // taken after it was read, so that everything is in it
        let snapshot = self.db.snapshot()?;
        let source = NodeSource::new(&stores, &snapshot, user);
        let loader = Loader::new(&source, stores.registry.queries(), user);
        let teller =
            Teller { reader: self, stores: &stores, snapshot: &snapshot, executor: Executor::new(&source, &loader) };
        let (mut told, mut at, mut failed) = (Vec::new(), self.feed.position(), None);
        for change in &batch.changes {
            match teller.tell(change) {
                Ok(change) => told.extend(change),
                // what came before it is told first
                Err(error) => {
                    at = told.last().map_or(self.at, |change: &RowChange<R>| change.position);
                    failed = Some(error);
                    break;
                }
            }
        }
        self.at = at;
        match failed {
            Some(error) if told.is_empty() => return Err(error),
            failed => self.failed = failed,
        }
        Ok(told)
    }
}

/// Tells what changes mean, in one state of the node.
struct Teller<'r, R> {
    reader: &'r Reader<R>,
    stores: &'r Stores,
    snapshot: &'r Snapshot,
    executor: Executor<'r>,
}

impl<R> Teller<'_, R> {
    /// `None`: nothing to those who follow.
    fn tell(&self, change: &Change) -> Result<Option<RowChange<R>>, ChangesError> {
        let Some(model) = self.reader.followed.get(&change.database).copied().flatten() else { return Ok(None) };
        let after = self.row(model, change, change.value.as_ref())?;
        let before = self.row(model, change, self.reader.feed.former(change)?.as_ref())?;
        let kind = match (change.kind, before.is_some(), after.is_some()) {
            (_, false, false) => return Ok(None),
            (_, true, true) => ChangeKind::Updated,
            (debros_orbit::ChangeKind::Created, ..) => ChangeKind::Created,
            (debros_orbit::ChangeKind::Deleted, ..) => ChangeKind::Deleted,
            (debros_orbit::ChangeKind::Updated, false, true) => ChangeKind::Entered,
            (debros_orbit::ChangeKind::Updated, true, false) => ChangeKind::Left,
        };
        Ok(Some(RowChange {
            kind,
            row: after,
            before,
            key: change.key.clone(),
            model: model.name,
            owner: self.stores.databases.owner(self.snapshot, change.database)?,
            user: change.user.parse().map_err(SourceError::read)?,
            device: change.clock.id.to_string(),
            entry: change.entry.to_string(),
            clock: change.clock.time,
            local: change.is_local,
            position: change.position,
        }))
    }

    /// What a key holds, if it is a row that is asked for.
    fn row(&self, model: &'static ModelDef, change: &Change, value: Option<&Value>) -> Result<Option<R>, ChangesError> {
        let Some(Value::Map(record)) = value else { return Ok(None) };
        // such a record is no row, whatever is in it
        if model.store == StoreKind::Documents && *record.field(ID) != change.key {
            return Ok(None);
        }
        let Some(row) = (self.reader.decode)(model, record) else { return Ok(None) };
        let database = debros_query::DatabaseId(change.database.0);
        let holds = self.executor.holds(&self.reader.subject.filter, model, database, record)?;
        Ok(holds.then_some(row))
    }
}

/// The model of a database, if it is one whose changes are asked for: as queries choose theirs.
fn follows(
    stores: &Stores,
    snapshot: &Snapshot,
    subject: &Subject,
    user: Option<&UserId>,
    info: &DatabaseInfo,
) -> Result<Option<&'static ModelDef>, ReadError> {
    let Some(model) = stores.model_of(&info.spec.family) else { return Ok(None) };
    if subject.model.is_some_and(|wanted| wanted.path != model.path) {
        return Ok(None);
    }
    if subject.reach == Reach::Everywhere && model.is_user_scoped() {
        return Ok(Some(model));
    }
    let rows = Rows { stores, state: snapshot, opening: None };
    Ok(rows.of_user(model, user)?.contains(&info.id).then_some(model))
}
