//! The engine against a naive oracle: generated schemas, data and queries, on any number of shards and users, with and without
//! indexes.

use crate::Db;
use debros_core::{ID, ModelDef, Models, UserId, Value};
use debros_orbit::{Identity, SigningKey};
use debros_query::{
    End, Execute as _, Outcome, QueryError, QuerySpec, Start, encode_key,
    oracle::{Case, CaseRow, Change, cases, walks},
};
use debros_shard::{Opening, Place, shard_of_record};
use proptest::{prelude::*, test_runner::Config};
use std::sync::OnceLock;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The identity of a user of a case, and the user.
fn user(number: u8) -> &'static (Identity, UserId) {
    static USERS: [OnceLock<(Identity, UserId)>; 256] = [const { OnceLock::new() }; 256];
    USERS[usize::from(number)].get_or_init(|| {
        let key = || SigningKey::generate().unwrap();
        let identity = Identity::new(&key(), key());
        let id = identity.id().parse().unwrap();
        (identity, id)
    })
}

/// A database in a folder of its own.
struct Engine {
    db: Db,
    runtime: Runtime,
    _folder: TempDir,
}

impl Engine {
    fn new(tables: &[&'static ModelDef]) -> Engine {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let models = Models::new(Vec::leak(tables.to_vec()));
        let db = runtime.block_on(Db::open(folder.path(), "oracle", models)).unwrap();
        Engine { db, runtime, _folder: folder }
    }

    /// Writes rows past the rules, as other writers may: parents can be missing.
    fn change(&self, tables: &[&'static ModelDef], changes: Vec<Change>) {
        let (tables, stores) = (tables.to_vec(), self.db.stores().clone());
        let job = move |writer: &mut debros_orbit::Writer<'_>| -> Result<(), debros_orbit::WriteError> {
            let opening = Opening::new(&stores.databases);
            for change in changes {
                let (Change::Insert(row) | Change::Remove(row)) = &change;
                let model = tables[row.table];
                let shard = shard_of_record(model, &row.record).unwrap();
                let (identity, id) = user(row.owner.unwrap_or(0));
                let place = Place::new(model, Some(id), shard).unwrap();
                let database = opening.create(writer, &place).unwrap();
                let key = row.record.field(ID);
                match change {
                    Change::Insert(row) => drop(writer.put(database, identity, row.record)?),
                    Change::Remove(_) => {
                        use debros_orbit::ReadDocuments as _;
                        if writer.get(database, &encode_key(model, key))?.is_some() {
                            writer.del(database, identity, key.clone())?;
                        }
                    }
                }
            }
            Ok(())
        };
        self.runtime.block_on(self.db.node().write(debros_orbit::Durability::Buffered, job)).unwrap();
    }

    fn execute(&self, me: Option<u8>, spec: &QuerySpec, end: &End) -> Result<Outcome, QueryError> {
        let (spec, end) = (spec.clone(), end.clone());
        self.runtime.block_on(async {
            match me {
                None => self.db.execute(spec, end).await,
                Some(me) => self.db.view(user(me).1).execute(spec, end).await,
            }
        })
    }
}

/// Keys that OrbitDB's documents databases take for none are never stored.
fn is_storable(row: &CaseRow) -> bool {
    !matches!(row.record.field(ID), Value::Null | Value::Bool(false) | Value::Int(0))
        && row.record.field(ID).as_text() != Some("")
}

/// The oracle takes every reference at its word. Here a natural key of a user-scoped model is no word for anybody but its
/// user: a global row, as all that lead to the first model are, means none.
fn is_taken_at_its_word(case: &Case) -> bool {
    let names = |what: String, relation: &str| what.contains(&format!("{relation:?}"));
    let QuerySpec { start, filter, includes, .. } = &case.spec;
    let leads =
        names(format!("{filter:?} {includes:?}"), "kids") || matches!(start, Start::Related { relation: "row", .. });
    !(case.tables[0].is_user_scoped() && leads)
}

fn answer(case: &Case) -> Result<Outcome, QueryError> {
    let engine = Engine::new(&case.tables);
    engine.change(&case.tables, case.rows.iter().cloned().map(Change::Insert).collect());
    engine.execute(case.me, &case.spec, &case.end)
}

fn config(cases: u32) -> Config {
    Config { cases: Config::default().cases.min(cases), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn queries_are_answered_as_the_oracle_does(mut case in cases().prop_filter("references", is_taken_at_its_word)) {
        case.rows.retain(is_storable);
        let found = answer(&case);
        prop_assert_eq!(case.disagreement(&found), None);
        let bare = case.with_indexes(|_| false);
        let found = answer(&bare);
        prop_assert_eq!(bare.disagreement(&found), None);
    }

    #[test]
    fn pages_are_those_of_the_oracle_while_rows_come_and_go(mut walk in walks().prop_filter("references", |walk| is_taken_at_its_word(&walk.case))) {
        walk.case.rows.retain(is_storable);
        for changes in &mut walk.changes {
            changes.retain(|(Change::Insert(row) | Change::Remove(row))| is_storable(row));
        }
        let (tables, me) = (walk.case.tables.clone(), walk.case.me);
        let engine = Engine::new(&tables);
        engine.change(&tables, walk.case.rows.iter().cloned().map(Change::Insert).collect());
        let difference = walk.disagreement(
            |change| engine.change(&tables, vec![change.clone()]),
            |spec, end| engine.execute(me, spec, end),
        );
        prop_assert_eq!(difference, None);
    }
}
