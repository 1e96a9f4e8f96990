use super::*;
use crate::shard_of_record;
use debros_core::{FieldDef, Kind, Map, Role, Scope, Sharding, StoreKind, Strategy, Writers};
use debros_orbit::{CommitError, Durability, Identity, NoSchema, Node, NodeOptions, SigningKey};
use std::sync::Arc;

const FIELDS: &[FieldDef] = &[
    FieldDef { name: "id", kind: Kind::Text, optional: false, shape: |_| 0, role: Role::Key, rules: &[] },
    FieldDef { name: "region", kind: Kind::Text, optional: false, shape: |_| 0, role: Role::Plain, rules: &[] },
];

const fn model(stored: &'static str, scope: Scope, count: u32) -> ModelDef {
    ModelDef {
        name: stored,
        path: stored,
        stored,
        scope,
        store: StoreKind::Documents,
        version: 1,
        fields: FIELDS,
        key: &[0],
        relations: &[],
        indexes: &[],
        sharding: if count == 1 { None } else { Some(Sharding { strategy: Strategy::Hash, key: "region", count }) },
        check: |_| Ok(()),
    }
}
static TAG: ModelDef = model("Tag", Scope::Global(Writers::Anyone), 1);
static POST: ModelDef = model("Post", Scope::User, 4);
static SETTING: ModelDef = model("Setting", Scope::Global(Writers::Admins), 1);

fn users() -> (Identity, UserId, Identity, UserId) {
    let user = || {
        let key = || SigningKey::generate().unwrap();
        let identity = Identity::new(&key(), key());
        let id: UserId = identity.id().parse().unwrap();
        (identity, id)
    };
    let ((a, alice), (b, bob)) = (user(), user());
    (a, alice, b, bob)
}
fn record(id: &str, region: &str) -> Map {
    Map::from_iter([("_id", id), ("region", region)])
}

struct Fixture {
    node: Node,
    databases: Arc<Databases>,
    _folder: tempfile::TempDir,
}

fn fixture(admins: &[UserId], limit: usize) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path(), NodeOptions::default(), Arc::new(NoSchema)).unwrap();
    let application = Application::new("app", admins.iter().copied()).unwrap();
    Fixture { node, databases: Arc::new(Databases::new(application, limit)), _folder: folder }
}

impl Fixture {
    /// Writes a record where it belongs; gives what was opened.
    fn write(&self, model: &'static ModelDef, identity: &Identity, record: Map) -> Result<(), String> {
        let (databases, identity) = (self.databases.clone(), identity.clone());
        let job = move |writer: &mut Writer<'_>| {
            let opening = Opening::new(&databases);
            let user: UserId = identity.id().parse().unwrap();
            let place = Place::new(model, Some(&user), shard_of_record(model, &record).unwrap()).unwrap();
            let id = opening.create(writer, &place).map_err(|e| e.to_string())?;
            assert_eq!(opening.find(writer, &place).unwrap(), Some(id));
            writer.put(id, &identity, record).map_err(|e| e.to_string())?;
            Ok(opening.into_opened())
        };
        let opened = futures::executor::block_on(self.node.write(Durability::Buffered, job));
        self.databases.remember(opened.map_err(|error: CommitError<String>| error.to_string())?);
        Ok(())
    }
}

#[test]
fn shards_come_into_being_with_their_first_record() {
    let (alice, alice_id, bob, bob_id) = users();
    let fixture = fixture(&[], 100);
    let of = |user: &UserId| fixture.databases.of_user(&fixture.node.snapshot().unwrap(), &POST, Some(user)).unwrap();
    assert_eq!(of(&alice_id), []);
    let regions = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut shards = std::collections::BTreeSet::new();
    for (at, region) in regions.into_iter().enumerate() {
        fixture.write(&POST, &alice, record(&at.to_string(), region)).unwrap();
        shards.insert(shard_of_record(&POST, &record("", region)).unwrap());
        assert_eq!(of(&alice_id).len(), shards.len());
    }
    assert!(shards.len() > 1);
    assert_eq!(of(&bob_id), []);
    fixture.write(&POST, &bob, record("x", "a")).unwrap();
    let snapshot = fixture.node.snapshot().unwrap();
    let everywhere = fixture.databases.everywhere(&snapshot, &POST).unwrap();
    assert_eq!(everywhere.len(), shards.len() + 1);
    let owners: Vec<_> = everywhere.iter().map(|id| fixture.databases.owner(&snapshot, *id).unwrap()).collect();
    assert_eq!(owners.iter().filter(|owner| **owner == Some(bob_id)).count(), 1);
    assert_eq!(fixture.databases.everywhere(&snapshot, &TAG).unwrap(), []);
}

#[test]
fn too_many_are_closed_and_found_again() {
    let (alice, alice_id, ..) = users();
    let fixture = fixture(&[], 2);
    for (at, region) in ["a", "b", "c", "d", "e", "f", "g", "h"].into_iter().enumerate() {
        fixture.write(&POST, &alice, record(&at.to_string(), region)).unwrap();
    }
    fixture.write(&TAG, &alice, record("t", "")).unwrap();
    let snapshot = fixture.node.snapshot().unwrap();
    let rows = |ids: Vec<DatabaseId>| ids.into_iter().map(|id| snapshot.count(id).unwrap()).sum::<u64>();
    for _ in 0..2 {
        assert_eq!(rows(fixture.databases.of_user(&snapshot, &POST, Some(&alice_id)).unwrap()), 8);
        assert_eq!(rows(fixture.databases.of_user(&snapshot, &TAG, None).unwrap()), 1);
        assert!(fixture.databases.open_count() <= 2);
    }
}

#[test]
fn nothing_of_a_job_that_fails_is_remembered() {
    let (alice, alice_id, ..) = users();
    let fixture = fixture(&[], 100);
    let databases = fixture.databases.clone();
    let failed = fixture.node.write(Durability::Buffered, move |writer: &mut Writer<'_>| {
        let opening = Opening::new(&databases);
        let place = Place::new(&TAG, None, 0).unwrap();
        opening.create(writer, &place).map_err(|e| e.to_string())?;
        Err::<(), _>("no".to_owned())
    });
    futures::executor::block_on(failed).unwrap_err();
    let snapshot = fixture.node.snapshot().unwrap();
    assert_eq!(fixture.databases.of_user(&snapshot, &TAG, None).unwrap(), []);
    // another database gets the number that it had
    fixture.write(&POST, &alice, record("1", "a")).unwrap();
    let snapshot = fixture.node.snapshot().unwrap();
    assert_eq!(fixture.databases.of_user(&snapshot, &TAG, None).unwrap(), []);
    assert_eq!(fixture.databases.of_user(&snapshot, &POST, Some(&alice_id)).unwrap().len(), 1);
}

#[test]
fn only_those_write_who_may() {
    let (alice, alice_id, bob, _) = users();
    let fixture = fixture(&[alice_id], 100);
    fixture.write(&SETTING, &alice, record("theme", "dark")).unwrap();
    let denied = fixture.write(&SETTING, &bob, record("theme", "light")).unwrap_err();
    assert!(denied.contains("may not write"), "{denied}");
    fixture.write(&TAG, &bob, record("t", "")).unwrap();
}

#[test]
fn addresses_follow_from_names_and_writers_alone() {
    let (_, alice, _, bob) = users();
    let address = |app: &str, admins: &[UserId], model, user: Option<&UserId>, shard| {
        let application = Application::new(app, admins.iter().copied()).unwrap();
        application.database(model, user, shard).address().unwrap()
    };
    let post = address("app", &[], &POST, Some(&alice), 1);
    assert_eq!(post, address("app", &[bob], &POST, Some(&alice), 1), "admins matter to what they write only");
    for other in [
        address("app2", &[], &POST, Some(&alice), 1),
        address("app", &[], &POST, Some(&bob), 1),
        address("app", &[], &POST, Some(&alice), 2),
        address("app", &[], &TAG, None, 0),
    ] {
        assert_ne!(post, other);
    }
    let setting = address("app", &[alice, bob], &SETTING, None, 0);
    assert_eq!(setting, address("app", &[bob, alice, bob], &SETTING, None, 0));
    assert_ne!(setting, address("app", &[alice], &SETTING, None, 0));
    // a global model has one database, whoever asks
    assert_eq!(address("app", &[], &TAG, Some(&alice), 0), address("app", &[], &TAG, None, 0));
    assert!(Application::new("a/b", []).is_err());
}

// worked out by hand from the bytes of the blocks: what any other implementation derives
#[test]
fn the_address_of_a_global_model_is_fixed() {
    let application = Application::new("blog", []).unwrap();
    let spec = application.database(&TAG, None, 0);
    assert_eq!(spec.name, "debros/1/blog/Tag/-/1.0/0");
    assert_eq!(spec.address().unwrap().to_string(), "/orbitdb/zdpuAnR4EzPAYpt19AdYp5qDtcBp1XJixF7oxibcCzmN2EAzn");
}

#[test]
fn documents_and_events_of_one_name_are_kept_apart() {
    let application = Application::new("app", []).unwrap();
    let events = ModelDef { store: StoreKind::Events, ..model("Tag", Scope::Global(Writers::Anyone), 1) };
    let [documents, events] = [&TAG, &events].map(|model| application.database(model, None, 0));
    assert_eq!(documents.name, events.name);
    assert_eq!([documents.kind.word(), events.kind.word()], ["documents", "events"]);
    assert_ne!(documents.address().unwrap(), events.address().unwrap());
    assert_eq!(application.stored_of(&documents.family), Some(("Tag", StoreKind::Documents)));
    assert_eq!(application.stored_of(&events.family), Some(("Tag", StoreKind::Events)));
    assert_eq!(application.stored_of("apple/Tag"), None);
}
