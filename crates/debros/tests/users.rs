//! Users who announce themselves, and users with several devices.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debros::{
    AnnounceError, KnownUser, NetworkError, NetworkEvent, NetworkEvents, UnfollowError, WriteError, prelude::*,
};
use debros_core::{Map, Value as Any};
use debros_orbit::{
    DatabaseSpec, Durability as Durable, NetworkOptions, NoSchema, Node, NodeOptions, ReadDocuments as _,
};
use debros_shard::Application;
use std::{path::Path, sync::Arc, time::Duration};

/// What a user notes.
#[model(scope = user)]
#[derive(Debug, Clone)]
pub struct Note {
    /// Its key.
    #[field(key)]
    pub id: Id<Note>,
    /// What is noted.
    #[field(index)]
    pub text: String,
}

async fn open(folder: &Path) -> Db {
    let builder = Db::builder(folder, "notes").listen("/ip4/127.0.0.1/tcp/0").local_discovery(false);
    builder.open(models![Note]).await.unwrap()
}

async fn meet(a: &Db, b: &Db) {
    b.network().dial(&a.network().addresses()[0]).await.unwrap();
}

async fn part(a: &Db, b: &Db) {
    let id = a.network().addresses()[0].rsplit('/').next().unwrap().to_owned();
    b.network().disconnect(&id).unwrap();
    until("they are apart", || async { a.network().peers().is_empty() && b.network().peers().is_empty() }).await;
}

async fn until<F: Future<Output = bool>>(what: &str, mut is: impl FnMut() -> F) {
    for _ in 0..1_200 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never happened that {what}");
}

async fn note(me: &Session, text: &str) -> Note {
    me.create(NewNote { text: text.into() }).await.unwrap()
}

async fn notes(db: &Db, user: UserId) -> Vec<String> {
    let all = Note::query().order_by(|n| n.text.asc()).fetch(&db.view(user)).await.unwrap();
    all.into_iter().map(|note| note.text).collect()
}

/// The users that satisfy a condition, once they do.
async fn users(db: &Db, events: &mut NetworkEvents, are: impl Fn(&[KnownUser]) -> bool) -> Vec<KnownUser> {
    let wait = async {
        loop {
            let users = db.users().await.unwrap();
            if are(&users) {
                return users;
            }
            while !matches!(events.next().await.unwrap(), NetworkEvent::Users) {}
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("they never announced themselves")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_known_by_what_they_announce() {
    let [here, there] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (a, b) = (open(here.path()).await, open(there.path()).await);
    let mut events = b.network().events().unwrap();
    assert_eq!(b.users().await.unwrap(), []);
    meet(&a, &b).await;

    // who takes an identity is announced, once
    let anna = a.identity("anna").await.unwrap();
    let known = users(&b, &mut events, |users| users.len() == 1).await.remove(0);
    assert_eq!((known.id, known.name.as_deref(), known.devices.len()), (anna.user(), None, 1));
    assert_eq!((known.first, known.last, known.devices[0].last), (1, 1, 1));
    assert_eq!(a.identity("anna").await.unwrap(), anna);

    // a name is what they say last
    a.announce(&anna, "Anna").await.unwrap();
    a.announce(&anna, "Anna").await.unwrap();
    let known = users(&b, &mut events, |users| users[0].name.is_some()).await;
    assert_eq!((known[0].name.as_deref(), known[0].first, known[0].last), (Some("Anna"), 1, 2));
    assert_eq!(b.user(anna.user()).await.unwrap().as_ref(), known.first());
    a.announce(&anna, None).await.unwrap();
    let known = users(&b, &mut events, |users| users[0].name.is_none()).await;
    assert_eq!((known[0].last, known[0].devices.len()), (3, 1));

    for name in ["", "  ", "a\nb", "\u{202e}anna", &"x".repeat(65)] {
        let error = a.announce(&anna, name).await.unwrap_err();
        assert!(matches!(&error, AnnounceError::Name { .. }), "{error}");
    }
    let error = b.announce(&anna, "Anna").await.unwrap_err();
    let AnnounceError::Write(error) = error else { panic!("{error}") };
    assert!(matches!(*error, WriteError::OtherFolder { .. }), "{error}");

    // of somebody unknown there is nothing
    let quiet = tempfile::tempdir().unwrap();
    let c = Db::builder(quiet.path(), "notes").dial_only().announce_users(false).open(models![Note]).await.unwrap();
    let carl = c.identity("carl").await.unwrap();
    assert_eq!(c.user(carl.user()).await.unwrap(), None);
    c.announce(&carl, "Carl").await.unwrap();
    assert_eq!(c.users().await.unwrap()[0].name.as_deref(), Some("Carl"));
    assert!(a.verify().await.unwrap().is_clean() && b.verify().await.unwrap().is_clean());
    for db in [a, b, c] {
        db.close().await.unwrap();
    }

    // and it is there without a network, too
    let b = Db::open(there.path(), "notes", models![Note]).await.unwrap();
    assert_eq!(b.users().await.unwrap(), known);
    b.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_two_devices() {
    let [here, there] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let laptop = open(here.path()).await;
    let identity = laptop.identity("anna").await.unwrap();
    let anna = laptop.session(&identity);
    let (user, first) = (anna.user(), note(&anna, "1 on the laptop").await);

    // the other one has all that the user has, and writes it
    let phone = open(there.path()).await;
    meet(&laptop, &phone).await;
    let imported = phone.import_identity("anna", &identity.export()).await.unwrap();
    assert_eq!(imported.user(), user);
    assert_ne!(imported, identity, "each device has a key of its own");
    let also_anna = phone.session(&imported);
    until("the phone has the note", || async { notes(&phone, user).await == ["1 on the laptop"] }).await;
    also_anna.update(&first).set(|n| n.text, "1 on the phone").await.unwrap();
    until("the laptop has the change", || async { notes(&laptop, user).await == ["1 on the phone"] }).await;

    // both are known, as one user, everywhere
    for db in [&laptop, &phone] {
        let mut events = db.network().events().unwrap();
        let known = users(db, &mut events, |users| users.len() == 1 && users[0].devices.len() == 2).await;
        assert_eq!(known[0].id, user);
    }

    // apart, both write; together, they agree
    part(&laptop, &phone).await;
    let (mine, theirs) = (note(&anna, "2 on the laptop").await, note(&also_anna, "3 on the phone").await);
    anna.update(&first).set(|n| n.text, "1 once more").await.unwrap();
    also_anna.delete(&first).await.unwrap();
    also_anna.create(NewNote { text: "4 on the phone".into() }).await.unwrap();
    meet(&laptop, &phone).await;
    until("they agree", || async {
        let (a, b) = (notes(&laptop, user).await, notes(&phone, user).await);
        a == b && [&mine.text, &theirs.text, "4 on the phone"].iter().all(|text| a.iter().any(|other| other == text))
    })
    .await;

    // the folder knows that both are one when it is opened again
    phone.close().await.unwrap();
    let phone = open(there.path()).await;
    note(&anna, "5 on the laptop").await;
    meet(&laptop, &phone).await;
    until("it goes on", || async { notes(&phone, user).await == notes(&laptop, user).await }).await;
    assert!(notes(&phone, user).await.contains(&"5 on the laptop".to_owned()));
    for db in [laptop, phone] {
        assert!(db.verify().await.unwrap().is_clean());
        db.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn announcements_are_hints_and_no_more() {
    let [here, there] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let db = open(here.path()).await;
    let anna = db.identity("anna").await.unwrap();
    db.announce(&anna, "Anna").await.unwrap();

    // somebody who follows no rules but those of the log
    let node = Node::open(there.path(), NodeOptions::default(), Arc::new(NoSchema)).unwrap();
    let hostile = node.identity("hostile").unwrap();
    let spec: DatabaseSpec = Application::new("notes", []).unwrap().users();
    let said = [
        Any::from(Map::from_iter([("name", "Anna".into()), ("user", Any::from(anna.user().to_string()))])),
        Map::from_iter([("name", Any::from("Anna\u{1b}[2J"))]).into(),
    ];
    let signer = hostile.clone();
    let write = node.write(Durable::Local, move |writer| {
        let database = writer.open(&spec)?;
        for what in said {
            writer.add(database, &signer, what).unwrap();
        }
        Ok::<_, debros_orbit::OpenDatabaseError>(database)
    });
    let database = write.await.unwrap();
    let replication = node.replicate(NetworkOptions::loopback()).await.unwrap();
    replication.open(database).await.unwrap();
    let mut events = db.network().events().unwrap();
    db.network().dial(&replication.addresses()[0].to_string()).await.unwrap();
    let is_silent = |user: &KnownUser| user.id.to_string() == hostile.id() && user.name.is_none();
    let known = users(&db, &mut events, |users| users.iter().any(is_silent)).await;
    let of = |id: &str| known.iter().find(|user| user.id.to_string() == id).unwrap();
    assert_eq!(of(&anna.user().to_string()).name.as_deref(), Some("Anna"));
    assert_eq!(known.iter().map(|user| user.devices.len()).collect::<Vec<_>>(), [1, 1]);

    // what is no announcement is nobody's
    let signer = hostile.clone();
    let write = node.write(Durable::Local, move |writer| writer.add(database, &signer, "nonsense".into()));
    write.await.unwrap();
    let known = users(&db, &mut events, |users| !users.iter().any(is_silent)).await;
    assert_eq!(known[0].id, anna.user());
    assert_eq!(node.snapshot().unwrap().entries(database).unwrap(), 5);
    replication.close().await;
    node.close().await.unwrap();
    db.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_has_what_everyone_writes() {
    let folders = [(); 4].map(|()| tempfile::tempdir().unwrap());
    let archive = |most| {
        let builder = Db::builder(folders[0].path(), "notes").listen("/ip4/127.0.0.1/tcp/0").local_discovery(false);
        builder.archive(most).open(models![Note])
    };
    let (db, a) = (archive(2).await.unwrap(), open(folders[1].path()).await);
    let anna = a.session(&a.identity("anna").await.unwrap());
    note(&anna, "by anna").await;
    meet(&db, &a).await;
    until("it has her note", || async { notes(&db, anna.user()).await == ["by anna"] }).await;

    // those who come later, too, as far as there is room
    let b = open(folders[2].path()).await;
    meet(&db, &b).await;
    let ben = b.session(&b.identity("ben").await.unwrap());
    note(&ben, "by ben").await;
    until("it has his note", || async { notes(&db, ben.user()).await == ["by ben"] }).await;
    let carla = b.session(&b.identity("carla").await.unwrap());
    note(&carla, "by carla").await;
    until("she is known", || async { db.users().await.unwrap().len() == 3 }).await;
    b.close().await.unwrap();
    a.close().await.unwrap();
    db.close().await.unwrap();

    // who follows somebody who is not there has it from the archive
    let db = archive(2).await.unwrap();
    assert_eq!(notes(&db, carla.user()).await, [""; 0]);
    let c = open(folders[3].path()).await;
    c.network().follow(ben.user()).await.unwrap();
    meet(&db, &c).await;
    until("it has his note", || async { notes(&c, ben.user()).await == ["by ben"] }).await;
    db.close().await.unwrap();

    // with more room, others are followed
    let db = archive(3).await.unwrap();
    let b = open(folders[2].path()).await;
    meet(&db, &b).await;
    until("it has her note", || async { notes(&db, carla.user()).await == ["by carla"] }).await;
    for db in [db, b, c] {
        db.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_followed_any_more_leaves_nothing() {
    let [here, there] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (a, b) = (open(here.path()).await, open(there.path()).await);
    let anna = a.session(&a.identity("anna").await.unwrap());
    let (ben, carla) = (b.identity("ben").await.unwrap(), b.identity("carla").await.unwrap());
    let (ben, carla) = (b.session(&ben), b.session(&carla));
    note(&anna, "by anna").await;
    for n in 0..700 {
        note(&ben, &format!("by ben {n:03}")).await;
    }
    note(&carla, "by carla").await;
    meet(&a, &b).await;
    for user in [ben.user(), carla.user()] {
        a.network().follow(user).await.unwrap();
    }
    let all = async |db: &Db| Note::query().everywhere().count(db).await.unwrap();
    let by_text =
        async |db: &Db| Note::query().filter(|n| n.text.starts_with("by ben")).everywhere().count(db).await.unwrap();
    until("everything is there", || async { all(&a).await == 702 }).await;
    assert_eq!(by_text(&a).await, 700);

    let error = a.network().unfollow(anna.user()).await.unwrap_err();
    assert!(matches!(error, NetworkError::Unfollow(UnfollowError::OwnUser { .. })), "{error}");
    a.network().unfollow(ben.user()).await.unwrap();
    assert_eq!((all(&a).await, by_text(&a).await), (2, 0));
    let back = a.reclaim().await.unwrap();
    assert!((700..710).contains(&back.blocks) && back.bytes > 200 * 700, "{back:?}");
    assert_eq!(notes(&a, ben.user()).await, [""; 0]);
    assert_eq!(notes(&a, carla.user()).await, ["by carla"]);
    let names = a.addresses().await.unwrap();
    assert!(!names.iter().any(|(name, _)| name.contains(&ben.user().to_string())), "{names:?}");
    // what he writes now does not come; what others write does
    note(&ben, "by ben, later").await;
    note(&carla, "by carla, later").await;
    until("it comes", || async { notes(&a, carla.user()).await.len() == 2 }).await;
    assert_eq!(by_text(&a).await, 0);
    assert!(a.verify().await.unwrap().is_clean());
    a.close().await.unwrap();

    // nor after the folder was opened again
    let a = open(here.path()).await;
    meet(&a, &b).await;
    note(&carla, "by carla, once more").await;
    until("it comes", || async { notes(&a, carla.user()).await.len() == 3 }).await;
    assert_eq!(by_text(&a).await, 0);

    // until he is followed again
    a.network().follow(ben.user()).await.unwrap();
    until("all of it is back", || async { by_text(&a).await == 701 }).await;
    note(&ben, "by ben, at last").await;
    until("it goes on", || async { by_text(&a).await == 702 }).await;
    a.network().unfollow(ben.user()).await.unwrap();
    a.network().follow(ben.user()).await.unwrap();
    until("once more", || async { by_text(&a).await == 702 }).await;
    assert!(a.verify().await.unwrap().is_clean());
    a.close().await.unwrap();
    b.close().await.unwrap();
}
