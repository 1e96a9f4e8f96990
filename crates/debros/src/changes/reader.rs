//! [`Reader`]: reads a feed, and tells what happened to records.

use super::{ChangeKind, ChangesError, RowChange};
use crate::{
    Db,
    source::NodeSource,
    stores::{Rows, Stores},
};
use debros_core::{Expr, ID, Map, ModelDef, StoreKind, UserId, Value};
use debros_orbit::{DatabaseId, DatabaseInfo, Feed, FeedPosition, ReadError, Snapshot};
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
    /// It ends when all was told that is there.
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
        let feed = db.node().feed(&position)?;
        Ok(Reader { db: db.clone(), feed, ends: span.ends, user, subject, decode, followed: HashMap::new() })
    }

    /// The next changes; none, if nothing that was read is told.
    pub(super) fn read(&mut self) -> Result<Vec<RowChange<R>>, ChangesError> {
        let Reader { db, feed, user, subject, decode, followed, .. } = self;
        let (stores, snapshot) = (db.stores().clone(), db.snapshot()?);
        if followed.len() >= REMEMBERED {
            followed.clear();
        }
        let mut failed = None;
        let batch = feed.read(MOST, |info| {
            let known = followed.get(&info.id).copied();
            let model = known.map_or_else(|| follows(&stores, &snapshot, subject, user.as_ref(), info), Ok);
            match model {
                Ok(model) => {
                    followed.insert(info.id, model);
                    model.is_some()
                }
                Err(error) => {
                    failed = Some(error);
                    true
                }
            }
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        // later than what was read, so that everything is in it
        let snapshot = db.snapshot()?;
        let source = NodeSource::new(&stores, &snapshot, *user);
        let loader = Loader::new(&source, stores.registry.queries(), *user);
        let executor = Executor::new(&source, &loader);
        let row = |model: &'static ModelDef, change: &debros_orbit::Change, value: Option<&Value>| {
            let Some(Value::Map(record)) = value else { return Ok(None) };
            // as the log's floor has it
            if model.store == StoreKind::Documents && *record.field(ID) != change.key {
                return Ok(None);
            }
            let Some(row) = decode(model, record) else { return Ok(None) };
            let database = debros_query::DatabaseId(change.database.0);
            let holds = executor.holds(&subject.filter, model, database, record)?;
            Ok::<_, ChangesError>(holds.then_some(row))
        };
        let mut rows = Vec::with_capacity(batch.changes.len());
        for change in &batch.changes {
            let Some(model) = followed.get(&change.database).copied().flatten() else { continue };
            let after = row(model, change, change.value.as_ref())?;
            let before = row(model, change, feed.former(change)?.as_ref())?;
            let kind = match (change.kind, before.is_some(), after.is_some()) {
                (_, false, false) => continue,
                (_, true, true) => ChangeKind::Updated,
                (debros_orbit::ChangeKind::Created, ..) => ChangeKind::Created,
                (debros_orbit::ChangeKind::Deleted, ..) => ChangeKind::Deleted,
                (_, false, true) => ChangeKind::Entered,
                (_, true, false) => ChangeKind::Left,
            };
            rows.push(RowChange {
                kind,
                row: after,
                before,
                key: change.key.clone(),
                model: model.name,
                owner: stores.databases.owner(&snapshot, change.database)?,
                user: change.user.parse().map_err(SourceError::read)?,
                device: change.clock.id.to_string(),
                entry: change.entry.to_string(),
                clock: change.clock.time,
                local: change.is_local,
                position: change.position,
            });
        }
        Ok(rows)
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
