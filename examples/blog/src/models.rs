//! Users, their posts, comments on them, and tags.

use debros::prelude::*;

/// Who takes part. There is one list of users for all, and anyone may add to it.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub struct User {
    /// Made by debros.
    #[field(key)]
    pub id: Id<User>,
    /// No two users have the same.
    #[field(unique, len = 3..=32)]
    pub username: String,
    /// What they say about themselves.
    pub bio: Option<String>,
    /// When they came.
    #[field(created)]
    pub joined_at: Timestamp,
    /// What they wrote.
    #[has_many]
    pub posts: HasMany<Post>,
}

/// A post. Each user's posts are in databases that only this user can write, eight for each.
#[model(scope = user, store = documents, sharding(strategy = hash, key = id, count = 8))]
#[derive(Debug, Clone)]
pub struct Post {
    /// Made by debros; it commits to the user who made the post.
    #[field(key)]
    pub id: Id<Post>,
    /// Who wrote it.
    pub user_id: Id<User>,
    /// Its title.
    #[field(index, len = 1..=200)]
    pub title: String,
    /// Its text.
    pub body: String,
    /// May everybody see it?
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
    /// What others say about it.
    #[has_many]
    pub comments: HasMany<Comment>,
    /// What it is about.
    #[many_to_many]
    pub tags: ManyToMany<Tag>,
}

/// A comment. It lives with the one who makes it, not with the post.
#[model(scope = user)]
#[derive(Debug, Clone)]
pub struct Comment {
    /// Made by debros.
    #[field(key)]
    pub id: Id<Comment>,
    /// The post.
    pub post_id: Id<Post>,
    /// Who made it.
    pub user_id: Id<User>,
    /// What it says.
    #[field(len = 1..=2000)]
    pub text: String,
    /// When it was made.
    #[field(created)]
    pub created_at: Timestamp,
    /// The post.
    #[belongs_to(key = post_id)]
    pub post: BelongsTo<Post>,
    /// Who made it.
    #[belongs_to(key = user_id)]
    pub author: BelongsTo<User>,
}

/// What a post may be about.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub struct Tag {
    /// Made by debros.
    #[field(key)]
    pub id: Id<Tag>,
    /// No two tags have the same.
    #[field(unique)]
    pub name: String,
    /// The posts.
    #[many_to_many(inverse = tags)]
    pub posts: ManyToMany<Post>,
}
