//! Creating, updating and deleting; batches; hooks; who may write what.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "tests: a panic is what they are for, and models are public")]

mod blog;

use blog::{NewPost, NewUser, Post, User, blog, open, post, session, tag, user};
use debros::WriteError;
use debros::prelude::*;

mod rows {
    use super::*;

    #[tokio::test]
    async fn a_loaded_row_is_a_row() {
        let (_folder, _db, me) = blog().await;
        let author = user(&me, "alice").await;
        post(&me, &author, "one").await;
        let loaded = Post::query().with(|p| p.author).one(&me).await.unwrap();
        let changed = me.update(&loaded).set(|p| p.popularity, loaded.popularity + 1).await.unwrap();
        assert_eq!(changed.popularity, 1);
        me.update(loaded.author()).set(|u| u.bio, "x").set(|u| u.bio, None).await.unwrap();
        me.delete(&loaded).await.unwrap();
        assert_eq!(Post::query().count(&me).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn an_update_that_changes_nothing_writes_nothing() {
        let (folder, db, me) = blog().await;
        let author = user(&me, "alice").await;
        let size = |_: &()| {
            let files = std::fs::read_dir(folder.path().join("segments")).unwrap();
            files.map(|file| file.unwrap().metadata().unwrap().len()).sum::<u64>()
        };
        let before = size(&());
        me.update(&author).set(|u| u.username, "alice").await.unwrap();
        me.update(&author).await.unwrap();
        assert_eq!(size(&()), before);
        me.update(&author).set(|u| u.bio, "x").await.unwrap();
        assert!(size(&()) > before);
        assert_eq!(User::query().one(&db).await.unwrap().bio.as_deref(), Some("x"));
    }

    #[tokio::test]
    async fn concurrent_updates_of_one_row_all_count() {
        let (_folder, _db, me) = blog().await;
        let author = user(&me, "alice").await;
        let row = post(&me, &author, "one").await;
        // each sets another field of the same row, from the same old copy
        let (a, b, c) = tokio::join!(
            async { me.update(&row).set(|p| p.title, "two").await },
            async { me.update(&row).set(|p| p.body, "body").await },
            async { me.update(&row).set(|p| p.published, true).await },
        );
        a.and(b).and(c).unwrap();
        let row = Post::get(&row.id).fetch(&me).await.unwrap().unwrap();
        assert_eq!((row.title.as_str(), row.body.as_str(), row.published), ("two", "body", true));
    }

    #[tokio::test]
    async fn concurrent_creates_of_one_unique_value_leave_one() {
        let (_folder, db, me) = blog().await;
        let creates: Vec<_> = (0..8)
            .map(|_| {
                let me = me.clone();
                tokio::spawn(async move { me.create(NewUser { username: "alice".into() }).await })
            })
            .collect();
        let mut made = 0;
        for create in creates {
            match create.await.unwrap() {
                Ok(_) => made += 1,
                Err(error) => assert!(matches!(error, WriteError::Duplicate { model: "User", .. }), "{error}"),
            }
        }
        assert_eq!((made, User::query().count(&db).await.unwrap()), (1, 1));
    }

    #[tokio::test]
    async fn fields_that_this_version_does_not_know_survive_an_update() {
        // version 2 of an application has a field more than version 1
        mod v1 {
            use debros::prelude::*;
            #[model(scope = global, writers = anyone)]
            #[derive(Debug, Clone)]
            pub struct Doc {
                #[field(key)]
                pub name: String,
                pub text: String,
            }
        }
        mod v2 {
            use debros::prelude::*;
            #[model(scope = global, writers = anyone)]
            #[derive(Debug, Clone)]
            pub struct Doc {
                #[field(key)]
                pub name: String,
                pub text: String,
                pub extra: Option<Vec<i64>>,
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path(), "docs", models![v2::Doc]).await.unwrap();
        let me = session(&db, "me").await;
        me.create(v2::NewDoc { name: "a".into(), text: "old".into() }).set(|d| d.extra, vec![1, 2]).await.unwrap();
        db.close().await.unwrap();

        let db = Db::open(folder.path(), "docs", models![v1::Doc]).await.unwrap();
        let me = session(&db, "me").await;
        let doc = v1::Doc::get("a").fetch(&db).await.unwrap().unwrap();
        me.update(&doc).set(|d| d.text, "new").await.unwrap();
        db.close().await.unwrap();

        let db = Db::open(folder.path(), "docs", models![v2::Doc]).await.unwrap();
        let doc = v2::Doc::get("a").fetch(&db).await.unwrap().unwrap();
        assert_eq!((doc.text.as_str(), doc.extra), ("new", Some(vec![1, 2])));
    }
}

mod batch {
    use super::*;

    #[tokio::test]
    async fn create_all_gives_the_rows_in_order() {
        let (_folder, db, me) = blog().await;
        let made = me.batch().create_all((0..10).map(|n| NewUser { username: format!("user{n}") })).await.unwrap();
        assert_eq!(
            made.iter().map(|u| u.username.clone()).collect::<Vec<_>>(),
            (0..10).map(|n| format!("user{n}")).collect::<Vec<_>>()
        );
        let mut stored = User::query().fetch(&db).await.unwrap();
        stored.sort_by(|a, b| a.username.cmp(&b.username));
        assert_eq!(stored, made);
    }

    #[tokio::test]
    async fn creates_updates_and_deletes_are_one_commit() {
        let (_folder, db, me) = blog().await;
        let author = user(&me, "alice").await;
        let (old, gone) = (post(&me, &author, "old").await, post(&me, &author, "gone").await);
        let new = NewPost { user_id: author.id, title: "made".into(), body: "b".into() };
        let rust = tag(&me, "rust").await;
        me.batch()
            .create(new, |p| p.set(|p| p.published, true))
            .update(&old, |p| p.set(|p| p.title, "new").set(|p| p.popularity, 3))
            .delete(&gone)
            .link(&old, |p| p.tags, &rust)
            .await
            .unwrap();
        let posts = Post::query().order_by(|p| p.title.asc()).with(|p| p.tags).fetch(&me).await.unwrap();
        let seen: Vec<_> =
            posts.iter().map(|p| (p.title.as_str(), p.published, p.popularity, p.tags().len())).collect();
        assert_eq!(seen, [("made", true, 0, 0), ("new", false, 3, 1)]);
        assert_eq!(User::query().count(&db).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn it_is_all_or_nothing() {
        let (folder, db, me) = blog().await;
        let author = user(&me, "alice").await;
        let old = post(&me, &author, "old").await;
        let wrong = me
            .batch()
            .update(&old, |p| p.set(|p| p.title, "never"))
            .create(NewUser { username: "bobby".into() }, |u| u)
            .create(NewUser { username: "alice".into() }, |u| u)
            .await;
        assert!(matches!(wrong, Err(WriteError::Duplicate { .. })), "{wrong:?}");
        assert_eq!(Post::query().one(&me).await.unwrap().title, "old");
        assert_eq!(User::query().one(&db).await.unwrap().username, "alice");
        db.close().await.unwrap();
        let db = open(folder.path()).await;
        assert_eq!(User::query().count(&db).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn later_writes_see_earlier_ones() {
        let (_folder, db, me) = blog().await;
        let alice = user(&me, "alice").await;
        // the name is free after the first, and taken after the second
        me.batch()
            .update(&alice, |u| u.set(|u| u.username, "alicia"))
            .create(NewUser { username: "alice".into() }, |u| u)
            .await
            .unwrap();
        let twice = me
            .batch()
            .create(NewUser { username: "carol".into() }, |u| u)
            .create(NewUser { username: "carol".into() }, |u| u)
            .await;
        assert!(matches!(twice, Err(WriteError::Duplicate { .. })), "{twice:?}");
        let deleted = me.batch().delete(&alice).update(&alice, |u| u.set(|u| u.bio, "x")).await;
        assert!(matches!(deleted, Err(WriteError::NotFound { .. })), "{deleted:?}");
        assert_eq!(User::query().count(&db).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn an_empty_one_does_nothing() {
        let (_folder, _db, me) = blog().await;
        me.batch().await.unwrap();
        assert_eq!(me.batch().create_all(Vec::<NewUser>::new()).await.unwrap(), []);
    }
}

mod all {
    use super::*;

    #[tokio::test]
    async fn update_all_and_delete_all_act_on_the_rows_that_fetch_gives() {
        let (_folder, db, me) = blog().await;
        let author = user(&me, "alice").await;
        for n in 0..6 {
            post(&me, &author, &format!("post {n}")).await;
        }
        let bob = session(&db, "bob").await;
        post(&bob, &author, "post of bob").await;
        let changed =
            Post::query().filter(|p| p.title.ge("post 3")).update_all(&me).set(|p| p.published, true).await.unwrap();
        assert_eq!(changed, 3);
        assert_eq!(Post::query().filter(|p| p.published.eq(true)).count(&me).await.unwrap(), 3);
        let gone = Post::query().order_by(|p| p.title.asc()).limit(2).delete_all(&me).await.unwrap();
        assert_eq!(gone, 2);
        let left = Post::query().order_by(|p| p.title.asc()).first(&me).await.unwrap().unwrap();
        assert_eq!(left.title, "post 2");
        assert_eq!(Post::query().delete_all(&me).await.unwrap(), 4);
        assert_eq!(Post::query().delete_all(&me).await.unwrap(), 0);
        assert_eq!(Post::query().everywhere().one(&db).await.unwrap().title, "post of bob");
    }

    #[tokio::test]
    async fn they_are_all_or_nothing() {
        let (_folder, db, me) = blog().await;
        let author = user(&me, "alice").await;
        user(&me, "bobby").await;
        post(&me, &author, "one").await;
        let refused = User::query().delete_all(&me).await;
        assert!(matches!(refused, Err(WriteError::StillRequired { .. })), "{refused:?}");
        let twice = User::query().update_all(&me).set(|u| u.username, "same").await;
        assert!(matches!(twice, Err(WriteError::Duplicate { .. })), "{twice:?}");
        assert_eq!(User::query().count(&db).await.unwrap(), 2);
        assert_eq!(User::query().filter(|u| u.username.eq("same")).count(&db).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn others_rows_are_not_changed() {
        let (_folder, db, me) = blog().await;
        let author = user(&me, "alice").await;
        let bob = session(&db, "bob").await;
        post(&bob, &author, "his").await;
        let theirs = Post::query().everywhere().delete_all(&me).await;
        assert!(matches!(theirs, Err(WriteError::NotYours { .. })), "{theirs:?}");
        assert_eq!(Post::query().count(&bob).await.unwrap(), 1);
    }
}

mod hooks {
    use super::*;
    use std::sync::{Mutex, PoisonError};

    /// What hooks told, by the name of the row: the tests of this file run at one time.
    static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
    fn tell(what: String) {
        TOLD.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }
    fn told(about: &str) -> Vec<String> {
        let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().filter(|line| line.ends_with(about)).cloned().collect()
    }

    #[model(scope = global, writers = anyone, hooks)]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Page {
        #[field(key)]
        pub id: Id<Page>,
        pub name: String,
        #[field(len = ..=20)]
        pub slug: Option<String>,
        #[field(default = 0)]
        pub edits: i64,
    }

    impl Hooks for Page {
        fn before_create(&mut self, _: &HookContext) -> Result<(), HookError> {
            if self.name.contains("spam") {
                return Err("this looks like spam".into());
            }
            self.slug = Some(self.name.to_lowercase());
            tell(format!("before_create {}", self.name));
            Ok(())
        }
        fn after_create(&self, context: &HookContext) {
            assert!(context.now <= Timestamp::now());
            tell(format!("after_create {}", self.name));
        }
        fn before_update(&mut self, before: &Page, _: &HookContext) -> Result<(), HookError> {
            if self.name == "panic" {
                panic!("a hook went wrong");
            }
            if self.edits > 2 {
                return Err(format!("{} was edited too often", self.name).into());
            }
            self.edits = before.edits + 1;
            tell(format!("before_update {}", self.name));
            Ok(())
        }
        fn after_update(&self, before: &Page, _: &HookContext) {
            tell(format!("after_update from {} {}", before.edits, self.name));
        }
        fn before_delete(&self, _: &HookContext) -> Result<(), HookError> {
            if self.name == "kept" { Err("it is to be kept".into()) } else { Ok(()) }
        }
        fn after_delete(&self, _: &HookContext) {
            tell(format!("after_delete {}", self.name));
        }
    }

    async fn pages() -> (tempfile::TempDir, Db, Session) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path(), "pages", models![Page]).await.unwrap();
        let me = session(&db, "me").await;
        (folder, db, me)
    }
    fn new(name: &str) -> NewPage {
        NewPage { name: name.into() }
    }

    #[tokio::test]
    async fn they_run_before_and_after_and_may_change_the_record() {
        let (_folder, db, me) = pages().await;
        let page = me.create(new("One")).await.unwrap();
        assert_eq!(page.slug.as_deref(), Some("one"));
        let page = me.update(&page).set(|p| p.slug, None).await.unwrap();
        assert_eq!((page.edits, &page.slug), (1, &None));
        assert_eq!(Page::query().one(&db).await.unwrap(), page);
        me.delete(&page).await.unwrap();
        assert_eq!(
            told("One"),
            [
                "before_create One",
                "after_create One",
                "before_update One",
                "after_update from 0 One",
                "after_delete One"
            ]
        );
    }

    #[tokio::test]
    async fn they_may_refuse() {
        let (_folder, db, me) = pages().await;
        let spam = me.create(new("spam!")).await.unwrap_err();
        assert_eq!(spam.to_string(), "`Page`: its `before_create` hook refused: this looks like spam");
        let kept = me.create(new("kept")).await.unwrap();
        let delete = me.delete(&kept).await.unwrap_err();
        assert!(
            matches!(&delete, WriteError::Hook { hook: "before_delete", message, .. } if message == "it is to be kept"),
            "{delete}"
        );
        let update = me.update(&kept).set(|p| p.edits, 5).await.unwrap_err();
        assert!(matches!(update, WriteError::Hook { hook: "before_update", .. }), "{update}");
        assert_eq!(Page::query().one(&db).await.unwrap(), kept);
        assert_eq!(told("spam!"), Vec::<String>::new());
    }

    #[tokio::test]
    async fn rules_are_checked_after_them() {
        let (_folder, _db, me) = pages().await;
        let long = me.create(new("a name of more than twenty letters")).await;
        assert!(matches!(long, Err(WriteError::Validation(_))), "{long:?}");
    }

    #[tokio::test]
    async fn nothing_gets_around_them() {
        let (_folder, db, me) = pages().await;
        let batch = me.batch().create_all([new("fine"), new("spam 2")]).await;
        assert!(matches!(batch, Err(WriteError::Hook { .. })), "{batch:?}");
        assert!(me.batch().create(new("spam 3"), |p| p).await.is_err());
        assert_eq!(Page::query().count(&db).await.unwrap(), 0);
        let made = me.batch().create_all([new("Two"), new("kept")]).await.unwrap();
        assert_eq!(made[0].slug.as_deref(), Some("two"));
        assert!(me.batch().delete(&made[1]).await.is_err());
        assert!(Page::query().delete_all(&me).await.is_err());
        let updated = Page::query().filter(|p| p.name.eq("Two")).update_all(&me).set(|p| p.slug, "x").await.unwrap();
        assert_eq!(updated, 1);
        assert_eq!(Page::get(&made[0].id).fetch(&db).await.unwrap().unwrap().edits, 1);
        assert!(told("Two").contains(&"after_update from 0 Two".to_owned()), "{:?}", told("Two"));
        Page::query().filter(|p| p.name.eq("Two")).delete_all(&me).await.unwrap();
        assert!(told("Two").contains(&"after_delete Two".to_owned()), "{:?}", told("Two"));
    }

    #[tokio::test]
    async fn one_that_panics_refuses_and_harms_nothing() {
        let (_folder, db, me) = pages().await;
        let page = me.create(new("Three")).await.unwrap();
        let panicked = me.update(&page).set(|p| p.name, "panic").await.unwrap_err();
        assert!(
            matches!(&panicked, WriteError::Hook { message, .. } if message.contains("a hook went wrong")),
            "{panicked}"
        );
        let page = me.update(&page).set(|p| p.name, "still there").await.unwrap();
        assert_eq!(Page::query().one(&db).await.unwrap(), page);
    }
}

mod writers {
    use super::*;

    #[model(scope = global, writers = admins)]
    #[derive(Debug, Clone)]
    pub struct Setting {
        #[field(key)]
        pub name: String,
        pub value: String,
    }
    #[model(scope = global, writers = owner)]
    #[derive(Debug, Clone)]
    pub struct Profile {
        #[field(key)]
        pub id: Id<Profile>,
        pub text: String,
    }

    #[tokio::test]
    async fn admins_write_what_admins_write() {
        let folder = tempfile::tempdir().unwrap();
        let keys = tempfile::tempdir().unwrap();
        let elsewhere = Db::open(keys.path(), "keys", models![Profile]).await.unwrap();
        let root = elsewhere.identity("root").await.unwrap();
        let builder = Db::builder(folder.path(), "app").admins([root.user()]);
        let db = builder.open(models![Setting, Profile]).await.unwrap();
        let admin = db.session(&db.import_identity("root", &root.export()).await.unwrap());
        let setting = admin.create(NewSetting { name: "theme".into(), value: "dark".into() }).await.unwrap();
        let bob = session(&db, "bob").await;
        let refused = bob.create(NewSetting { name: "x".into(), value: "y".into() }).await.unwrap_err();
        assert!(
            matches!(&refused, WriteError::NotAllowed { model, user, .. } if model == "Setting" && *user == bob.user()),
            "{refused}"
        );
        assert!(matches!(bob.update(&setting).set(|s| s.value, "light").await, Err(WriteError::NotAllowed { .. })));
        assert!(matches!(bob.delete(&setting).await, Err(WriteError::NotAllowed { .. })));
        admin.update(&setting).set(|s| s.value, "light").await.unwrap();
        assert_eq!(Setting::get("theme").fetch(&bob).await.unwrap().unwrap().value, "light");
    }

    #[tokio::test]
    async fn a_model_of_admins_needs_admins() {
        let folder = tempfile::tempdir().unwrap();
        let none = Db::open(folder.path(), "app", models![Setting, Profile]).await;
        assert!(
            matches!(none, Err(debros::OpenError::Models(debros::ModelError::NoAdmins { model: "Setting" }))),
            "{none:?}"
        );
    }

    #[tokio::test]
    async fn only_its_owner_changes_what_owners_write() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path(), "app", models![Profile]).await.unwrap();
        let (alice, bob) = (session(&db, "alice").await, session(&db, "bob").await);
        let hers = alice.create(NewProfile { text: "hers".into() }).await.unwrap();
        bob.create(NewProfile { text: "his".into() }).await.unwrap();
        let update = bob.update(&hers).set(|p| p.text, "stolen").await.unwrap_err();
        assert!(matches!(&update, WriteError::NotYours { owner, .. } if *owner == alice.user()), "{update}");
        assert!(matches!(bob.delete(&hers).await, Err(WriteError::NotYours { .. })));
        assert!(matches!(bob.batch().delete(&hers).await, Err(WriteError::NotYours { .. })));
        alice.update(&hers).set(|p| p.text, "mine").await.unwrap();
        alice.delete(&hers).await.unwrap();
        assert_eq!(Profile::query().one(&db).await.unwrap().text, "his");
    }

    #[tokio::test]
    async fn a_users_data_is_not_written_by_others() {
        let (_folder, db, alice) = blog().await;
        let bob = session(&db, "bob").await;
        let author = user(&alice, "alice").await;
        let hers = post(&alice, &author, "hers").await;
        let update = bob.update(&hers).set(|p| p.title, "stolen").await.unwrap_err();
        assert!(
            matches!(&update, WriteError::NotYours { model, owner, .. } if model == "Post" && *owner == alice.user()),
            "{update}"
        );
        let delete = bob.delete(&hers).await.unwrap_err();
        assert!(matches!(delete, WriteError::NotYours { .. }), "{delete}");
        assert_eq!(Post::query().one(&db.view(alice.user())).await.unwrap(), hers);
    }
}

#[tokio::test]
async fn sharded_rows_are_found_without_their_shard_key() {
    #[model(scope = global, writers = anyone, sharding(strategy = hash, key = region, count = 5))]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Shop {
        #[field(key)]
        pub id: Id<Shop>,
        pub name: String,
        pub region: String,
        pub sales: Option<i64>,
    }
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(folder.path(), "shops", models![Shop]).await.unwrap();
    let me = session(&db, "me").await;
    let new = (0..20).map(|n| NewShop { name: format!("shop{n}"), region: format!("r{}", n % 7) });
    let shops = me.batch().create_all(new).await.unwrap();
    let shop = Shop::get(&shops[13].id).fetch(&db).await.unwrap().unwrap();
    assert_eq!(shop, shops[13]);
    // a copy with a wrong shard key finds its row
    let copy = Shop { region: "elsewhere".into(), ..shop.clone() };
    let changed = me.update(&copy).set(|s| s.sales, 5).await.unwrap();
    assert_eq!(changed, Shop { sales: Some(5), ..shop });
    me.delete(&copy).await.unwrap();
    assert_eq!(Shop::query().filter(|s| s.region.eq("r6")).count(&db).await.unwrap(), 1);
    assert_eq!(Shop::query().count(&db).await.unwrap(), 19);
}

#[tokio::test]
async fn composite_keys() {
    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Weather {
        #[field(key)]
        pub origin: String,
        #[field(key)]
        pub hour: Timestamp,
        pub temp: Option<f64>,
    }
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(folder.path(), "weather", models![Weather]).await.unwrap();
    let me = session(&db, "me").await;
    let hour = Timestamp::from_millis(3_600_000);
    let row = me.create(NewWeather { origin: "EWR".into(), hour }).set(|w| w.temp, 1.5).await.unwrap();
    assert!(
        matches!(me.create(NewWeather { origin: "EWR".into(), hour }).await, Err(WriteError::KeyTaken { ref key, .. }) if key == "[\"EWR\",3600000]")
    );
    me.create(NewWeather { origin: "JFK".into(), hour }).await.unwrap();
    assert_eq!(Weather::get(&("EWR".to_owned(), hour)).fetch(&db).await.unwrap(), Some(row.clone()));
    me.update(&row).set(|w| w.temp, None).await.unwrap();
    me.delete(&row).await.unwrap();
    assert_eq!(Weather::query().one(&db).await.unwrap().origin, "JFK");
}
