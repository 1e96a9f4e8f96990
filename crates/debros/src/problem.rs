//! [`Problem`]: a stored record that typed queries leave out.

use crate::{
    Db, keys,
    registry::index_of,
    source,
    stores::{Key, Rows},
};
use debros_core::{ID, RelationKind, UserId};
use debros_orbit::{ReadDocuments as _, ReadError, Snapshot};
use debros_query::{Reach, SourceError};
use std::{collections::HashMap, fmt};

/// A stored record that typed queries leave out, or leave out of some. Nothing is lost: it stays in its log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The model's name, or `Model.relation` for a link.
    pub model: String,
    /// The record's key.
    pub key: String,
    /// The user whose record it is, if the model is user-scoped.
    pub user: Option<UserId>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// It does not decode into its model, so that no query gives it.
    Unreadable {
        /// Why: `` `Post.title` holds an integer where the model has text``.
        reason: String,
    },
    /// Its writer may not put it there, and what was there before stays.
    Refused {
        /// The user who tried.
        writer: String,
        /// Why.
        reason: String,
    },
    /// An event whose key another event has that comes before it, and is the row.
    Duplicate {
        /// The user who wrote it.
        writer: String,
    },
    /// A row that it requires is not held here, so that queries with `.with(..)` of that relation leave it out.
    MissingParent {
        /// The relation.
        relation: &'static str,
        /// The key of the row that is not here.
        parent: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { model, key, user, kind } = self;
        write!(f, "`{model}` {key}")?;
        if let Some(user) = user {
            write!(f, " of the user {user}")?;
        }
        match kind {
            ProblemKind::Unreadable { reason } => write!(f, " cannot be read: {reason}"),
            ProblemKind::Refused { writer, reason } => write!(f, " was refused from the user {writer}: {reason}"),
            ProblemKind::Duplicate { writer } => {
                write!(f, " was written once more, by the user {writer}: the first event with a key stays")
            }
            ProblemKind::MissingParent { relation, parent } => {
                write!(f, " requires `{relation}` {parent}, which is not here")
            }
        }
    }
}

/// All of them. Reads the indexes of all required relations.
pub(crate) fn find(db: &Db) -> Result<Vec<Problem>, SourceError> {
    let snapshot = db.snapshot().map_err(|error| source::error(error.into()))?;
    let mut problems = Vec::new();
    unreadable(db, &snapshot, &mut problems).map_err(source::error)?;
    orphans(db, &snapshot, &mut problems).map_err(source::error)?;
    Ok(problems)
}

/// What does not decode, what was refused, and events that were written twice.
fn unreadable(db: &Db, snapshot: &Snapshot, problems: &mut Vec<Problem>) -> Result<(), ReadError> {
    for problem in snapshot.problems(None) {
        let problem = problem?;
        let info = snapshot.info(problem.database)?;
        let model = db.stores().model_of(&info.spec.family);
        let record = snapshot.load(problem.position)?;
        problems.push(Problem {
            model: model.map_or_else(|| info.spec.family.clone(), |model| model.name.to_owned()),
            key: keys::text_of(&record),
            user: db.stores().databases.owner(snapshot, problem.database)?,
            kind: match problem.kind {
                debros_orbit::ProblemKind::Held => ProblemKind::Unreadable { reason: problem.reason },
                debros_orbit::ProblemKind::Refused => {
                    ProblemKind::Refused { writer: problem.author, reason: problem.reason }
                }
                debros_orbit::ProblemKind::Duplicate => ProblemKind::Duplicate { writer: problem.author },
            },
        });
    }
    Ok(())
}

/// Rows whose required parents are not here. One lookup for each different reference.
fn orphans(db: &Db, snapshot: &Snapshot, problems: &mut Vec<Problem>) -> Result<(), ReadError> {
    let stores = db.stores();
    let rows = Rows { stores, state: snapshot, opening: None };
    for &model in stores.registry.models() {
        let required =
            model.relations.iter().filter(|relation| relation.kind == RelationKind::BelongsTo && !relation.optional);
        for relation in required {
            let Some(target) = stores.registry.get(relation.target) else { continue };
            let Some(index) = index_of(model, relation) else { continue };
            for database in rows.everywhere(model)? {
                let home = rows.owner(database)?;
                let mut known: HashMap<Vec<u8>, bool> = HashMap::new();
                for row in snapshot.scan_index(database, index, &[], None, false) {
                    let row = row?;
                    // rows come in the order of the index, so a reference is looked up once in a row
                    if known.get(row.values()) == Some(&true) {
                        continue;
                    }
                    let record = snapshot.load(row.position)?;
                    let Some(parent) = keys::parent_key(model, relation, &record) else { continue };
                    let found = rows.locate(target, &Key::of(target, &parent), Reach::Everywhere, home.as_ref())?;
                    let is_here = found.is_some_and(|found| found.document.problem.is_none());
                    known.clear();
                    known.insert(row.values().to_vec(), is_here);
                    if !is_here {
                        problems.push(Problem {
                            model: model.name.to_owned(),
                            key: keys::text(record.field(ID)),
                            user: home,
                            kind: ProblemKind::MissingParent { relation: relation.name, parent: keys::text(&parent) },
                        });
                    }
                }
            }
        }
    }
    Ok(())
}
