//! The models that the tests of queries share.
#![allow(dead_code)]
use debros::prelude::*;

#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
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

#[model]
#[derive(Debug, Clone)]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub user_id: Id<User>,
    #[field(index, len = 1..=200)]
    pub title: String,
    #[field(default)]
    pub words: Vec<String>,
    #[field(index, default = false)]
    pub published: bool,
    #[field(default = 0)]
    pub popularity: i64,
    #[field(created, index)]
    pub created_at: Timestamp,
    #[field(owner)]
    pub owner: UserId,
    #[belongs_to(key = user_id)]
    pub author: BelongsTo<User>,
    #[has_many]
    pub comments: HasMany<Comment>,
    #[many_to_many]
    pub tags: ManyToMany<Tag>,
}

#[model]
#[derive(Debug, Clone)]
pub struct Comment {
    #[field(key)]
    pub id: Id<Comment>,
    pub post_id: Id<Post>,
    pub user_id: Id<User>,
    pub text: String,
    #[belongs_to]
    pub post: BelongsTo<Post>,
    #[belongs_to(key = user_id)]
    pub author: BelongsTo<User>,
}

#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub struct Tag {
    #[field(key)]
    pub id: Id<Tag>,
    #[field(unique)]
    pub name: String,
    #[many_to_many(inverse = tags)]
    pub posts: ManyToMany<Post>,
}
