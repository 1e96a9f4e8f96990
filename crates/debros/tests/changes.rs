//! What happens to records, as streams.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "tests: a panic is what they are for, and models are public")]

use debros::{ChangesError, Error, FeedPosition, prelude::*};
use futures::{FutureExt as _, StreamExt as _};
use std::{collections::BTreeMap, path::Path};

/// A word that everyone may add to.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// Its key.
    #[field(key)]
    pub id: Id<Tag>,
    /// The word.
    #[field(unique)]
    pub name: String,
}

/// What a user writes.
#[model(scope = user, sharding(strategy = hash, key = id, count = 4))]
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// Its key.
    #[field(key)]
    pub id: Id<Post>,
    /// Its title.
    #[field(index)]
    pub title: String,
    /// May others see it?
    #[field(default = false)]
    pub published: bool,
    /// What it is about.
    pub tag_id: Option<Id<Tag>>,
    /// What it is about.
    #[belongs_to(key = tag_id)]
    pub tag: BelongsTo<Option<Tag>>,
    /// What it is about, too.
    #[many_to_many]
    pub tags: ManyToMany<Tag>,
}

/// What happened once.
#[model(scope = user, store = events)]
#[derive(Debug, Clone)]
pub struct Visit {
    /// Its key.
    #[field(key)]
    pub id: Id<Visit>,
    /// Where.
    pub page: String,
}

async fn open(folder: &Path) -> Db {
    Db::open(folder, "blog", models![Tag, Post, Visit]).await.unwrap()
}

async fn session(db: &Db, name: &str) -> Session {
    db.session(&db.identity(name).await.unwrap())
}

async fn next<R: Send + 'static>(stream: &mut ChangeStream<R>) -> RowChange<R> {
    stream.next().await.unwrap().unwrap()
}

/// All that is left to be told.
async fn rest<R: Send + 'static>(stream: ChangeStream<R>) -> Vec<RowChange<R>> {
    stream.map(Result::unwrap).collect().await
}

/// What happened, and the titles before and after.
fn titles(changes: &[RowChange<Post>]) -> Vec<(ChangeKind, Option<&str>, Option<&str>)> {
    let title = |row| Option::as_ref(row).map(|post: &Post| post.title.as_str());
    changes.iter().map(|change| (change.kind, title(&change.before), title(&change.row))).collect()
}

#[tokio::test]
async fn changes_come_with_both_rows_and_who_made_them() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path()).await;
    let me = session(&db, "anna").await;
    let mut changes = Post::changes().stream(&me);
    assert!(changes.next().now_or_never().is_none(), "nothing has happened");
    let post = me.create(NewPost { title: "a".into() }).await.unwrap();
    me.update(&post).set(|p| p.title, "b").await.unwrap();
    me.delete(&post).await.unwrap();

    let created = next(&mut changes).await;
    assert_eq!((created.kind, created.before, created.row), (ChangeKind::Created, None, Some(post.clone())));
    assert_eq!((created.key, created.model, created.owner), (post.id.to_string().into(), "Post", Some(me.user())));
    assert_eq!((created.user, created.clock, created.local), (me.user(), 1, true));
    assert!(created.entry.starts_with("zdpu") && created.device.len() == 66, "{} {}", created.entry, created.device);
    let updated = next(&mut changes).await;
    assert_eq!((updated.kind, updated.before, updated.clock), (ChangeKind::Updated, Some(post.clone()), 2));
    let changed = Post { title: "b".into(), ..post.clone() };
    assert_eq!(updated.row, Some(changed.clone()));
    let deleted = next(&mut changes).await;
    assert_eq!((deleted.kind, deleted.before, deleted.row), (ChangeKind::Deleted, Some(changed), None));
    assert!(changes.next().now_or_never().is_none());
    assert_eq!(changes.position(), Some(db.position().unwrap()));

    // a stream waits for what comes, and ends with the database
    let waiting = tokio::spawn(async move { (next(&mut changes).await, changes) });
    tokio::task::yield_now().await;
    me.create(NewPost { title: "c".into() }).await.unwrap();
    let (created, mut changes) = waiting.await.unwrap();
    assert_eq!(created.row.unwrap().title, "c");
    let waiting = tokio::spawn(async move { (changes.next().await.is_none(), changes.next().await.is_none()) });
    tokio::task::yield_now().await;
    db.close().await.unwrap();
    assert_eq!(waiting.await.unwrap(), (true, true));
}

#[tokio::test]
async fn a_filter_tells_what_enters_and_what_leaves() {
    use ChangeKind::{Created, Deleted, Entered, Left, Updated};
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path()).await;
    let me = session(&db, "anna").await;
    let mut published = Post::changes().filter(|p| p.published.eq(true)).stream(&me);
    let post = me.create(NewPost { title: "hidden".into() }).await.unwrap();
    me.update(&post).set(|p| p.title, "still hidden").await.unwrap();
    me.update(&post).set(|p| p.published, true).set(|p| p.title, "seen").await.unwrap();
    me.update(&post).set(|p| p.title, "changed").await.unwrap();
    me.update(&post).set(|p| p.published, false).set(|p| p.title, "gone").await.unwrap();
    me.delete(&post).await.unwrap();
    let second = me.create(NewPost { title: "at once".into() }).set(|p| p.published, true).await.unwrap();
    me.delete(&second).await.unwrap();
    let told: Vec<_> = published.by_ref().take(5).map(Result::unwrap).collect().await;
    assert!(published.next().now_or_never().is_none());
    assert_eq!(
        titles(&told),
        [
            (Entered, None, Some("seen")),
            (Updated, Some("seen"), Some("changed")),
            (Left, Some("changed"), None),
            (Created, None, Some("at once")),
            (Deleted, Some("at once"), None),
        ]
    );
    // two filters add up, and one that was made before is as good
    let kept = Post::FIELDS.published.eq(true);
    let both = Post::changes().matching(&kept).filter(|p| p.title.starts_with("at")).from_beginning();
    assert_eq!(rest(both.until_now().stream(&me)).await.len(), 2);

    // what the other record was then is not known
    let tag = me.create(NewTag { name: "rust".into() }).await.unwrap();
    me.update(&second).set(|p| p.tag_id, tag.id).await.unwrap_err();
    let through = Post::changes().filter(|p| p.published.eq(true) | !p.tag.is(|t| t.name.eq("rust")));
    let mut refused = through.stream(&me);
    assert_eq!(refused.position(), None);
    let error = refused.next().await.unwrap().unwrap_err();
    assert!(matches!(error, ChangesError::Relation { model: "Post", relation: "tag" }), "{error}");
    assert!(refused.next().await.is_none());
    assert!(Error::from(error).to_string().contains("`Post` cannot be filtered through its relation `tag`"));
    db.close().await.unwrap();
}

#[tokio::test]
async fn a_handle_is_told_what_it_may_ask_for() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path()).await;
    let (anna, ben) = (session(&db, "anna").await, session(&db, "ben").await);
    let of_ben = db.view(ben.user());
    for (who, title) in [(&anna, "hers"), (&ben, "his")] {
        let tag = who.create(NewTag { name: format!("tag of {title}") }).await.unwrap();
        let post = who.create(NewPost { title: title.into() }).await.unwrap();
        who.link(&post, |p| p.tags, &tag).await.unwrap();
        who.create(NewVisit { page: title.into() }).await.unwrap();
    }
    let posts = Post::changes().from_beginning();
    assert_eq!(
        titles(&rest(posts.clone().until_now().stream(&anna)).await),
        [(ChangeKind::Created, None, Some("hers"))]
    );
    assert_eq!(
        titles(&rest(posts.clone().until_now().stream(&of_ben)).await),
        [(ChangeKind::Created, None, Some("his"))]
    );
    let all = rest(posts.clone().everywhere().until_now().stream(&db)).await;
    assert_eq!(all.iter().map(|change| change.owner.unwrap()).collect::<Vec<_>>(), [anna.user(), ben.user()]);
    assert_eq!(rest(posts.everywhere().until_now().stream(&anna)).await.len(), 2);
    // a global model is everybody's
    for told in [
        rest(Tag::changes().from_beginning().until_now().stream(&db)).await,
        rest(Tag::changes().from_beginning().until_now().stream(&anna)).await,
        rest(Tag::changes().from_beginning().until_now().stream(&of_ben)).await,
    ] {
        assert_eq!(
            told.iter().map(|change| (change.owner, change.user)).collect::<Vec<_>>(),
            [(None, anna.user()), (None, ben.user())]
        );
    }
    let visits = rest(Visit::changes().from_beginning().until_now().stream(&ben)).await;
    assert_eq!(
        visits.iter().map(|change| (change.kind, change.row.as_ref().unwrap().page.as_str())).collect::<Vec<_>>(),
        [(ChangeKind::Created, "his")]
    );

    // all models, and links, as they are stored
    let models = |told: &[RowChange<Value>]| told.iter().map(|change| change.model).collect::<Vec<_>>();
    let here = rest(db.changes().from_beginning().until_now().stream()).await;
    assert_eq!(models(&here), ["Tag", "Post", "Post.tags", "Visit", "Tag", "Post", "Post.tags", "Visit"]);
    assert_eq!(
        models(&rest(anna.changes().from_beginning().until_now().stream()).await),
        ["Tag", "Post", "Post.tags", "Visit", "Tag"]
    );
    assert_eq!(
        models(&rest(of_ben.changes().from_beginning().until_now().stream()).await),
        ["Tag", "Tag", "Post", "Post.tags", "Visit"]
    );
    let link = here[2].row.as_ref().unwrap().as_map().unwrap();
    assert_eq!((link.field("l"), link.field("r")), (&here[1].key, &here[0].key));

    // a link that is taken away is a record that is deleted
    let mut links = db.changes().from(&here[7].position).stream();
    let (post, tag) = (
        Post::query().one(&ben).await.unwrap(),
        Tag::query().filter(|t| t.name.eq("tag of his")).one(&db).await.unwrap(),
    );
    ben.unlink(&post, |p| p.tags, &tag).await.unwrap();
    let unlinked = next(&mut links).await;
    assert_eq!((unlinked.kind, unlinked.model, unlinked.user), (ChangeKind::Deleted, "Post.tags", ben.user()));
    assert_eq!(unlinked.before.unwrap().as_map().unwrap().field("r"), &Value::from(tag.id.to_string()));
    db.close().await.unwrap();
}

#[tokio::test]
async fn a_mirror_stays_true_through_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut mirror: BTreeMap<String, Post> = BTreeMap::new();
    let mut position: Option<String> = None;
    for round in 0..4 {
        let db = open(folder.path()).await;
        let me = session(&db, "anna").await;
        let posts = Post::query().order_by(|p| p.title.asc()).fetch(&me).await.unwrap();
        let mut batch = me.batch();
        for n in 0..30 {
            batch = batch.create(NewPost { title: format!("{round} {n:02}") }, |p| p.set(|p| p.published, n % 3 == 0));
        }
        for (n, post) in posts.iter().enumerate() {
            batch = match n % 4 {
                0 => batch.delete(post),
                1 => batch.update(post, |p| p.set(|p| p.published, !post.published)),
                2 => batch.update(post, |p| p.set(|p| p.title, format!("{}'", post.title))),
                _ => batch,
            };
        }
        batch.await.unwrap();
        let changes = Post::changes().filter(|p| p.published.eq(true));
        let mut stream = match &position {
            None => changes.from_beginning(),
            Some(position) => changes.from(&position.parse().unwrap()),
        }
        .until_now()
        .stream(&me);
        // not to the end of the batch, but for the last time
        let mut told = 0;
        while (round == 3 || told < 7)
            && let Some(change) = stream.next().await
        {
            let change = change.unwrap();
            let key = change.key.as_text().unwrap().to_owned();
            let before = match change.row {
                Some(row) => mirror.insert(key, row),
                None => mirror.remove(&key),
            };
            assert_eq!(before, change.before);
            told += 1;
        }
        position = Some(stream.position().unwrap().to_string());
        if round == 3 {
            let published = Post::query().filter(|p| p.published.eq(true)).fetch(&me).await.unwrap();
            let published: BTreeMap<String, Post> =
                published.into_iter().map(|post| (post.id.to_string(), post)).collect();
            assert_eq!(mirror, published);
        }
        drop(stream);
        db.close().await.unwrap();
    }
}

#[tokio::test]
async fn many_changes_are_read_where_that_may_block_and_none_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path()).await;
    let me = session(&db, "anna").await;
    let mut slow = Tag::changes().stream(&db);
    let tags = (0..2_000).map(|n| NewTag { name: format!("tag {n:04}") });
    me.batch().create_all(tags).await.unwrap();
    me.create(NewTag { name: "last".into() }).await.unwrap();
    // as a `Stream`
    let names: Vec<String> = slow.by_ref().take(2_001).map(|change| change.unwrap().row.unwrap().name).collect().await;
    assert_eq!((names[0].as_str(), names[1_999].as_str(), names[2_000].as_str()), ("tag 0000", "tag 1999", "last"));
    assert!(slow.next().now_or_never().is_none());
    db.close().await.unwrap();
    assert!(slow.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn followers_beside_writers_miss_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path()).await;
    let names = ["anna", "ben", "cleo", "dora"];
    let mut writers = Vec::new();
    for name in names {
        writers.push(session(&db, name).await);
    }
    // two of everybody's posts, of which one filters, and one of each user's
    let all = || Post::changes().everywhere();
    let mut streams = vec![all().stream(&db), all().filter(|p| p.published.eq(true)).stream(&db)];
    streams.extend(writers.iter().map(|me| Post::changes().stream(me)));
    let following: Vec<_> = streams
        .into_iter()
        .map(|mut stream| {
            tokio::spawn(async move {
                let mut mirror: BTreeMap<Id<Post>, Post> = BTreeMap::new();
                while let Some(change) = stream.next().await {
                    let change = change.unwrap();
                    let id = change.row.as_ref().or(change.before.as_ref()).unwrap().id;
                    let before = match change.row {
                        Some(row) if row.title == "the end" => return mirror,
                        Some(row) => mirror.insert(id, row),
                        None => mirror.remove(&id),
                    };
                    assert_eq!(before, change.before);
                }
                panic!("the database was not closed");
            })
        })
        .collect();
    let writing = writers.iter().map(|me| async move {
        let mut mine = Vec::new();
        for n in 0..60usize {
            mine.push(me.create(NewPost { title: format!("{n}") }).await.unwrap());
            let at = n * 7 % mine.len();
            match n % 3 {
                0 => mine[at] = me.update(&mine[at]).set(|p| p.published, n % 2 == 0).await.unwrap(),
                1 => mine[at] = me.update(&mine[at]).set(|p| p.title, format!("{n}'")).await.unwrap(),
                _ => me.delete(&mine.swap_remove(at)).await.unwrap(),
            }
        }
    });
    futures::future::join_all(writing).await;
    let rows = |posts: Vec<Post>| posts.into_iter().map(|post| (post.id, post)).collect::<BTreeMap<_, _>>();
    let mut expected = vec![
        rows(Post::query().everywhere().fetch(&db).await.unwrap()),
        rows(Post::query().filter(|p| p.published.eq(true)).everywhere().fetch(&db).await.unwrap()),
    ];
    for me in &writers {
        expected.push(rows(Post::query().fetch(me).await.unwrap()));
    }
    for me in &writers {
        me.create(NewPost { title: "the end".into() }).set(|p| p.published, true).await.unwrap();
    }
    for (following, expected) in following.into_iter().zip(expected) {
        assert_eq!(following.await.unwrap(), expected);
    }
    db.close().await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let [here, there] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (db, other) = (open(here.path()).await, open(there.path()).await);
    let error = Tag::changes().from(&other.position().unwrap()).stream(&db).next().await.unwrap().unwrap_err();
    assert!(matches!(error, ChangesError::OtherFolder), "{error}");
    assert!("nonsense".parse::<FeedPosition>().is_err());
    // opened without the model
    let third = tempfile::tempdir().unwrap();
    let small = Db::open(third.path(), "blog", models![Tag]).await.unwrap();
    let error = Post::changes().everywhere().stream(&small).next().await.unwrap().unwrap_err();
    assert!(matches!(error, ChangesError::UnknownModel { model: "Post" }), "{error}");
    for db in [db, other, small] {
        db.clone().close().await.unwrap();
        assert!(Tag::changes().stream(&db).next().await.is_none(), "it was closed");
        assert!(db.position().is_err());
    }
}

mod before {
    use super::*;

    /// A day.
    #[model(scope = global, writers = anyone, name = "Day")]
    #[derive(Debug, Clone)]
    pub struct Day {
        /// Its key.
        #[field(key)]
        pub date: String,
        /// How it was.
        pub mood: String,
    }
}

mod after {
    use super::*;

    /// How a day was.
    #[derive(Debug, Clone, PartialEq, Value)]
    pub enum Mood {
        /// Good.
        Glad,
    }

    /// A day, of which the version before stored any text.
    #[model(scope = global, writers = anyone, name = "Day")]
    #[derive(Debug, Clone)]
    pub struct Day {
        /// Its key.
        #[field(key)]
        pub date: String,
        /// How it was.
        pub mood: Mood,
    }
}

#[tokio::test]
async fn a_record_that_does_not_decode_is_none() {
    use ChangeKind::{Created, Deleted, Entered, Left};
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(folder.path(), "diary", models![before::Day]).await.unwrap();
    let me = session(&db, "anna").await;
    let monday = me.create(before::NewDay { date: "monday".into(), mood: "odd".into() }).await.unwrap();
    me.create(before::NewDay { date: "tuesday".into(), mood: "Glad".into() }).await.unwrap();
    for mood in ["Glad", "odder", "Glad"] {
        me.update(&monday).set(|d| d.mood, mood).await.unwrap();
    }
    me.delete(&monday).await.unwrap();
    assert_eq!(rest(before::Day::changes().from_beginning().until_now().stream(&db)).await.len(), 6);
    db.close().await.unwrap();

    let db = Db::open(folder.path(), "diary", models![after::Day]).await.unwrap();
    let told = rest(after::Day::changes().from_beginning().until_now().stream(&db)).await;
    let told: Vec<_> =
        told.iter().map(|change| (change.kind, change.row.as_ref().map(|day| day.date.as_str()))).collect();
    let monday = Some("monday");
    assert_eq!(told, [(Created, Some("tuesday")), (Entered, monday), (Left, None), (Entered, monday), (Deleted, None)]);
    let untyped = rest(db.changes().from_beginning().until_now().stream()).await;
    assert_eq!(untyped.len(), told.len());
    db.close().await.unwrap();
}
