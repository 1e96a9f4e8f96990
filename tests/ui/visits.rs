//! The models that the tests of events share.
#![allow(dead_code)]
use debros::prelude::*;

#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub struct Page {
    #[field(key)]
    pub id: Id<Page>,
    pub path: String,
    #[has_many]
    pub visits: HasMany<Visit>,
}

#[model(scope = global, writers = anyone, store = events)]
#[derive(Debug, Clone)]
pub struct Visit {
    #[field(key)]
    pub id: Id<Visit>,
    pub page_id: Id<Page>,
    #[field(index)]
    pub browser: String,
    #[belongs_to]
    pub page: BelongsTo<Page>,
}
