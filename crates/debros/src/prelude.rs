//! What an application's modules begin with: `use debros::prelude::*;`

pub use crate::{
    BelongsTo, ChangeKind, ChangeStream, Changes, Db, Durability, Filter, HasMany, HasOne, HookContext, HookError,
    Hooks, Id, Identity, Insert, Loaded, ManyToMany, Model, Models, Page, Query, Related, Row, RowChange, Session,
    Timestamp, UserId, Value, View, model, models,
};
