//! The models of the design's contract, as far as they are real, and databases to try them on.
#![allow(dead_code, missing_docs, reason = "each test uses its part")]

use debros::prelude::*;
use std::path::Path;
use tempfile::TempDir;

/// A user of the application: an ordinary model.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    #[field(key)]
    pub id: Id<User>,
    #[field(unique, len = 3..=32)]
    pub username: String,
    pub bio: Option<String>,
    #[field(created)]
    pub joined_at: Timestamp,
    #[has_many]
    pub posts: HasMany<Post>,
}

#[model(scope = user, store = documents, sharding(strategy = hash, key = id, count = 4))]
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub user_id: Id<User>,
    #[field(index, len = 1..=200)]
    pub title: String,
    pub body: String,
    #[field(index, default = false)]
    pub published: bool,
    #[field(default = 0)]
    pub popularity: i64,
    #[field(created, index)]
    pub created_at: Timestamp,
    #[belongs_to(key = user_id)]
    pub author: BelongsTo<User>,
    #[has_many]
    pub comments: HasMany<Comment>,
    #[many_to_many]
    pub tags: ManyToMany<Tag>,
}

#[model(scope = user)]
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    #[field(key)]
    pub id: Id<Comment>,
    pub post_id: Id<Post>,
    pub user_id: Id<User>,
    pub text: String,
    #[field(created)]
    pub created_at: Timestamp,
    #[belongs_to(key = post_id)]
    pub post: BelongsTo<Post>,
    #[belongs_to(key = user_id)]
    pub author: BelongsTo<User>,
}

#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    #[field(key)]
    pub id: Id<Tag>,
    #[field(unique)]
    pub name: String,
    #[many_to_many(inverse = tags)]
    pub posts: ManyToMany<Post>,
}

pub async fn open(folder: &Path) -> Db {
    Db::open(folder, "blog", models![User, Post, Comment, Tag]).await.expect("the data folder opens")
}

/// A database in a folder of its own, and a session of `alice`.
pub async fn blog() -> (TempDir, Db, Session) {
    let folder = tempfile::tempdir().expect("a folder");
    let db = open(folder.path()).await;
    let me = session(&db, "alice").await;
    (folder, db, me)
}

pub async fn session(db: &Db, name: &str) -> Session {
    db.session(&db.identity(name).await.expect("an identity"))
}

pub async fn user(me: &Session, name: &str) -> User {
    me.create(NewUser { username: name.into() }).await.expect("a user")
}

pub async fn post(me: &Session, author: &User, title: &str) -> Post {
    let new = NewPost { user_id: author.id, title: title.into(), body: format!("about {title}") };
    me.create(new).await.expect("a post")
}

pub async fn comment(me: &Session, author: &User, post: &Post, text: &str) -> Comment {
    let new = NewComment { post_id: post.id, user_id: author.id, text: text.into() };
    me.create(new).await.expect("a comment")
}

pub async fn tag(me: &Session, name: &str) -> Tag {
    me.create(NewTag { name: name.into() }).await.expect("a tag")
}
