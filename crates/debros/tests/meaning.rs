//! The table "What the words mean" of the design, line by line: a module for each line, named after it.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "tests: a panic is what they are for, and models are public")]

mod blog;

use blog::{Comment, NewUser, Post, Tag, User, blog, comment, post, session, tag, user};
use debros::prelude::*;
use debros::{QueryError, WriteError};

fn names(users: &[User]) -> Vec<&str> {
    users.iter().map(|user| user.username.as_str()).collect()
}

mod the_kubo_feature {
    /// `.kubo(..)` comes with a feature of its own, which an application asks for.
    #[test]
    fn is_off_by_default() {
        let manifest = include_str!("../Cargo.toml");
        let default = manifest.lines().find(|line| line.starts_with("default = ")).unwrap();
        assert!(!default.contains("kubo"), "{default}");
    }
}

mod users {
    use super::*;

    /// Whose it is, is a field.
    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Note {
        #[field(key)]
        pub id: Id<Note>,
        #[field(owner)]
        pub owner: UserId,
        pub reader: Option<UserId>,
        pub text: String,
    }

    #[tokio::test]
    async fn owner_is_filled_by_the_session() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path(), "notes", models![Note]).await.unwrap();
        let (alice, bob) = (session(&db, "alice").await, session(&db, "bob").await);
        let note = alice.create(NewNote { text: "hi".into() }).set(|n| n.reader, bob.user()).await.unwrap();
        assert_eq!(note.owner, alice.user());
        assert_eq!(db.owner(&note).await.unwrap(), alice.user());
        // a model that anyone writes is changed by anyone, and the owner stays who created it
        let note = bob.update(&note).set(|n| n.text, "changed").await.unwrap();
        assert_eq!((note.owner, note.text.as_str()), (alice.user(), "changed"));
        assert_eq!(db.owner(&note).await.unwrap(), alice.user());
        let found =
            Note::query().filter(|n| n.owner.eq(alice.user()) & n.reader.eq(bob.user())).one(&db).await.unwrap();
        assert_eq!(found, note);
    }

    #[tokio::test]
    async fn the_owner_of_any_row_is_known() {
        let (_folder, db, alice) = blog().await;
        let bob = session(&db, "bob").await;
        let author = user(&alice, "alice").await;
        let (hers, his) = (post(&alice, &author, "hers").await, post(&bob, &author, "his").await);
        assert_eq!(db.owner(&hers).await.unwrap(), alice.user());
        assert_eq!(db.owner(&his).await.unwrap(), bob.user());
        let loaded =
            Post::query().with(|p| p.author).everywhere().filter(|p| p.title.eq("his")).one(&db).await.unwrap();
        assert_eq!(db.owner(&loaded).await.unwrap(), bob.user());
        assert_eq!(db.owner(loaded.author()).await.unwrap(), alice.user());
    }

    #[tokio::test]
    async fn a_model_called_user_is_an_ordinary_model() {
        let (_folder, db, me) = blog().await;
        let alice = user(&me, "alice").await;
        assert_eq!(User::get(&alice.id).fetch(&db).await.unwrap(), Some(alice));
    }
}

mod what_may_be_set {
    use super::*;

    #[model(scope = global, writers = anyone, sharding(strategy = hash, key = code, count = 2))]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Place {
        #[field(key)]
        pub code: String,
        pub region: String,
        #[field(default = 7)]
        pub rank: i64,
        pub note: Option<String>,
        #[field(created)]
        pub made: Timestamp,
        #[field(updated)]
        pub touched: Timestamp,
    }

    async fn open() -> (tempfile::TempDir, Db, Session) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path(), "places", models![Place]).await.unwrap();
        let me = session(&db, "me").await;
        (folder, db, me)
    }
    fn new(code: &str) -> NewPlace {
        NewPlace { code: code.into(), region: "north".into() }
    }

    #[tokio::test]
    async fn new_holds_what_nobody_fills_in() {
        let (_folder, _db, me) = open().await;
        let before = Timestamp::now();
        let place = me.create(new("a")).await.unwrap();
        assert_eq!((place.code.as_str(), place.region.as_str(), place.rank, &place.note), ("a", "north", 7, &None));
        assert!(place.made >= before && place.made <= Timestamp::now());
        assert_eq!(place.made, place.touched);
    }

    #[tokio::test]
    async fn created_can_be_set_at_creation_so_an_import_keeps_its_time() {
        let (_folder, db, me) = open().await;
        let then = Timestamp::from_millis(-5);
        let place = me.create(new("a")).set(|p| p.made, then).set(|p| p.rank, 1).set(|p| p.note, "x").await.unwrap();
        assert_eq!((place.made, place.rank, place.note.as_deref()), (then, 1, Some("x")));
        assert_eq!(Place::get("a").fetch(&db).await.unwrap(), Some(place));
    }

    #[tokio::test]
    async fn updated_follows_every_write() {
        let (_folder, _db, me) = open().await;
        let place = me.create(new("a")).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        let later = me.update(&place).set(|p| p.rank, 2).await.unwrap();
        assert!(later.touched > place.touched);
        assert_eq!(later.made, place.made);
    }

    #[tokio::test]
    async fn a_natural_key_is_given_once() {
        let (_folder, _db, me) = open().await;
        me.create(new("a")).await.unwrap();
        let again = me.create(NewPlace { code: "a".into(), region: "south".into() }).await;
        assert!(matches!(again, Err(WriteError::KeyTaken { model: "Place", ref key }) if key == "a"), "{again:?}");
    }
}

mod unique_and_index {
    use super::*;

    #[model(scope = user, unique(artist, name), index(artist, year))]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Album {
        #[field(key)]
        pub id: Id<Album>,
        pub artist: String,
        pub name: Option<String>,
        #[field(unique)]
        pub barcode: Option<String>,
        #[field(default = 0)]
        pub year: i32,
    }

    #[model(scope = global, writers = anyone, unique(region, code), sharding(strategy = hash, key = region, count = 4))]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Station {
        #[field(key)]
        pub id: Id<Station>,
        pub region: String,
        pub code: String,
    }

    async fn open() -> (tempfile::TempDir, Db, Session) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path(), "albums", models![Album, Station]).await.unwrap();
        let me = session(&db, "me").await;
        (folder, db, me)
    }
    fn album(artist: &str) -> NewAlbum {
        NewAlbum { artist: artist.into() }
    }

    #[tokio::test]
    async fn a_unique_set_is_unique_as_a_whole() {
        let (_folder, _db, me) = open().await;
        let one = me.create(album("x")).set(|a| a.name, "one").await.unwrap();
        me.create(album("x")).set(|a| a.name, "two").await.unwrap();
        me.create(album("y")).set(|a| a.name, "one").await.unwrap();
        let again = me.create(album("x")).set(|a| a.name, "one").await.unwrap_err();
        match again {
            WriteError::Duplicate { model, fields, by, .. } => {
                assert_eq!((model, fields, by), ("Album", &["artist", "name"][..], one.id.to_string()));
            }
            other => panic!("{other}"),
        }
        let two = Album::query().filter(|a| a.name.eq("two")).one(&me).await.unwrap();
        let moved = me.update(&two).set(|a| a.name, "one").await;
        assert!(matches!(moved, Err(WriteError::Duplicate { .. })), "{moved:?}");
        // a row does not stand in its own way
        me.update(&one).set(|a| a.name, "one").set(|a| a.year, 1999).await.unwrap();
    }

    #[tokio::test]
    async fn absent_values_do_not_collide() {
        let (_folder, _db, me) = open().await;
        for _ in 0..3 {
            me.create(album("x")).await.unwrap();
        }
        me.create(album("x")).set(|a| a.barcode, "123").await.unwrap();
        assert!(me.create(album("z")).set(|a| a.barcode, "123").await.is_err());
        assert_eq!(Album::query().count(&me).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn long_texts_that_begin_alike_do_not_collide() {
        let (_folder, _db, me) = open().await;
        let long = "x".repeat(400);
        me.create(album("x")).set(|a| a.barcode, long.clone() + "1").await.unwrap();
        me.create(album("x")).set(|a| a.barcode, long.clone() + "2").await.unwrap();
        assert!(me.create(album("x")).set(|a| a.barcode, long + "2").await.is_err());
    }

    #[tokio::test]
    async fn in_a_user_scoped_model_unique_is_per_user() {
        let (_folder, db, me) = open().await;
        let bob = session(&db, "bob").await;
        me.create(album("x")).set(|a| a.barcode, "1").await.unwrap();
        bob.create(album("x")).set(|a| a.barcode, "1").await.unwrap();
        assert!(bob.create(album("x")).set(|a| a.barcode, "1").await.is_err());
    }

    #[tokio::test]
    async fn on_a_sharded_model_the_set_contains_the_shard_key() {
        let (_folder, _db, me) = open().await;
        for region in ["a", "b", "c", "d", "e"] {
            me.create(NewStation { region: region.into(), code: "1".into() }).await.unwrap();
            assert!(me.create(NewStation { region: region.into(), code: "1".into() }).await.is_err());
        }
        assert_eq!(Station::query().count(&me).await.unwrap(), 5);
    }

    #[tokio::test]
    async fn what_is_deleted_or_changed_is_free_again() {
        let (_folder, _db, me) = open().await;
        let one = me.create(album("x")).set(|a| a.barcode, "1").await.unwrap();
        let one = me.update(&one).set(|a| a.barcode, "2").await.unwrap();
        let two = me.create(album("x")).set(|a| a.barcode, "1").await.unwrap();
        me.delete(&one).await.unwrap();
        me.update(&two).set(|a| a.barcode, "2").await.unwrap();
    }
}

mod absent_values {
    use super::*;

    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Reading {
        #[field(key)]
        pub name: String,
        #[field(index)]
        pub value: Option<i64>,
        pub label: Option<String>,
    }

    async fn open() -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path(), "readings", models![Reading]).await.unwrap();
        let me = session(&db, "me").await;
        for (name, value, label) in [("none", None, None), ("one", Some(1), Some("uno")), ("two", Some(2), Some("dos"))]
        {
            me.create(NewReading { name: name.into() })
                .set(|r| r.value, value)
                .set(|r| r.label, label.map(String::from))
                .await
                .unwrap();
        }
        (folder, db)
    }
    async fn matching(db: &Db, filter: Filter<Reading>) -> Vec<String> {
        let rows = Reading::query().matching(filter).order_by(|r| r.name.asc()).fetch(db).await.unwrap();
        rows.into_iter().map(|row| row.name).collect()
    }

    #[tokio::test]
    async fn eq_is_false_and_ne_true_of_an_absent_one() {
        let (_folder, db) = open().await;
        let r = Reading::FIELDS;
        assert_eq!(matching(&db, r.value.eq(1)).await, ["one"]);
        assert_eq!(matching(&db, r.value.ne(1)).await, ["none", "two"]);
        assert_eq!(matching(&db, r.value.eq(None)).await, ["none"]);
        assert_eq!(matching(&db, r.value.ne(None)).await, ["one", "two"]);
        assert_eq!(matching(&db, r.value.is_none()).await, ["none"]);
        assert_eq!(matching(&db, r.value.is_some()).await, ["one", "two"]);
    }

    #[tokio::test]
    async fn one_of_is_false_and_none_of_true() {
        let (_folder, db) = open().await;
        let r = Reading::FIELDS;
        assert_eq!(matching(&db, r.value.one_of([1, 3])).await, ["one"]);
        assert_eq!(matching(&db, r.value.none_of([1, 3])).await, ["none", "two"]);
    }

    #[tokio::test]
    async fn orders_and_text_predicates_are_false() {
        let (_folder, db) = open().await;
        let r = Reading::FIELDS;
        assert_eq!(matching(&db, r.value.gt(-1)).await, ["one", "two"]);
        assert_eq!(matching(&db, r.value.ge(2)).await, ["two"]);
        assert_eq!(matching(&db, r.value.lt(9)).await, ["one", "two"]);
        assert_eq!(matching(&db, r.value.le(1)).await, ["one"]);
        assert_eq!(matching(&db, r.label.contains("")).await, ["one", "two"]);
        assert_eq!(matching(&db, r.label.starts_with("u")).await, ["one"]);
        assert_eq!(matching(&db, r.label.ends_with("s")).await, ["two"]);
    }

    #[tokio::test]
    async fn not_is_plain_negation() {
        let (_folder, db) = open().await;
        let r = Reading::FIELDS;
        assert_eq!(matching(&db, !r.value.gt(1)).await, ["none", "one"]);
        assert_eq!(matching(&db, !r.label.contains("o")).await, ["none"]);
        assert_eq!(matching(&db, !!r.value.eq(1)).await, ["one"]);
    }

    #[tokio::test]
    async fn absent_sorts_first_when_ascending() {
        let (_folder, db) = open().await;
        let asc = Reading::query().order_by(|r| r.value.asc()).fetch(&db).await.unwrap();
        assert_eq!(asc.iter().map(|r| r.value).collect::<Vec<_>>(), [None, Some(1), Some(2)]);
        let desc = Reading::query().order_by(|r| r.value.desc()).fetch(&db).await.unwrap();
        assert_eq!(desc.iter().map(|r| r.value).collect::<Vec<_>>(), [Some(2), Some(1), None]);
    }

    #[tokio::test]
    async fn aggregates_skip_them() {
        let (_folder, db) = open().await;
        assert_eq!(Reading::query().sum(|r| r.value, &db).await.unwrap(), 3);
        assert_eq!(Reading::query().avg(|r| r.value, &db).await.unwrap(), Some(1.5));
        assert_eq!(Reading::query().count(&db).await.unwrap(), 3);
    }
}

mod order {
    use super::*;

    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Sample {
        #[field(key)]
        pub n: i64,
        pub group: String,
        #[field(index)]
        pub weight: f64,
    }

    async fn open(rows: &[(i64, &str, f64)]) -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path(), "samples", models![Sample]).await.unwrap();
        let me = session(&db, "me").await;
        let new = rows.iter().map(|&(n, group, weight)| NewSample { n, group: group.into(), weight });
        me.batch().create_all(new).await.unwrap();
        (folder, db)
    }
    fn keys(rows: &[Sample]) -> Vec<i64> {
        rows.iter().map(|row| row.n).collect()
    }

    #[tokio::test]
    async fn several_orders_add_up_and_ties_go_by_key() {
        let (_folder, db) = open(&[(3, "a", 1.0), (1, "b", 1.0), (2, "a", 1.0), (4, "a", 0.5)]).await;
        let rows = Sample::query().order_by(|s| s.group.asc()).order_by(|s| s.weight.desc()).fetch(&db).await.unwrap();
        assert_eq!(keys(&rows), [3, 2, 4, 1].map(|n| n).to_vec());
        let rows = Sample::query().order_by(|s| s.group.asc()).order_by(|s| s.weight.asc()).fetch(&db).await.unwrap();
        assert_eq!(keys(&rows), [4, 2, 3, 1]);
    }

    #[tokio::test]
    async fn floats_are_ordered_and_minus_zero_is_zero() {
        let (_folder, db) =
            open(&[(1, "a", 0.5), (2, "a", -0.0), (3, "a", -1e300), (4, "a", 3.0), (5, "a", 0.0)]).await;
        let rows = Sample::query().order_by(|s| s.weight.asc()).fetch(&db).await.unwrap();
        assert_eq!(keys(&rows), [3, 2, 5, 1, 4]);
        let zeros = Sample::query().filter(|s| s.weight.eq(0.0)).order_by(|s| s.n.asc()).fetch(&db).await.unwrap();
        assert_eq!(keys(&zeros), [2, 5]);
        assert_eq!(Sample::query().filter(|s| s.weight.eq(-0.0)).count(&db).await.unwrap(), 2);
        assert!(zeros.iter().all(|row| row.weight.is_sign_positive()));
    }

    #[tokio::test]
    async fn text_sorts_by_bytes() {
        let (_folder, db) = open(&[(1, "b", 0.0), (2, "B", 0.0), (3, "é", 0.0), (4, "a", 0.0), (5, "", 0.0)]).await;
        let rows = Sample::query().order_by(|s| s.group.asc()).fetch(&db).await.unwrap();
        assert_eq!(keys(&rows), [5, 2, 4, 1, 3]);
    }
}

mod a_querys_end {
    use super::*;

    async fn five() -> (tempfile::TempDir, Db, Session) {
        let (folder, db, me) = blog().await;
        let author = user(&me, "alice").await;
        for n in 0..5i64 {
            let made = post(&me, &author, &format!("post {n}")).await;
            me.update(&made).set(|p| p.popularity, n).await.unwrap();
        }
        (folder, db, me)
    }

    #[tokio::test]
    async fn it_acts_on_the_rows_that_fetch_would_give() {
        let (_folder, _db, me) = five().await;
        assert_eq!(Post::query().limit(3).count(&me).await.unwrap(), 3);
        assert_eq!(Post::query().limit(10).count(&me).await.unwrap(), 5);
        assert_eq!(
            Post::query().order_by(|p| p.popularity.desc()).limit(2).sum(|p| p.popularity, &me).await.unwrap(),
            7
        );
        assert_eq!(
            Post::query().order_by(|p| p.popularity.asc()).limit(2).max(|p| p.popularity, &me).await.unwrap(),
            Some(1)
        );
        assert!(!Post::query().limit(0).exists(&me).await.unwrap());
        assert!(Post::query().exists(&me).await.unwrap());
    }

    #[tokio::test]
    async fn one_is_an_error_for_none_and_for_several() {
        let (_folder, _db, me) = five().await;
        let none = Post::query().filter(|p| p.title.eq("no")).one(&me).await;
        assert!(matches!(none, Err(QueryError::NotFound { model: "Post" })), "{none:?}");
        let several = Post::query().one(&me).await;
        assert!(matches!(several, Err(QueryError::SeveralFound { model: "Post" })), "{several:?}");
        assert_eq!(Post::query().filter(|p| p.title.eq("post 3")).one(&me).await.unwrap().popularity, 3);
    }

    #[tokio::test]
    async fn first_is_an_option() {
        let (_folder, _db, me) = five().await;
        assert_eq!(Post::query().filter(|p| p.title.eq("no")).first(&me).await.unwrap(), None);
        let first = Post::query().order_by(|p| p.popularity.desc()).first(&me).await.unwrap();
        assert_eq!(first.map(|p| p.popularity), Some(4));
    }

    #[tokio::test]
    async fn aggregates_of_nothing() {
        let (_folder, _db, me) = five().await;
        let none = || Post::query().filter(|p| p.title.eq("no"));
        assert_eq!(none().sum(|p| p.popularity, &me).await.unwrap(), 0);
        assert_eq!(none().avg(|p| p.popularity, &me).await.unwrap(), None);
        assert_eq!(none().min(|p| p.popularity, &me).await.unwrap(), None);
        assert_eq!(none().max(|p| p.created_at, &me).await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_overflowing_sum_is_an_error() {
        let (_folder, _db, me) = five().await;
        Post::query().update_all(&me).set(|p| p.popularity, i64::MAX).await.unwrap();
        let sum = Post::query().sum(|p| p.popularity, &me).await;
        assert!(matches!(sum, Err(QueryError::Overflow { model: "Post", field: "popularity" })), "{sum:?}");
    }
}

mod partial {
    use super::*;

    #[tokio::test]
    async fn it_gives_the_rows_and_the_coverage() {
        let (_folder, _db, me) = blog().await;
        let author = user(&me, "alice").await;
        post(&me, &author, "one").await;
        let answer = Post::query().partial().fetch(&me).await.unwrap();
        assert_eq!(answer.rows.len(), 1);
        assert!(answer.coverage.is_complete());
        assert!(answer.coverage.databases >= 1);
    }
}

mod relations_of_a_global_model_to_a_user_scoped_one {
    use super::*;

    #[tokio::test]
    async fn are_read_over_every_store_held_here() {
        let (_folder, db, alice) = blog().await;
        let bob = session(&db, "bob").await;
        let author = user(&alice, "alice").await;
        post(&alice, &author, "hers").await;
        post(&bob, &author, "his").await;
        let loaded = User::query().with(|u| u.posts).one(&db).await.unwrap();
        let mut titles: Vec<_> = loaded.posts().iter().map(|p| p.title.as_str()).collect();
        titles.sort_unstable();
        assert_eq!(titles, ["hers", "his"]);
        let mine = User::query().with(|u| u.posts.mine()).one(&bob).await.unwrap();
        assert_eq!(mine.posts().iter().map(|p| p.title.as_str()).collect::<Vec<_>>(), ["his"]);
    }
}

mod update {
    use super::*;

    #[tokio::test]
    async fn changes_the_fields_that_are_set_and_no_others() {
        let (_folder, _db, me) = blog().await;
        let author = user(&me, "alice").await;
        let old = post(&me, &author, "old").await;
        me.update(&old).set(|p| p.body, "new body").await.unwrap();
        // `old` is an old copy, and a changed one: neither matters
        let mut copy = old.clone();
        copy.body = "never stored".into();
        let now = me.update(&copy).set(|p| p.title, "new").await.unwrap();
        assert_eq!((now.title.as_str(), now.body.as_str()), ("new", "new body"));
        assert_eq!(Post::get(&old.id).fetch(&me).await.unwrap(), Some(now));
    }

    #[tokio::test]
    async fn of_a_row_that_is_gone_is_not_found_as_is_delete() {
        let (_folder, _db, me) = blog().await;
        let author = user(&me, "alice").await;
        let gone = post(&me, &author, "gone").await;
        me.delete(&gone).await.unwrap();
        let update = me.update(&gone).set(|p| p.title, "x").await;
        assert!(matches!(update, Err(WriteError::NotFound { model: "Post", .. })), "{update:?}");
        let delete = me.delete(&gone).await;
        assert!(matches!(delete, Err(WriteError::NotFound { model: "Post", .. })), "{delete:?}");
    }
}

mod deleting_a_parent {
    use super::*;

    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone)]
    pub struct Owner {
        #[field(key)]
        pub name: String,
        #[has_many]
        pub pets: HasMany<Pet>,
    }
    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone)]
    pub struct Pet {
        #[field(key)]
        pub name: String,
        pub owner_name: Option<String>,
        #[belongs_to(key = owner_name)]
        pub owner: BelongsTo<Option<Owner>>,
    }

    #[tokio::test]
    async fn is_refused_while_rows_held_here_require_it() {
        let (_folder, db, alice) = blog().await;
        let bob = session(&db, "bob").await;
        let author = user(&alice, "alice").await;
        let written = post(&bob, &author, "his").await;
        let refused = alice.delete(&author).await.unwrap_err();
        match &refused {
            WriteError::StillRequired { model, by, relation, child, .. } => {
                assert_eq!(
                    (*model, *by, *relation, child.as_str()),
                    ("User", "Post", "author", written.id.to_string().as_str())
                );
            }
            other => panic!("{other}"),
        }
        bob.delete(&written).await.unwrap();
        alice.delete(&author).await.unwrap();
    }

    #[tokio::test]
    async fn optional_references_may_dangle_and_be_created_dangling() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path(), "pets", models![Owner, Pet]).await.unwrap();
        let me = session(&db, "me").await;
        let ann = me.create(NewOwner { name: "ann".into() }).await.unwrap();
        me.create(NewPet { name: "rex".into() }).set(|p| p.owner_name, "ann").await.unwrap();
        me.create(NewPet { name: "tom".into() }).set(|p| p.owner_name, "nobody").await.unwrap();
        me.create(NewPet { name: "cat".into() }).await.unwrap();
        me.delete(&ann).await.unwrap();
        let pets = Pet::query().with(|p| p.owner).order_by(|p| p.name.asc()).fetch(&me).await.unwrap();
        assert_eq!(pets.len(), 3);
        assert!(pets.iter().all(|pet| pet.owner().is_none()));
    }

    #[tokio::test]
    async fn a_missing_required_parent_is_refused() {
        let (_folder, db, me) = blog().await;
        let author = user(&me, "alice").await;
        me.delete(&author).await.unwrap();
        let orphan = me.create(blog::NewPost { user_id: author.id, title: "x".into(), body: "y".into() }).await;
        assert!(
            matches!(orphan, Err(WriteError::MissingParent { model: "Post", relation: "author", target: "User", .. })),
            "{orphan:?}"
        );
        assert_eq!(Post::query().everywhere().count(&db).await.unwrap(), 0);
    }
}

mod link {
    use super::*;

    #[tokio::test]
    async fn is_idempotent_and_unlink_says_whether_there_was_one() {
        let (_folder, _db, me) = blog().await;
        let author = user(&me, "alice").await;
        let (post, rust) = (post(&me, &author, "hi").await, tag(&me, "rust").await);
        me.link(&post, |p| p.tags, &rust).await.unwrap();
        me.link(&post, |p| p.tags, &rust).await.unwrap();
        me.link(&rust, |t| t.posts, &post).await.unwrap();
        let loaded = Post::query().with(|p| p.tags).one(&me).await.unwrap();
        assert_eq!(loaded.tags().len(), 1);
        let back = Tag::query().with(|t| t.posts).one(&me).await.unwrap();
        assert_eq!(back.posts().len(), 1);
        assert!(me.unlink(&rust, |t| t.posts, &post).await.unwrap());
        assert!(!me.unlink(&post, |p| p.tags, &rust).await.unwrap());
        assert_eq!(Post::query().with(|p| p.tags).one(&me).await.unwrap().tags().len(), 0);
    }

    #[tokio::test]
    async fn linking_what_does_not_exist_is_an_error() {
        let (_folder, _db, me) = blog().await;
        let author = user(&me, "alice").await;
        let (post, rust) = (post(&me, &author, "hi").await, tag(&me, "rust").await);
        me.delete(&rust).await.unwrap();
        let link = me.link(&post, |p| p.tags, &rust).await;
        assert!(matches!(link, Err(WriteError::NotFound { model: "Tag", .. })), "{link:?}");
    }
}

mod check_and_len {
    use super::*;

    fn even(n: &i64) -> Result<(), String> {
        if n % 2 == 0 { Ok(()) } else { Err(format!("is {n}, and must be even")) }
    }

    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone)]
    pub struct Strict {
        #[field(key)]
        pub id: Id<Strict>,
        #[field(check = even)]
        pub n: i64,
        #[field(len = ..=3)]
        pub text: String,
        #[field(len = 1..=2)]
        pub list: Vec<i64>,
        #[field(len = ..=4)]
        pub bytes: Vec<u8>,
        #[field(range = 0..=10)]
        pub ranged: i64,
        #[field(matches = "^[a-z]+$")]
        pub slug: String,
    }

    fn good() -> NewStrict {
        NewStrict { n: 2, text: "ééé".into(), list: vec![1], bytes: vec![0; 4], ranged: 10, slug: "abc".into() }
    }

    #[tokio::test]
    async fn every_broken_rule_of_every_field_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path(), "strict", models![Strict]).await.unwrap();
        let me = session(&db, "me").await;
        let row = me.create(good()).await.expect("three characters are six bytes, and at most three");
        let bad =
            NewStrict { n: 1, text: "éééé".into(), list: vec![], bytes: vec![0; 5], ranged: 11, slug: "A".into() };
        let error = me.create(bad).await.unwrap_err();
        let WriteError::Validation(error) = error else { panic!("{error}") };
        let fields: Vec<_> = error.violations.iter().map(|v| v.field).collect();
        assert_eq!(fields, ["n", "text", "list", "bytes", "ranged", "slug"]);
        assert!(error.to_string().contains("`Strict.n` is 1, and must be even"), "{error}");
        let update = me.update(&row).set(|s| s.n, 3).set(|s| s.ranged, -1).await.unwrap_err();
        let WriteError::Validation(error) = update else { panic!("{update}") };
        assert_eq!(error.violations.len(), 2);
        assert_eq!(Strict::query().one(&db).await.unwrap().n, 2);
    }
}

mod types {
    use super::*;
    use debros::Value;
    use std::collections::{BTreeMap, HashMap};

    #[derive(Debug, Clone, Copy, PartialEq, Value)]
    pub enum Color {
        Red,
        DarkBlue,
    }
    #[derive(Debug, Clone, PartialEq, Value)]
    pub struct Spot {
        pub x: i32,
        pub label: Option<String>,
        pub color: Color,
    }
    #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
    pub enum Foreign {
        Point { x: f64, y: f64 },
        Nothing,
    }

    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Everything {
        #[field(key)]
        pub id: Id<Everything>,
        pub flag: bool,
        pub i8: i8,
        pub i16: i16,
        pub i32: i32,
        pub i64: i64,
        pub u8: u8,
        pub u16: u16,
        pub u32: u32,
        pub u64: u64,
        pub f32: f32,
        pub f64: f64,
        pub text: String,
        pub bytes: Vec<u8>,
        pub list: Vec<String>,
        pub map: BTreeMap<String, i64>,
        pub hash: HashMap<String, bool>,
        pub other: Option<Id<User>>,
        pub when: Timestamp,
        pub who: UserId,
        pub uuid: uuid::Uuid,
        pub decimal: rust_decimal::Decimal,
        pub color: Color,
        pub spot: Spot,
        pub spots: Vec<Spot>,
        #[field(serde)]
        pub foreign: Foreign,
    }

    fn everything(who: UserId) -> NewEverything {
        let spot = Spot { x: -3, label: None, color: Color::DarkBlue };
        NewEverything {
            flag: true,
            i8: i8::MIN,
            i16: i16::MIN,
            i32: i32::MIN,
            i64: i64::MIN,
            u8: u8::MAX,
            u16: u16::MAX,
            u32: u32::MAX,
            u64: u64::MAX,
            f32: 0.1,
            f64: -3.0,
            text: "a\0é".into(),
            bytes: vec![0, 255],
            list: vec!["b".into(), String::new()],
            map: BTreeMap::from([("bb".into(), 1), ("a".into(), -1)]),
            hash: HashMap::from([("x".into(), true)]),
            when: Timestamp::from_millis(-1),
            who,
            uuid: uuid::Uuid::from_u128(7),
            decimal: "-12.340".parse().unwrap(),
            color: Color::Red,
            spot: spot.clone(),
            spots: vec![spot],
            foreign: Foreign::Point { x: 1.0, y: 0.25 },
        }
    }

    #[tokio::test]
    async fn all_of_them_come_back_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path(), "types", models![Everything]).await.unwrap();
        let me = session(&db, "me").await;
        let made = me.create(everything(me.user())).await.unwrap();
        assert_eq!(Everything::get(&made.id).fetch(&db).await.unwrap(), Some(made.clone()));
        let e = Everything::FIELDS;
        for filter in [
            e.u64.eq(u64::MAX),
            e.i64.le(i64::MIN),
            e.f32.eq(0.1),
            e.f64.eq(-3.0),
            e.bytes.eq(vec![0, 255]),
            e.list.has("b"),
            e.uuid.eq(uuid::Uuid::from_u128(7)),
            e.decimal.eq("-12.34".parse::<rust_decimal::Decimal>().unwrap()),
            e.color.eq(Color::Red),
            e.who.eq(me.user()),
            e.when.lt(Timestamp::from_millis(0)),
            e.text.starts_with("a\0"),
        ] {
            assert_eq!(Everything::query().matching(&filter).count(&db).await.unwrap(), 1, "{filter:?}");
        }
    }

    #[tokio::test]
    async fn what_no_peer_keeps_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path(), "types", models![Everything]).await.unwrap();
        let me = session(&db, "me").await;
        for bad in [f64::NAN, f64::INFINITY] {
            let error = me.create(NewEverything { f64: bad, ..everything(me.user()) }).await.unwrap_err();
            assert!(matches!(error, WriteError::Encode(_)), "{error}");
            let foreign = Foreign::Point { x: bad, y: 0.0 };
            let error = me.create(NewEverything { foreign, ..everything(me.user()) }).await.unwrap_err();
            assert!(matches!(error, WriteError::Encode(_)), "{error}");
        }
        assert_eq!(Everything::query().count(&db).await.unwrap(), 0);
    }
}

mod timestamp_and_id {
    use super::*;

    #[tokio::test]
    async fn are_copy_display_from_str_and_serde() {
        fn is_copy<T: Copy>(value: T) -> T {
            value
        }
        let (_folder, _db, me) = blog().await;
        let author = user(&me, "alice").await;
        let (id, at) = (is_copy(author.id), is_copy(author.joined_at));
        assert_eq!(id.to_string().parse::<Id<User>>().unwrap(), id);
        assert_eq!(at.to_string().parse::<Timestamp>().unwrap(), at);
        assert_eq!(serde_json::from_str::<Id<User>>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        assert_eq!(serde_json::to_string(&at).unwrap(), at.as_millis().to_string());
        assert_eq!(Timestamp::from_millis(-1).to_string(), "1969-12-31T23:59:59.999Z");
    }

    #[tokio::test]
    async fn an_id_commits_to_its_creator() {
        let (_folder, _db, me) = blog().await;
        let author = user(&me, "alice").await;
        assert_eq!(author.id.uuid().get_version_num(), 7);
        assert!((author.id.created().as_millis() - author.joined_at.as_millis()).abs() < 1000);
    }
}

mod handles {
    use super::*;

    #[tokio::test]
    async fn are_cheap_clones_without_lifetimes() {
        fn is_handle<T: Clone + Send + Sync + 'static>(_: &T) {}
        let (_folder, db, me) = blog().await;
        let view = db.view(me.user());
        is_handle(&db);
        is_handle(&me);
        is_handle(&view);
        let author = user(&me.clone(), "alice").await;
        post(&me, &author, "one").await;
        assert_eq!(Post::query().count(&view.clone()).await.unwrap(), 1);
        let task = tokio::spawn(async move { Post::query().fetch(&me).await });
        assert_eq!(task.await.unwrap().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn close_works_with_sessions_alive_and_they_get_closed() {
        let (_folder, db, me) = blog().await;
        let author = user(&me, "alice").await;
        let view = db.view(me.user());
        db.close().await.unwrap();
        let write = me.create(NewUser { username: "bobby".into() }).await;
        assert!(matches!(write, Err(WriteError::Closed)), "{write:?}");
        let update = me.update(&author).set(|u| u.bio, "x").await;
        assert!(matches!(update, Err(WriteError::Closed)), "{update:?}");
        let read = Post::query().fetch(&view).await;
        assert!(matches!(read, Err(QueryError::Source(debros::SourceError::Closed))), "{read:?}");
    }
}

mod warnings {
    use super::*;

    // the lints stand for what an application's author would see
    #[deny(warnings)]
    mod quiet {
        use debros::prelude::*;

        #[model(scope = global, writers = anyone)]
        #[derive(Debug, Clone, Default, PartialEq)]
        struct Parent {
            #[field(key)]
            name: String,
            #[has_many]
            children: HasMany<Child>,
        }
        #[model(scope = global, writers = anyone)]
        #[derive(Debug, Clone, Default, PartialEq)]
        struct Child {
            #[field(key)]
            name: String,
            parent_name: String,
            #[belongs_to(key = parent_name)]
            parent: BelongsTo<Parent>,
        }

        #[tokio::test]
        async fn a_model_gives_its_author_none() {
            let folder = tempfile::tempdir().unwrap();
            let db = Db::open(folder.path(), "quiet", models![Parent, Child]).await.unwrap();
            assert!(Parent::query().first(&db).await.unwrap().is_none());
            assert!(Child::query().first(&db).await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn rows_of_every_reach_are_told_apart() {
        let (_folder, db, alice) = blog().await;
        let bob = session(&db, "bob").await;
        let author = user(&alice, "alice").await;
        let hers = post(&alice, &author, "hers").await;
        let his = comment(&bob, &author, &hers, "his").await;
        assert_eq!(Comment::query().fetch(&alice).await.unwrap(), []);
        assert_eq!(Comment::query().fetch(&bob).await.unwrap(), std::slice::from_ref(&his));
        assert_eq!(Comment::query().everywhere().fetch(&db).await.unwrap(), [his]);
        assert_eq!(names(&User::query().fetch(&db).await.unwrap()), ["alice"]);
    }
}
