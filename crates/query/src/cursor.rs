//! [`Cursor`]: where a page ended.

use crate::DatabaseId;
use debros_core::Value;

/// Where a page ended: the values of its last row. Rows that are written or deleted meanwhile move nothing. It serves
/// the query that gave it, on the node that gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// The last row's values of the fields of the order.
    pub(crate) values: Vec<(&'static str, Value)>,
    /// The last row's key, as stored.
    pub(crate) id: Value,
    /// The database that holds it.
    pub(crate) database: DatabaseId,
}

impl Cursor {
    /// The last row's value of a field of the order.
    pub(crate) fn value(&self, field: &str) -> &Value {
        self.values.iter().find(|(name, _)| *name == field).map_or(&Value::Null, |(_, value)| value)
    }
}
