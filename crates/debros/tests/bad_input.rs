//! What is wrong outside, and what is said of it.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "tests: a panic is what they are for, and models are public")]

mod blog;

use blog::{NewPost, NewUser, Post, User, blog, open, post, user};
use debros::prelude::*;
use debros::{OpenError, WriteError};
use std::{fs, path::Path};

type Opened = Result<Db, OpenError>;

async fn try_open(folder: &Path) -> Opened {
    Db::open(folder, "blog", models![User, Post, blog::Comment, blog::Tag]).await
}

#[tokio::test]
async fn a_folder_of_a_newer_format_is_left_alone() {
    let (folder, db, _me) = blog().await;
    db.close().await.unwrap();
    fs::write(folder.path().join("format"), "99").unwrap();
    let newer = try_open(folder.path()).await;
    match newer {
        Err(error @ OpenError::NewerFormat { found: 99, .. }) => {
            let text = error.to_string();
            assert!(
                text.contains("update the program") && text.contains(&folder.path().display().to_string()),
                "{text}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_in_place_of_the_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "hello").unwrap();
    let error = try_open(&file).await.expect_err("a file is no folder");
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"hello");
}

#[tokio::test]
async fn a_name_that_no_application_has_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["", "a/b", "ä", &"x".repeat(65)] {
        let wrong = Db::open(folder.path(), name, models![User, Post, blog::Comment, blog::Tag]).await;
        assert!(matches!(wrong, Err(OpenError::Application(_))), "{name}: {wrong:?}");
    }
}

#[tokio::test]
async fn a_flipped_byte_is_found_and_the_rest_stays_readable() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Db::builder(folder.path(), "blog").segment_size(1 << 16);
    let db = options().open(models![User, Post, blog::Comment, blog::Tag]).await.unwrap();
    let me = blog::session(&db, "alice").await;
    let author = user(&me, "alice").await;
    let mut posts = Vec::new();
    for n in 0..20 {
        let new = (0..10).map(|m| NewPost { user_id: author.id, title: format!("{n}.{m}"), body: "y".repeat(800) });
        posts.extend(me.batch().create_all(new).await.unwrap());
    }
    db.close().await.unwrap();
    let mut files: Vec<_> = fs::read_dir(folder.path().join("segments"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "car"))
        .collect();
    files.sort();
    assert!(files.len() > 2, "{files:?}");
    let damaged = &files[1];
    let mut bytes = fs::read(damaged).unwrap();
    let at = bytes.windows(40).position(|window| window == [b'y'; 40]).unwrap() + 20;
    bytes[at] ^= 1;
    fs::write(damaged, bytes).unwrap();

    let db = options().open(models![User, Post, blog::Comment, blog::Tag]).await.unwrap();
    let me = blog::session(&db, "alice").await;
    let report = db.verify().await.unwrap();
    assert!(!report.is_clean());
    let text = report.to_string();
    assert!(text.contains(&damaged.file_name().unwrap().to_string_lossy().into_owned()), "{text}");
    let (mut readable, mut broken) = (0, 0);
    for post in &posts {
        match Post::get(&post.id).fetch(&me).await {
            Ok(found) => {
                assert_eq!(found.as_ref(), Some(post));
                readable += 1;
            }
            Err(error) => {
                assert!(error.to_string().contains("damaged"), "{error}");
                broken += 1;
            }
        }
    }
    assert_eq!((readable, broken), (posts.len() - 1, 1));
    // an error is never turned into fewer rows
    assert!(Post::query().fetch(&me).await.is_err());
}

#[tokio::test]
async fn a_record_that_is_too_large_or_too_deep_is_refused() {
    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone)]
    pub struct Blob {
        #[field(key)]
        pub name: String,
        pub data: Vec<u8>,
        #[field(serde)]
        pub tree: Tree,
    }
    #[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
    pub struct Tree(Vec<Tree>);
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(folder.path(), "blobs", models![Blob]).await.unwrap();
    let me = blog::session(&db, "me").await;
    let blob = |size: usize| NewBlob { name: "b".into(), data: vec![7; size], tree: Tree::default() };
    let large = me.create(blob(1 << 20)).await.unwrap_err();
    assert!(matches!(large, WriteError::TooLarge { model: "Blob", bytes, limit, .. } if bytes > limit), "{large}");
    let mut deep = Tree::default();
    for _ in 0..100 {
        deep = Tree(vec![deep]);
    }
    let too_deep = me.create(NewBlob { tree: deep, ..blob(1) }).await.unwrap_err();
    assert!(matches!(too_deep, WriteError::TooDeep { .. } | WriteError::Encode(_)), "{too_deep}");
    let fits = me.create(blob((1 << 20) - (32 << 10))).await.unwrap();
    let grown = me.update(&fits).set(|b| b.data, vec![7; 1 << 20]).await.unwrap_err();
    assert!(matches!(grown, WriteError::TooLarge { .. }), "{grown}");
    assert_eq!(Blob::query().one(&db).await.unwrap().data.len(), fits.data.len());
}

#[tokio::test]
async fn keys_that_are_none_are_refused() {
    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone)]
    pub struct Named {
        #[field(key)]
        pub name: String,
    }
    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone)]
    pub struct Numbered {
        #[field(key)]
        pub n: i64,
    }
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(folder.path(), "keys", models![Named, Numbered]).await.unwrap();
    let me = blog::session(&db, "me").await;
    assert!(matches!(me.create(NewNamed { name: String::new() }).await, Err(WriteError::NoKey { .. })));
    assert!(matches!(me.create(NewNumbered { n: 0 }).await, Err(WriteError::NoKey { .. })));
    assert!(matches!(me.create(NewNamed { name: "x".repeat(5000) }).await, Err(WriteError::KeyTooLong { .. })));
    // long keys that begin alike are two
    let long = |end: &str| "x".repeat(500) + end;
    me.create(NewNamed { name: long("1") }).await.unwrap();
    me.create(NewNamed { name: long("2") }).await.unwrap();
    assert_eq!(Named::get(long("2").as_str()).fetch(&db).await.unwrap().unwrap().name, long("2"));
    assert_eq!(Named::query().filter(|n| n.name.eq(long("1"))).count(&db).await.unwrap(), 1);
}

#[tokio::test]
async fn a_stored_row_that_does_not_decode_is_listed_and_the_others_served() {
    // the same stored name, another type: as after a careless change of a model
    mod before {
        use debros::prelude::*;
        #[model(scope = global, writers = anyone)]
        #[derive(Debug, Clone)]
        pub struct Item {
            #[field(key)]
            pub name: String,
            pub price: String,
        }
    }
    mod after {
        use debros::prelude::*;
        #[model(scope = global, writers = anyone)]
        #[derive(Debug, Clone)]
        pub struct Item {
            #[field(key)]
            pub name: String,
            #[field(index)]
            pub price: Option<i64>,
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(folder.path(), "shop", models![before::Item]).await.unwrap();
    let me = blog::session(&db, "me").await;
    let old = me.create(before::NewItem { name: "old".into(), price: "cheap".into() }).await.unwrap();
    db.close().await.unwrap();

    let db = Db::open(folder.path(), "shop", models![after::Item]).await.unwrap();
    let me = blog::session(&db, "me").await;
    me.create(after::NewItem { name: "new".into() }).set(|i| i.price, 3).await.unwrap();
    assert_eq!(after::Item::query().one(&db).await.unwrap().name, "new");
    assert_eq!(after::Item::query().order_by(|i| i.price.asc()).count(&db).await.unwrap(), 1);
    assert!(after::Item::get("old").fetch(&db).await.unwrap().is_none());
    let problems = db.problems().await.unwrap();
    assert_eq!(problems.len(), 1);
    let text = problems[0].to_string();
    assert!(text.contains("`Item` old cannot be read") && text.contains("`Item.price` holds text"), "{text}");
    // it is not overwritten by accident, and can be deleted
    let taken = me.create(after::NewItem { name: "old".into() }).await;
    assert!(matches!(taken, Err(WriteError::KeyTaken { .. })), "{taken:?}");
    let copy = after::Item { name: "old".into(), price: None };
    let update = me.update(&copy).set(|i| i.price, 1).await;
    assert!(matches!(update, Err(WriteError::Decode { .. })), "{update:?}");
    db.close().await.unwrap();

    // with the old model it is as it was
    let db = Db::open(folder.path(), "shop", models![before::Item]).await.unwrap();
    assert_eq!(before::Item::get("old").fetch(&db).await.unwrap().unwrap().price, old.price);
    assert_eq!(db.problems().await.unwrap().len(), 1, "now the new one is none");
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let (folder, db, me) = blog().await;
    let author = user(&me, "alice").await;
    post(&me, &author, "one").await;
    let say = |error: WriteError| error.to_string();
    assert_eq!(
        say(me.create(NewUser { username: "alice".into() }).await.unwrap_err()),
        format!("`User.username` is unique, and \"alice\" is taken by the record {}: choose another", author.id)
    );
    assert_eq!(
        say(me.create(NewUser { username: "ab".into() }).await.unwrap_err()),
        "`User.username` has 2 characters, but `len = 3..=32`"
    );
    let folded: debros::Error = me.create(NewUser { username: "ab".into() }).await.unwrap_err().into();
    assert_eq!(folded.to_string(), "`User.username` has 2 characters, but `len = 3..=32`");
    db.close().await.unwrap();
    let db = open(folder.path()).await;
    assert_eq!(User::query().count(&db).await.unwrap(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_cannot_be_written_is_an_error() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o500)).unwrap();
    // the superuser may write anywhere, so there is nothing to see then
    let superuser = fs::write(data.join("probe"), "").is_ok();
    let opened = try_open(&data).await;
    if !superuser {
        match opened {
            Err(error @ OpenError::ReadOnly { .. }) => assert!(error.to_string().contains("permission"), "{error}"),
            other => panic!("{other:?}"),
        }
    }
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
}
