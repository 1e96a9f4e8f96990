// Types under other names: the compiler knows what they are.
#![deny(warnings)]
use debros::prelude::*;
use std::collections::{BTreeMap, HashMap};

type Text = String;
type Maybe<T> = Option<T>;
type Moment = Timestamp;
type PostId = Id<Post>;
type Bytes = Vec<u8>;
type Score = f64;

#[model(index(author, at))]
#[derive(Debug, Clone)]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    #[field(len = 1..=200)]
    pub title: Text,
    pub summary: Maybe<Text>,
    #[field(created)]
    pub at: Moment,
    #[field(updated)]
    pub touched: Option<Timestamp>,
    pub parent_id: Maybe<PostId>,
    #[field(len = ..4)]
    pub data: Bytes,
    #[field(range = 0.0..=1.0)]
    pub score: Score,
    #[field(owner)]
    pub author: UserId,
    pub counts: BTreeMap<String, u8>,
    pub words: HashMap<String, Vec<Text>>,
    #[belongs_to]
    pub parent: BelongsTo<Option<Post>>,
    #[has_many(key = parent)]
    pub children: HasMany<Post>,
}

fn main() {
    let _ = models![Post];
    // another name for an `Option` is asked for, as its spelling does not say what it is
    let _ = NewPost {
        title: "a".into(),
        summary: None,
        parent_id: None,
        data: Vec::new(),
        score: 0.5,
        counts: BTreeMap::new(),
        words: HashMap::new(),
    };
}
