//! Models whose records are events: they are created, found and related as others are, and stay as they were written.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "tests: a panic is what they are for, and models are public"
)]

use debros::prelude::*;
use debros::{EventHooks, ProblemKind, WriteError};
use debros_core::Map;
use debros_orbit::{DatabaseKind, Durability as Commit, Entry, NoSchema, Node, NodeOptions, Payload, ReadDocuments};
use std::{path::Path, sync::Arc};

#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    #[field(key)]
    pub id: Id<Page>,
    #[field(unique)]
    pub path: String,
    #[has_many]
    pub visits: HasMany<Visit>,
}

#[model(scope = global, writers = anyone, store = events, hooks, index(page_id, at))]
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    #[field(key)]
    pub id: Id<Visit>,
    pub page_id: Id<Page>,
    #[field(index, len = 1..=20)]
    pub browser: String,
    #[field(unique)]
    pub ticket: Option<String>,
    #[field(owner)]
    pub visitor: UserId,
    #[field(created)]
    pub at: Timestamp,
    #[belongs_to]
    pub page: BelongsTo<Page>,
    #[many_to_many]
    pub labels: ManyToMany<Label>,
}

impl EventHooks for Visit {
    fn before_create(&mut self, _: &HookContext) -> Result<(), HookError> {
        self.browser = self.browser.to_lowercase();
        if self.browser == "robot" { Err("no robots".into()) } else { Ok(()) }
    }
}

#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    #[field(key)]
    pub name: String,
    #[many_to_many(inverse = labels)]
    pub visits: ManyToMany<Visit>,
}

#[model(scope = global, writers = owner, store = events)]
#[derive(Debug, Clone, PartialEq)]
pub struct Vote {
    #[field(key)]
    pub id: Id<Vote>,
    pub yes: bool,
}

/// User-scoped, of many databases, with a natural key.
#[model(store = events, sharding(strategy = hash, key = day, count = 4))]
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    #[field(key)]
    pub day: String,
    #[field(index)]
    pub degrees: f64,
}

async fn open(folder: &Path) -> Db {
    Db::open(folder, "site", models![Page, Visit, Label, Vote, Measurement]).await.unwrap()
}

async fn site() -> (tempfile::TempDir, Db, Session, Page) {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path()).await;
    let me = session(&db, "me").await;
    let page = me.create(NewPage { path: "/".into() }).await.unwrap();
    (folder, db, me, page)
}

async fn session(db: &Db, name: &str) -> Session {
    db.session(&db.identity(name).await.unwrap())
}

fn visit(page: &Page, browser: &str) -> NewVisit {
    NewVisit { page_id: page.id, browser: browser.into() }
}

fn measured(day: &str, degrees: f64) -> NewMeasurement {
    NewMeasurement { day: day.into(), degrees }
}

/// The folder as one of OrbitDB that knows nothing of models.
fn plain_node(folder: &Path) -> Node {
    Node::open(folder, NodeOptions::default(), Arc::new(NoSchema)).unwrap()
}

#[tokio::test]
async fn events_are_created_found_ordered_and_related() {
    let (folder, db, me, page) = site().await;
    let about = me.create(NewPage { path: "/about".into() }).await.unwrap();
    let first = me.create(visit(&page, "Firefox")).set(|v| v.at, Timestamp::from_millis(1)).await.unwrap();
    assert_eq!((first.browser.as_str(), first.visitor), ("firefox", me.user()));
    let more = ["lynx", "firefox", "w3m"].map(|browser| visit(&about, browser));
    let more = me.batch().create_all(more).await.unwrap();
    let bob = session(&db, "bob").await;
    let his = bob.create(visit(&page, "lynx")).await.unwrap();

    let check = async |db: &Db, me: &Session| {
        assert_eq!(Visit::get(&first.id).fetch(db).await.unwrap(), Some(first.clone()));
        assert_eq!(Visit::query().count(db).await.unwrap(), 5);
        let browsers = Visit::query().filter(|v| v.browser.ge("lynx")).order_by(|v| v.browser.asc()).fetch(db);
        let browsers: Vec<String> = browsers.await.unwrap().into_iter().map(|visit| visit.browser).collect();
        assert_eq!(browsers, ["lynx", "lynx", "w3m"]);
        let plan = Visit::query().filter(|v| v.browser.eq("w3m")).explain(db).await.unwrap().to_string();
        assert!(plan.contains("browser"), "{plan}");

        let loaded = Page::query()
            .filter(|p| p.visits.any(|v| v.browser.eq("w3m")))
            .with(|p| p.visits.order_by(|v| v.browser.asc()).with(|v| v.page))
            .one(me)
            .await
            .unwrap();
        assert_eq!(loaded.visits().len(), 3);
        assert!(loaded.visits().iter().all(|visit| visit.page().path == "/about"));
        let of_page = page.related(|p| p.visits).filter(|v| v.visitor.eq(bob.user())).one(me).await.unwrap();
        assert_eq!(of_page, his);
        let pages = Visit::query().order_by(|v| v.at.asc()).page(2).fetch(db).await.unwrap();
        assert_eq!(pages.rows[0], first);
        let mut next = pages.next(db).await.unwrap();
        let mut seen = pages.rows.len();
        while let Some(page) = next {
            seen += page.rows.len();
            next = page.next(db).await.unwrap();
        }
        assert_eq!(seen, 5);
        assert_eq!(db.owner(&his).await.unwrap(), bob.user());
        assert_eq!(db.problems().await.unwrap(), []);
        let report = db.verify().await.unwrap();
        assert!(report.is_clean(), "{report}");
    };
    check(&db, &me).await;
    assert_eq!(more.len(), 3);
    db.close().await.unwrap();

    // what is stored is an events database that anyone reads
    let node = plain_node(folder.path());
    let snapshot = node.snapshot().unwrap();
    let info = snapshot.database("debros/1/site/Visit/-/1.0/0").unwrap().unwrap();
    assert_eq!(info.spec.kind, DatabaseKind::Events);
    let head = snapshot.heads(info.id).unwrap()[0];
    let entry = Entry::decode(&snapshot.block(&head).unwrap().unwrap()).unwrap();
    let payload = entry.payload().as_map().unwrap();
    assert_eq!((payload.field("op"), payload.field("key")), (&Value::from("ADD"), &Value::Null));
    let record = payload.field("value").as_map().unwrap();
    assert_eq!(record.field("_id"), &Value::from(his.id.to_string()));
    assert!(record.contains_key("_n") && record.field("_v") == &Value::from(1));
    drop(snapshot);
    node.close().await.unwrap();

    let db = open(folder.path()).await;
    check(&db, &session(&db, "me").await).await;
    db.close().await.unwrap();
}

#[tokio::test]
async fn what_must_hold_of_a_record_holds_of_an_event() {
    let (_folder, db, me, page) = site().await;
    let robot = me.create(visit(&page, "Robot")).await.unwrap_err();
    assert!(matches!(robot, WriteError::Hook { hook: "before_create", .. }), "{robot}");
    let nameless = me.create(visit(&page, "")).await.unwrap_err();
    assert!(matches!(nameless, WriteError::Validation(_)), "{nameless}");
    let gone = me.create(NewPage { path: "/gone".into() }).await.unwrap();
    me.delete(&gone).await.unwrap();
    let orphan = me.create(visit(&gone, "lynx")).await.unwrap_err();
    assert!(matches!(orphan, WriteError::MissingParent { .. }), "{orphan}");

    let first = me.create(visit(&page, "lynx")).set(|v| v.ticket, "7".to_owned()).await.unwrap();
    let taken = me.create(visit(&page, "w3m")).set(|v| v.ticket, "7".to_owned()).await.unwrap_err();
    assert!(matches!(&taken, WriteError::Duplicate { by, .. } if *by == first.id.to_string()), "{taken}");
    let batch = me.batch().create(visit(&page, "w3m"), |v| v.set(|v| v.ticket, "8".to_owned()));
    let batch = batch.create(visit(&page, "w3m"), |v| v.set(|v| v.ticket, "8".to_owned())).await.unwrap_err();
    assert!(matches!(batch, WriteError::Duplicate { .. }), "{batch}");
    assert_eq!(Visit::query().count(&db).await.unwrap(), 1);

    // nothing takes an event away, so what it requires stays, too
    let needed = me.delete(&page).await.unwrap_err();
    assert!(matches!(needed, WriteError::StillRequired { by: "Visit", stays: true, .. }), "{needed}");
    assert!(needed.to_string().ends_with("requires it, which is an event and stays"), "{needed}");
}

#[tokio::test]
async fn natural_keys_and_shards() {
    let (folder, db, me, _) = site().await;
    for day in 1..=20 {
        me.create(measured(&format!("2024-05-{day:02}"), f64::from(day))).await.unwrap();
    }
    let taken = me.create(measured("2024-05-07", 30.0)).await.unwrap_err();
    assert!(matches!(&taken, WriteError::KeyTaken { model: "Measurement", key } if key == "2024-05-07"), "{taken}");
    let bob = session(&db, "bob").await;
    bob.create(measured("2024-05-07", 30.0)).await.unwrap();

    let seventh = Measurement::get("2024-05-07").fetch(&me).await.unwrap().unwrap();
    assert_eq!(seventh.degrees, 7.0);
    let warm = Measurement::query().filter(|m| m.degrees.gt(15.0)).order_by(|m| m.degrees.desc());
    assert_eq!(warm.clone().count(&me).await.unwrap(), 5);
    assert_eq!(warm.clone().count(&db.view(bob.user())).await.unwrap(), 1);
    assert_eq!(warm.everywhere().first(&db).await.unwrap().unwrap().degrees, 30.0);
    assert_eq!(Measurement::query().order_by(|m| m.day.asc()).limit(1).one(&me).await.unwrap().degrees, 1.0);
    db.close().await.unwrap();

    let db = open(folder.path()).await;
    let me = session(&db, "me").await;
    assert_eq!(Measurement::query().count(&me).await.unwrap(), 20);
    assert!(db.verify().await.unwrap().is_clean());
}

#[tokio::test]
async fn an_event_is_linked_without_being_changed() {
    let (_folder, db, me, page) = site().await;
    let event = me.create(visit(&page, "lynx")).await.unwrap();
    let label = me.create(NewLabel { name: "text".into() }).await.unwrap();
    me.link(&event, |v| v.labels, &label).await.unwrap();
    let loaded = Label::query().with(|l| l.visits).one(&me).await.unwrap();
    assert_eq!(loaded.visits(), std::slice::from_ref(&event));
    assert!(me.unlink(&label, |l| l.visits, &event).await.unwrap());
    assert_eq!(Visit::query().with(|v| v.labels).one(&me).await.unwrap().labels(), []);
    assert!(db.verify().await.unwrap().is_clean());
}

/// Writes what a peer may that knows nothing of models: values, each at this time of the log's clock and after nothing.
async fn written_elsewhere(folder: &Path, database: &'static str, writer: &str, values: Vec<(Value, u64)>) -> UserId {
    let node = plain_node(folder);
    let identity = node.identity(writer).unwrap();
    let info = node.snapshot().unwrap().database(database).unwrap().unwrap();
    let by = identity.clone();
    let job = node.write(Commit::Buffered, move |w| {
        w.add_identity(by.bytes())?;
        for (value, time) in values {
            let payload = Payload::add(value).into_value();
            let entry = Entry::create(&by, info.address, payload, &[], &[], time).unwrap();
            assert!(w.join(info.id, entry.bytes())?);
        }
        Ok::<(), debros_orbit::JoinError>(())
    });
    job.await.unwrap();
    node.close().await.unwrap();
    identity.id().parse().unwrap()
}

#[tokio::test]
async fn nobody_takes_the_place_of_an_event_whose_id_is_its_creators() {
    let (folder, db, me, page) = site().await;
    let event = me.create(visit(&page, "lynx")).await.unwrap();
    db.close().await.unwrap();

    let node = plain_node(folder.path());
    let snapshot = node.snapshot().unwrap();
    let info = snapshot.database("debros/1/site/Visit/-/1.0/0").unwrap().unwrap();
    let row = snapshot.scan_keys(info.id, &[], None, false).next().unwrap().unwrap();
    let mut record = snapshot.load(row.position).unwrap();
    drop(snapshot);
    node.close().await.unwrap();
    record.insert("browser", "forged");
    // one says that it is older than all, the other comes later
    let forged = vec![(record.clone().into(), 1), (record.clone().into(), 900), (Value::from("no record"), 1)];
    let mallory = written_elsewhere(folder.path(), "debros/1/site/Visit/-/1.0/0", "mallory", forged).await;

    let db = open(folder.path()).await;
    assert_eq!(Visit::query().one(&db).await.unwrap(), event);
    assert_eq!(Visit::get(&event.id).fetch(&db).await.unwrap(), Some(event.clone()));
    let problems = db.problems().await.unwrap();
    let duplicate = ProblemKind::Duplicate { writer: mallory.to_string() };
    let of_event = problems.iter().filter(|problem| problem.key == event.id.to_string() && problem.kind == duplicate);
    assert_eq!((of_event.count(), problems.len()), (2, 3), "{problems:?}");
    assert!(problems.iter().any(|problem| matches!(problem.kind, ProblemKind::Refused { .. })), "{problems:?}");
    let text = problems.iter().find(|problem| problem.kind == duplicate).unwrap().to_string();
    assert!(text.ends_with(&format!("was written once more, by the user {mallory}: the first event with a key stays")));
    assert!(db.verify().await.unwrap().is_clean());
    // it goes on
    let me = session(&db, "me").await;
    me.create(visit(&page, "w3m")).await.unwrap();
    assert_eq!(Visit::query().count(&db).await.unwrap(), 2);
}

#[tokio::test]
async fn an_id_that_is_nobodys_is_served_unless_owners_write() {
    const ID: &str = "0190a8c5-0000-7000-8000-000000000000";
    let (folder, db, me, page) = site().await;
    me.create(visit(&page, "lynx")).await.unwrap();
    let vote = me.create(NewVote { yes: true }).await.unwrap();
    db.close().await.unwrap();

    let node = plain_node(folder.path());
    let user = node.identity("mallory").unwrap().id().to_owned();
    node.close().await.unwrap();
    // as JavaScript's events database adds it, without a nonce
    let mut record = Map::from_iter([("_id", ID), ("browser", "w3m"), ("visitor", &user)]);
    record.insert("page_id", page.id.to_string());
    record.insert("at", 5);
    written_elsewhere(folder.path(), "debros/1/site/Visit/-/1.0/0", "mallory", vec![(record.into(), 1)]).await;
    let mut record = Map::from_iter([("_id", ID)]);
    record.insert("yes", false);
    written_elsewhere(folder.path(), "debros/1/site/Vote/-/1.0/0", "mallory", vec![(record.into(), 1)]).await;

    let db = open(folder.path()).await;
    let id: Id<Visit> = ID.parse().unwrap();
    let served = Visit::get(&id).with(|v| v.page).fetch(&db).await.unwrap().unwrap();
    assert_eq!((served.browser.as_str(), served.visitor.to_string(), served.page()), ("w3m", user.clone(), &page));
    assert_eq!(Vote::query().fetch(&db).await.unwrap(), [vote]);
    let problems = db.problems().await.unwrap();
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    assert!(matches!(&problem.kind, ProblemKind::Refused { writer, .. } if *writer == user), "{problem}");
    assert!(db.verify().await.unwrap().is_clean());
}

mod before {
    use super::*;

    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Note {
        #[field(key)]
        pub name: String,
        #[field(index)]
        pub text: String,
    }
}
mod after {
    use super::*;

    #[model(store = events)]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Note {
        #[field(key)]
        pub name: String,
        #[field(index)]
        pub text: String,
    }
}

#[tokio::test]
async fn documents_and_events_of_one_name_are_other_databases() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(folder.path(), "notes", models![before::Note]).await.unwrap();
    let me = session(&db, "me").await;
    let note = me.create(before::NewNote { name: "a".into(), text: "document".into() }).await.unwrap();
    db.close().await.unwrap();

    let db = Db::open(folder.path(), "notes", models![after::Note]).await.unwrap();
    let me = session(&db, "me").await;
    assert_eq!(after::Note::query().everywhere().count(&db).await.unwrap(), 0);
    me.create(after::NewNote { name: "a".into(), text: "event".into() }).await.unwrap();
    let all = after::Note::query().everywhere().order_by(|n| n.text.asc()).fetch(&db).await.unwrap();
    assert_eq!(all.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["event"]);
    assert!(db.verify().await.unwrap().is_clean() && db.problems().await.unwrap().is_empty());
    db.close().await.unwrap();

    let db = Db::open(folder.path(), "notes", models![before::Note]).await.unwrap();
    assert_eq!(before::Note::query().fetch(&db).await.unwrap(), [note]);
    assert!(db.verify().await.unwrap().is_clean());
}
