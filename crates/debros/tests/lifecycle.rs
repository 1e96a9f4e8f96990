//! Opening, closing, reopening; several nodes; the folder's lock; one user on several nodes.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "tests: a panic is what they are for, and models are public")]

mod blog;

use blog::{NewUser, Post, Tag, User, blog, open, post, session, tag, user};
use debros::prelude::*;
use debros::{IdentityError, KeystoreError, OpenError, WriteError};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let (folder, db, me) = blog().await;
    let author = user(&me, "alice").await;
    let (kept, gone) = (post(&me, &author, "kept").await, post(&me, &author, "gone").await);
    let kept = me.update(&kept).set(|p| p.popularity, 7).await.unwrap();
    let rust = tag(&me, "rust").await;
    me.link(&kept, |p| p.tags, &rust).await.unwrap();
    me.delete(&gone).await.unwrap();
    let alice = me.user();
    db.close().await.unwrap();

    let db = open(folder.path()).await;
    let me = session(&db, "alice").await;
    assert_eq!(me.user(), alice, "the identity is the same");
    let found = Post::query().with(|p| (p.author, p.tags)).one(&me).await.unwrap();
    assert_eq!(*found, kept);
    assert_eq!((found.author(), found.tags()), (&author, &[rust][..]));
    // and it goes on
    me.update(&kept).set(|p| p.title, "again").await.unwrap();
    assert!(me.create(NewUser { username: "alice".into() }).await.is_err(), "unique values are known again");
    assert!(db.verify().await.unwrap().is_clean());
}

#[tokio::test]
async fn dropping_without_close_loses_nothing_answered() {
    let (folder, db, me) = blog().await;
    let author = user(&me, "alice").await;
    for n in 0..20 {
        post(&me, &author, &format!("post {n}")).await;
    }
    let buffered = me.clone().durability(Durability::Buffered);
    post(&buffered, &author, "buffered").await;
    drop((db, me, buffered));

    // the folder is let go of when the last handle is gone
    let db = open(folder.path()).await;
    let me = session(&db, "alice").await;
    assert_eq!(Post::query().count(&me).await.unwrap(), 21);
}

#[tokio::test]
async fn closing_is_durable_and_closing_twice_does_nothing() {
    let (folder, db, me) = blog().await;
    user(&me.clone().durability(Durability::Buffered), "alice").await;
    db.clone().close().await.unwrap();
    db.clone().close().await.unwrap();
    let late = me.create(NewUser { username: "late".into() }).await;
    assert!(matches!(late, Err(WriteError::Closed)), "{late:?}");
    let db = open(folder.path()).await;
    assert_eq!(User::query().one(&db).await.unwrap().username, "alice");
}

#[tokio::test]
async fn a_folder_is_open_once_in_a_process() {
    let (folder, db, _me) = blog().await;
    let again = Db::open(folder.path(), "blog", models![User, Post, blog::Comment, Tag]).await;
    match again {
        Err(error @ OpenError::Locked { .. }) => {
            let text = error.to_string();
            assert!(text.contains(&folder.path().display().to_string()), "{text}");
            assert!(text.contains("by this process itself") && text.contains("close it there"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    db.close().await.unwrap();
    open(folder.path()).await;
}

const CHILD: &str = "DEBROS_LIFECYCLE_CHILD";

/// Not a test of its own: the process that holds the folder in the next one.
#[tokio::test]
async fn child() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let _db = open(Path::new(&folder)).await;
    println!("@open");
    std::io::stdout().flush().unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

#[tokio::test]
async fn a_second_process_is_told_who_holds_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env(CHILD, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("@open")));
    let refused = Db::open(folder.path(), "blog", models![User, Post, blog::Comment, Tag]).await;
    match refused {
        Err(error @ OpenError::Locked { .. }) => {
            let text = error.to_string();
            assert!(text.contains(&holder.id().to_string()) && text.contains("close it there"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    holder.kill().unwrap();
    holder.wait().unwrap();
    open(folder.path()).await;
}

#[tokio::test]
async fn several_nodes_live_in_one_process() {
    let (_a, first, me_first) = blog().await;
    let (_b, second, me_second) = blog().await;
    user(&me_first, "first").await;
    user(&me_second, "second").await;
    assert_eq!(User::query().one(&first).await.unwrap().username, "first");
    assert_eq!(User::query().one(&second).await.unwrap().username, "second");
    first.close().await.unwrap();
    assert_eq!(User::query().count(&second).await.unwrap(), 1);
}

#[tokio::test]
async fn a_user_is_the_same_on_two_nodes_and_their_databases_have_the_same_addresses() {
    let (_a, first, me) = blog().await;
    let (_b, second, _) = blog().await;
    let here = first.identity("alice").await.unwrap();
    let there = second.import_identity("alicia", &here.export()).await.unwrap();
    assert_eq!(here.user(), there.user());
    assert_ne!(here, there, "each device has a key of its own");
    let me_there = second.session(&there);
    for (db, me) in [(&first, &me), (&second, &me_there)] {
        let author = user(me, "alice").await;
        // so many that no shard stays empty
        let new = (0..100).map(|n| blog::NewPost { user_id: author.id, title: n.to_string(), body: "b".into() });
        me.batch().create_all(new).await.unwrap();
        assert_eq!(Post::query().count(&db.view(here.user())).await.unwrap(), 100);
    }
    let addresses = first.addresses().await.unwrap();
    assert_eq!(addresses, second.addresses().await.unwrap());
    assert!(addresses.iter().any(|(name, _)| name.starts_with(&format!("debros/1/blog/Post/{}/4.", here.user()))));
    assert!(addresses.iter().any(|(name, _)| name == "debros/1/blog/User/-/1.0/0"));
}

#[tokio::test]
async fn another_users_key_is_not_imported_over_a_name() {
    let (_folder, db, _me) = blog().await;
    let (_other, second, _) = blog().await;
    let stranger = second.identity("alice").await.unwrap();
    let taken = db.import_identity("alice", &stranger.export()).await;
    assert!(matches!(taken, Err(IdentityError::Keys(KeystoreError::Taken { .. }))), "{taken:?}");
    let nonsense = db.import_identity("bob", b"no key").await;
    assert!(matches!(nonsense, Err(IdentityError::Keys(KeystoreError::Import(_)))), "{nonsense:?}");
    let name = db.identity("no/name").await;
    assert!(matches!(name, Err(IdentityError::Keys(KeystoreError::Name(_)))), "{name:?}");
}

#[tokio::test]
async fn shards_are_created_with_their_first_record() {
    let (_folder, db, me) = blog().await;
    assert_eq!(db.addresses().await.unwrap(), []);
    let author = user(&me, "alice").await;
    post(&me, &author, "one").await;
    let names: Vec<String> = db.addresses().await.unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.iter().filter(|name| name.contains("/Post/")).count(), 1, "{names:?}");
    let new = (0..100).map(|n| blog::NewPost { user_id: author.id, title: n.to_string(), body: "b".into() });
    me.batch().create_all(new).await.unwrap();
    let names: Vec<String> = db.addresses().await.unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.iter().filter(|name| name.contains("/Post/")).count(), 4, "{names:?}");
    assert_eq!(Post::query().count(&me).await.unwrap(), 101);
}

#[tokio::test]
async fn databases_are_closed_when_there_are_too_many_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::builder(folder.path(), "blog")
        .open_databases(2)
        .open(models![User, Post, blog::Comment, Tag])
        .await
        .unwrap();
    let mut authors = Vec::new();
    for n in 0..6 {
        let me = session(&db, &format!("user{n}")).await;
        let author = user(&me, &format!("user{n}")).await;
        post(&me, &author, &format!("by {n}")).await;
        authors.push(me);
    }
    for (n, me) in authors.iter().enumerate() {
        assert_eq!(Post::query().one(me).await.unwrap().title, format!("by {n}"));
    }
    assert_eq!(Post::query().everywhere().count(&db).await.unwrap(), 6);
}

#[tokio::test]
async fn a_models_order_of_admins_does_not_matter_but_who_they_are_does() {
    #[model(scope = global, writers = admins)]
    #[derive(Debug, Clone)]
    pub struct Setting {
        #[field(key)]
        pub name: String,
        pub value: String,
    }
    let mut addresses = Vec::new();
    let (a, b, c) = (UserId::from_bytes([2; 33]), UserId::from_bytes([3; 33]), UserId::from_bytes([2; 33]));
    let (keys, first, _) = blog().await;
    let admin = first.identity("root").await.unwrap();
    let key = admin.export();
    for admins in [vec![a, b, admin.user()], vec![admin.user(), b, c, a], vec![admin.user(), a]] {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::builder(folder.path(), "app").admins(admins).open(models![Setting]).await.unwrap();
        let root = db.session(&db.import_identity("root", &key).await.unwrap());
        root.create(NewSetting { name: "a".into(), value: "b".into() }).await.unwrap();
        addresses.push(db.addresses().await.unwrap());
    }
    assert_eq!(addresses[0], addresses[1]);
    assert_ne!(addresses[0], addresses[2]);
    drop(keys);
}

#[tokio::test]
async fn options_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let builder =
        Db::builder(folder.path(), "blog").segment_size(1 << 16).cache_size(1 << 20).checkpoint_bytes(1 << 16);
    let db = builder.durability(Durability::Buffered).open(models![User, Post, blog::Comment, Tag]).await.unwrap();
    let me = session(&db, "alice").await;
    let author = user(&me, "alice").await;
    let new = (0..200).map(|n| blog::NewPost { user_id: author.id, title: n.to_string(), body: "x".repeat(1000) });
    me.batch().create_all(new).await.unwrap();
    for n in 0..3 {
        post(&me, &author, &format!("late {n}")).await;
    }
    db.close().await.unwrap();
    let segments = std::fs::read_dir(folder.path().join("segments")).unwrap();
    let files = segments.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|e| e == "car")).count();
    assert!(files > 1, "small segments are sealed");
    let db = Db::builder(folder.path(), "blog").rebuild().open(models![User, Post, blog::Comment, Tag]).await.unwrap();
    assert_eq!(Post::query().everywhere().count(&db).await.unwrap(), 203);
    assert!(db.verify().await.unwrap().is_clean());
}

#[tokio::test]
async fn an_application_that_knows_fewer_models_leaves_the_others_as_they_are() {
    let (folder, db, me) = blog().await;
    let author = user(&me, "alice").await;
    post(&me, &author, "kept").await;
    db.close().await.unwrap();

    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone)]
    pub struct Alone {
        #[field(key)]
        pub id: Id<Alone>,
    }
    let db = Db::open(folder.path(), "blog", models![Alone]).await.unwrap();
    let me = session(&db, "alice").await;
    me.create(NewAlone {}).await.unwrap();
    let unknown = me.create(NewUser { username: "bobby".into() }).await;
    assert!(matches!(unknown, Err(WriteError::UnknownModel { model: "User" })), "{unknown:?}");
    db.close().await.unwrap();

    let db = open(folder.path()).await;
    let me = session(&db, "alice").await;
    assert_eq!(Post::query().with(|p| p.author).one(&me).await.unwrap().author().username, "alice");
}

#[tokio::test]
async fn an_identity_writes_in_its_own_folder_alone() {
    let (_a, first, me) = blog().await;
    let (_b, second, _) = blog().await;
    let here = first.identity("alice").await.unwrap();
    let stray = second.session(&here);
    let refused = stray.create(NewUser { username: "alice".into() }).await;
    assert!(matches!(refused, Err(WriteError::OtherFolder { user }) if user == me.user()), "{refused:?}");
    // to read, it matters only who it is
    assert_eq!(Post::query().count(&stray).await.unwrap(), 0);
    first.clone().close().await.unwrap();
    let closed = first.identity("bob").await;
    assert!(matches!(closed, Err(IdentityError::Closed)), "{closed:?}");
}

#[tokio::test]
async fn two_applications_in_one_folder_do_not_see_each_other() {
    let (folder, db, me) = blog().await;
    let author = user(&me, "alice").await;
    post(&me, &author, "of the blog").await;
    db.close().await.unwrap();
    let db = Db::open(folder.path(), "forum", models![User, Post, blog::Comment, Tag]).await.unwrap();
    assert_eq!(User::query().count(&db).await.unwrap(), 0);
    assert_eq!(Post::query().everywhere().count(&db).await.unwrap(), 0);
    let me = session(&db, "alice").await;
    let author = user(&me, "alice").await;
    post(&me, &author, "of the forum").await;
    assert_eq!(Post::query().everywhere().one(&db).await.unwrap().title, "of the forum");
    assert_eq!(db.problems().await.unwrap(), []);
    db.close().await.unwrap();
    let db = open(folder.path()).await;
    assert_eq!(Post::query().with(|p| p.author).everywhere().one(&db).await.unwrap().title, "of the blog");
}
