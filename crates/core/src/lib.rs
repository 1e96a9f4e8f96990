//! The vocabulary of debros: values, schemas and queries as data, and the typed surface over them. No I/O, no async.
//!
//! Applications depend on `debros`, which re-exports what they need from here.

mod back_ref;
mod changeable;
mod const_text;
mod dag_cbor;
mod decode_error;
mod encode_error;
mod event_hooks;
mod expr;
mod field;
mod field_error;
mod filter;
mod generated;
mod has_default;
mod hooks;
mod id;
mod include;
mod insert;
mod into_value;
mod key;
mod links;
mod loaded;
mod map;
mod model;
mod models;
mod order;
mod path;
mod raw_row;
mod record;
mod relation;
mod rules;
mod schema;
mod shape;
mod slot;
mod timestamp;
mod user_id;
mod validation;
mod value;
mod visible;

pub use back_ref::{BackRef, ChildOf, RefersTo, RefersToAll, back_ref};
pub use changeable::Changeable;
pub use cid::Cid;
pub use dag_cbor::{DAG_CBOR, DagCborError, SHA2_256, cid_of};
pub use decode_error::DecodeError;
pub use encode_error::EncodeError;
pub use event_hooks::{EventHooks, run_event_hook};
pub use expr::{Compare, Expr, IncludeSpec, Quantifier, SortKey, TextTest};
pub use field::{Column, Field, decode_serde, encode_serde, shape_of_part, shape_of_variant};
pub use field_error::FieldError;
pub use filter::{Filter, IntoFilter, Sort};
pub use generated::{belongs_to, field, has_many, has_one, inverse, many_to_many, record, stored_key};
pub use has_default::HasDefault;
pub use hooks::{Hook, HookContext, HookError, Hooks, run_hook};
pub use id::{Id, NotAnId, commits};
pub use include::{Inc, Include, IncludeOne, NoneYet};
pub use insert::{Insert, Seed};
pub use into_value::IntoValue;
pub use key::{IntoKey, Key, KeyField, composite_key};
pub use links::{LEFT, Links, RIGHT};
pub use loaded::{LoadedRow, hash, loaded_name};
pub use map::Map;
pub use model::{Model, ModelOf, PerUser, Row, World};
pub use models::Models;
pub use order::{Collation, INDEX_TEXT};
pub use path::{
    AtCreation, Codec, List, MayBeAbsent, Ordered, Path, Plain, ReadOnly, Settable, SettableAtCreation, Text, ViaSerde,
};
pub use raw_row::{Included, RawRow};
pub use record::{check, field_def, get, new_record, put, serde_field_def};
pub use relation::{Differs, Linkable, LoadedName, Many, One, Rel, RelAt, RelOf, Relation, ToMany, ToOne};
pub use rules::{Checks, Length, Matched, Pattern, Ranged};
pub use schema::{
    FieldDef, ID, IndexDef, Kind, ModelDef, NONCE, RelationDef, RelationKind, Role, Scope, Sharding, StoreKind,
    Strategy, VERSION, Writers,
};
#[doc(hidden)]
pub use serde::{Serialize, Serializer};
pub use shape::{Bare, Has, Here, Of, Part, Parts, SerializeParts, SerializeShape, Shape, With, Yields};
pub use slot::{BelongsTo, HasMany, HasOne, ManyToMany, Optional, Required, Several, Slot};
#[cfg(any(feature = "jiff", feature = "chrono", feature = "time"))]
pub use timestamp::OutOfRange;
pub use timestamp::{NotATimestamp, Timestamp};
pub use user_id::{NotAUserId, UserId};
pub use validation::{ValidationError, Violation, Violations};
pub use value::{MAX_SAFE_INTEGER, Value};
pub use visible::Visible;

/// The checks of `len`, `range`, `matches` and `check`, for generated code.
pub mod rule {
    pub use crate::rules::{check, function, len, matches, range};
}
