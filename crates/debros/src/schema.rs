//! [`Records`]: what the log's floor is told of models.

use crate::{keys, registry::Registry};
use debros_core::{FieldDef, Map, ModelDef, Scope, StoreKind, UserId, Value, Writers, commits};
use debros_orbit::{DatabaseInfo, IndexRow, LastEvents, Schema, Verdict};
use debros_query::encode_key;
use debros_shard::Application;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// How deep into nested structs the fingerprint looks: one that holds itself would never end.
const SHAPE_DEPTH: u8 = 4;

/// What the log's floor is told of models: which records are rows, under which keys, and in which indexes.
pub(crate) struct Records {
    registry: Arc<Registry>,
    application: Application,
    /// The family of the database in which users announce themselves.
    users: String,
}

/// Everyone may write announcements, so this is what a hostile network can make a node keep: 16,384 rows of some hundred bytes, and
/// 65,536 entries, each of about a kilobyte if it is honest. An entry follows at most 256 heads where it is
/// written by a node of this kind, for which there is room.
const ANNOUNCEMENTS: LastEvents =
    LastEvents { value_bytes: 512, devices: 16, rows: 16_384, entry_bytes: 24 << 10, entries: 65_536 };

/// Grows when rows are kept in another way, so that state that was made the old way is made again.
const FORMAT: u32 = 1;

impl Records {
    pub(crate) fn new(registry: Arc<Registry>, application: Application) -> Records {
        let users = application.users_family();
        Records { registry, application, users }
    }

    fn model(&self, database: &DatabaseInfo) -> Option<&'static ModelDef> {
        self.registry.by_family(&self.application, &database.spec.family)
    }
}

impl Schema for Records {
    fn fingerprint(&self) -> Vec<u8> {
        let mut hash = Sha256::new_with_prefix(FORMAT.to_be_bytes());
        hash.update(self.application.name());
        let mut models = self.registry.families();
        models.sort_by_key(|model| model.stored);
        for model in models {
            let ModelDef { stored, scope, store, version, fields, key, indexes, .. } = model;
            hash.update(format!("{stored} {scope:?} {store:?} {version} {key:?} {indexes:?}\n"));
            for field in *fields {
                let FieldDef { name, kind, optional, shape, role, .. } = field;
                hash.update(format!("{name} {kind:?} {optional} {} {role:?}\n", shape(SHAPE_DEPTH)));
            }
        }
        hash.finalize().to_vec()
    }

    fn rows(&self, database: &DatabaseInfo, author: &str, record: &Map, _previous: Option<(&str, &Map)>) -> Verdict {
        let Some(model) = self.model(database) else {
            // another application, or version of this one, has this model; its indexes are made when that opens the folder
            return Verdict::Row(Vec::new());
        };
        if let Some(reason) = refusal(model, author, record) {
            return Verdict::Refused(reason);
        }
        match (model.check)(record) {
            Ok(()) => Verdict::Row(index_rows(model, record)),
            Err(error) => Verdict::Problem(error.to_string()),
        }
    }

    fn key(&self, database: &DatabaseInfo, key: &Value) -> Vec<u8> {
        match self.model(database) {
            Some(model) => encode_key(model, key),
            None => keys::encode_unknown(key),
        }
    }

    fn has_family(&self, database: &DatabaseInfo) -> bool {
        self.model(database).is_some_and(ModelDef::is_user_scoped)
    }

    fn keys_are_ids(&self, _: &DatabaseInfo) -> bool {
        true
    }

    fn owners_only(&self, database: &DatabaseInfo) -> bool {
        let model = self.model(database);
        model.is_some_and(|model| model.scope == Scope::Global(Writers::Owner))
    }

    fn keyed_events(&self, database: &DatabaseInfo) -> bool {
        self.model(database).is_some_and(|model| model.store == StoreKind::Events)
    }

    fn last_events(&self, database: &DatabaseInfo) -> Option<LastEvents> {
        (database.spec.family == self.users).then_some(ANNOUNCEMENTS)
    }

    fn commits(&self, _: &DatabaseInfo, author: &str, record: &Map) -> bool {
        author.parse().is_ok_and(|user| commits(record, &user))
    }
}

/// Why nobody but its owner may have written this record.
fn refusal(model: &ModelDef, author: &str, record: &Map) -> Option<String> {
    if model.scope != Scope::Global(Writers::Owner) {
        return None;
    }
    let user: Option<UserId> = author.parse().ok();
    match user {
        Some(user) if commits(record, &user) => None,
        _ => Some(format!(
            "`{}` is written by the owners of its records, and the id of this one is not of {author}",
            model.name
        )),
    }
}

fn index_rows(model: &ModelDef, record: &Map) -> Vec<IndexRow> {
    let rows = model.indexes.iter().enumerate();
    rows.map(|(at, index)| IndexRow {
        index: u16::try_from(at).expect("a model has fewer indexes than fields squared, and rustc's memory"),
        values: keys::index_values(model, index.fields, record).0,
    })
    .collect()
}
