//! What an application's modules begin with: `use debros::prelude::*;`

pub use crate::{
    BelongsTo, Db, Durability, Filter, HasMany, HasOne, HookContext, HookError, Hooks, Id, Identity, Insert, Loaded,
    ManyToMany, Model, Models, Page, Query, Related, Row, Session, Timestamp, UserId, Value, View, model, models,
};
