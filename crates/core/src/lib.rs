//! The vocabulary of debros: values, schemas and queries as data, and the typed surface over them. No I/O, no async.

mod dag_cbor;
mod decode_error;
mod expr;
mod map;
mod order;
mod raw_row;
mod schema;
mod value;

pub use cid::Cid;
pub use dag_cbor::{DAG_CBOR, DagCborError, SHA2_256, cid_of};
pub use decode_error::DecodeError;
pub use expr::{Compare, Expr, IncludeSpec, Quantifier, SortKey, TextTest};
pub use map::Map;
pub use order::{Collation, INDEX_TEXT};
pub use raw_row::{Included, RawRow};
pub use schema::{
    FieldDef, ID, IndexDef, Kind, ModelDef, NONCE, RelationDef, RelationKind, Role, Scope, Sharding, StoreKind,
    Strategy, VERSION, Writers,
};
pub use value::{MAX_SAFE_INTEGER, Value};
