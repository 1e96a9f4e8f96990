//! The contract of the design, line by line, as an application would write it.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use debros::prelude::*;

/// A person.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub struct User {
    /// Their key.
    #[field(key)]
    pub id: Id<User>,
    /// What they are called.
    #[field(unique, len = 3..=32)]
    pub username: String,
    /// What they say of themselves.
    pub bio: Option<String>,
    /// Since when they are here.
    #[field(created)]
    pub joined_at: Timestamp,
    /// What they wrote.
    #[has_many]
    pub posts: HasMany<Post>,
}

/// Something written.
#[model(scope = user, store = documents, sharding(strategy = hash, key = id, count = 8))]
#[derive(Debug, Clone)]
pub struct Post {
    /// Its key.
    #[field(key)]
    pub id: Id<Post>,
    /// Who wrote it.
    pub user_id: Id<User>,
    /// Its title.
    #[field(index, len = 1..=200)]
    pub title: String,
    /// What it says.
    pub body: String,
    /// Is it for everyone to read?
    #[field(index, default = false)]
    pub published: bool,
    /// How often it was read.
    #[field(default = 0)]
    pub popularity: i64,
    /// When it was written.
    #[field(created, index)]
    pub created_at: Timestamp,
    /// Who wrote it.
    #[belongs_to(key = user_id)]
    pub author: BelongsTo<User>,
    /// What others say.
    #[has_many]
    pub comments: HasMany<Comment>,
    /// What it is about.
    #[many_to_many]
    pub tags: ManyToMany<Tag>,
}

/// An answer.
#[model(scope = user)]
#[derive(Debug, Clone)]
pub struct Comment {
    /// Its key.
    #[field(key)]
    pub id: Id<Comment>,
    /// What it is about.
    pub post_id: Id<Post>,
    /// Who wrote it.
    pub user_id: Id<User>,
    /// What it says.
    pub text: String,
    /// When it was written.
    #[field(created)]
    pub created_at: Timestamp,
    /// What it is about.
    #[belongs_to(key = post_id)]
    pub post: BelongsTo<Post>,
    /// Who wrote it.
    #[belongs_to(key = user_id)]
    pub author: BelongsTo<User>,
}

/// A word for what posts are about.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub struct Tag {
    /// Its key.
    #[field(key)]
    pub id: Id<Tag>,
    /// The word.
    #[field(unique)]
    pub name: String,
    /// What is about it.
    #[many_to_many(inverse = tags)]
    pub posts: ManyToMany<Post>,
}

type Card = Loaded![Post { author, tags, comments { author } }];

fn render(post: &Card) -> String {
    format!(
        "{} by {}, {} tags, {} comments by {:?}",
        post.title,
        post.author().username,
        post.tags().len(),
        post.comments().len(),
        post.comments().first().map(|c| &c.author().username)
    )
}

struct Feed {
    page: Page<Card>,
}

async fn program(folder: &std::path::Path) -> Result<(), debros::Error> {
    let db = Db::open(folder, "blog", models![User, Post, Comment, Tag]).await?;
    let identity = db.identity("alice").await?;
    let me = db.session(&identity);
    let alice_id = identity.user();
    let since = Timestamp::from_millis(0);

    let alice = me.create(NewUser { username: "alice".into() }).set(|u| u.bio, "hello".to_string()).await?;
    let tag = me.create(NewTag { name: "rust".into() }).await?;
    let post = me.create(NewPost { user_id: alice.id, title: "Hi".into(), body: "..".into() }).await?;
    me.link(&post, |p| p.tags, &tag).await?;
    let post = me.update(&post).set(|p| p.published, true).await?;
    let extra = me.create(NewPost { user_id: alice.id, title: "draft".into(), body: "..".into() }).await?;
    me.delete(&extra).await?;
    let new_posts = (0..30).map(|n| NewPost { user_id: alice.id, title: format!("Post {n}"), body: "..".into() });
    let made: Vec<Post> = me.batch().create_all(new_posts).await?;
    assert_eq!(made.len(), 30);
    for text in ["one", "two", "three", "four"] {
        me.create(NewComment { post_id: post.id, user_id: alice.id, text: text.into() }).await?;
    }

    let posts: Vec<Post> = Post::query().fetch(&me).await?;
    assert_eq!(posts.len(), 31);
    let live = Post::FIELDS.published.eq(true);
    assert_eq!(Post::query().matching(&live).count(&me).await?, 1);
    let page = Post::query()
        .matching(&live)
        .filter(|p| p.created_at.gt(since) & !p.title.contains("draft"))
        .filter(|p| p.author.is(|u| u.username.eq("alice")) | p.tags.any(|t| t.name.one_of(["rust", "p2p"])))
        .with(|p| (p.author, p.tags, p.comments.order_by(|c| c.created_at.desc()).limit(3).with(|c| c.author)))
        .order_by(|p| p.created_at.desc())
        .page(20)
        .fetch(&me)
        .await?;
    assert_eq!(page.rows.len(), 1);
    for post in &page.rows {
        println!("{} by {}", post.title, post.author().username);
        for c in post.comments() {
            println!("  {}: {}", c.author().username, c.text);
        }
        me.update(post).set(|p| p.popularity, post.popularity + 1).await?;
        assert_eq!(render(post), "Hi by alice, 1 tags, 3 comments by Some(\"alice\")");
    }
    assert!(page.next(&me).await?.is_none());
    let feed = Feed { page };
    let first = Post::query().order_by(|p| p.title.asc()).page(20).fetch(&me).await?;
    let next = first.next(&me).await?.map_or(0, |page| page.rows.len());
    assert_eq!((first.rows.len(), next, feed.page.rows.len()), (20, 11, 1));

    let theirs = db.view(alice_id);
    assert_eq!(Post::query().filter(|p| p.published.eq(true)).count(&theirs).await?, 1);
    let found = Post::query().filter(|p| p.title.contains("Post 1")).everywhere().limit(50).fetch(&db).await?;
    assert_eq!(found.len(), 11);
    let recent = post.related(|p| p.comments).order_by(|c| c.created_at.desc()).limit(10).fetch(&me).await?;
    assert_eq!(recent.len(), 4);
    assert_eq!(Post::get(&post.id).fetch(&me).await?.map(|p| p.popularity), Some(1));
    println!("{}", Post::query().filter(|p| p.published.eq(true)).explain(&me).await?);

    let sum: i64 = Post::query().sum(|p| p.popularity, &me).await?;
    let mean: Option<f64> = Post::query().everywhere().avg(|p| p.popularity, &db).await?;
    let newest: Option<Timestamp> = Post::query().max(|p| p.created_at, &me).await?;
    assert_eq!(sum, 1);
    assert!(mean.is_some() && newest >= Some(post.created_at));
    let busiest: Vec<((Id<User>, bool), (u64, Option<f64>))> = Post::query()
        .group_by(|p| (p.user_id, p.published))
        .select(|g| (g.count(), g.avg(|p| p.popularity)))
        .order_by(|g| g.count().desc())
        .limit(10)
        .fetch(&me)
        .await?;
    assert_eq!(busiest[0], ((alice.id, false), (30, Some(0.0))));
    let changed: u64 =
        Post::query().filter(|p| p.published.eq(false)).update_all(&me).set(|p| p.published, true).await?;
    assert_eq!(changed, 30);
    let gone: u64 = Post::query().filter(|p| p.title.starts_with("Post 2")).delete_all(&me).await?;
    assert_eq!(gone, 11);

    let p = Post::query().filter(|p| p.title.eq("Hi")).with(|p| p.author).one(&me).await?;
    let q: Loaded![Post { author }] =
        Post::query().filter(|p| p.title.eq("Post 1")).with(|p| (p.author,)).one(&me).await?;
    me.batch()
        .create(NewPost { user_id: alice.id, title: "a".into(), body: "b".into() }, |p| p.set(|p| p.published, true))
        .update(&p, |p| p.set(|p| p.title, "new"))
        .delete(&q)
        .await?;
    assert_eq!(Post::query().filter(|p| p.title.one_of(["a", "new", "Post 1"])).count(&me).await?, 2);
    let by_tag = tag.related(|t| t.posts).fetch(&db).await?;
    assert_eq!(by_tag.len(), 1);
    let was: bool = me.unlink(&p, |p| p.tags, &tag).await?;
    assert!(was && !me.unlink(&p, |p| p.tags, &tag).await?);
    let copy = db.import_identity("alice-copy", &identity.export()).await?;
    assert_eq!(copy.user(), alice_id);
    let everyone: Vec<User> = User::query().fetch(&db).await?;
    assert_eq!(everyone.len(), 1);
    let sorted =
        Post::query().order_by(|p| if was { p.title.asc() } else { p.created_at.desc() }).first(&me).await?;
    assert_eq!(sorted.map(|p| p.title).as_deref(), Some("Post 0"));
    assert_eq!(db.owner(&p).await?, alice_id);
    me.update(p.author()).set(|u| u.bio, None).set(|u| u.bio, "x").await?;
    assert_eq!(User::query().one(&db).await?.bio.as_deref(), Some("x"));
    db.close().await?;

    let db = Db::open(folder, "blog", models![User, Post, Comment, Tag]).await?;
    assert_eq!(Post::query().everywhere().count(&db).await?, 20);
    db.close().await?;
    Ok(())
}

fn send<T: Send>(t: T) -> T {
    t
}

#[tokio::main]
async fn main() -> Result<(), debros::Error> {
    let folder = std::env::args_os().nth(1).expect("a folder");
    send(program(std::path::Path::new(&folder))).await?;
    println!("the contract holds");
    Ok(())
}
