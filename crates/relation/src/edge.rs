//! [`Edge`]: a relation with the models at its ends, and the keys that tie their rows together.

use crate::LinkTable;
use debros_core::{Collation, Map, ModelDef, RelationDef, RelationKind, Value, composite_key};
use debros_query::{QueryError, Registry};
use std::cmp::Ordering;

/// A relation with the models at its ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    /// The model that has it.
    pub(crate) from: &'static ModelDef,
    pub(crate) relation: &'static RelationDef,
    /// The model that it leads to.
    pub(crate) target: &'static ModelDef,
    pub(crate) way: Way,
}

/// How a relation leads from row to row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// The row holds the key of the other.
    Parent,
    /// The others hold the key of the row.
    Children,
    /// Links hold the keys of both.
    Links(LinkTable),
}

impl Edge {
    pub(crate) fn new(registry: &Registry, model: &'static ModelDef, relation: &str) -> Result<Edge, QueryError> {
        let (relation, target) = registry.relation(model, relation)?;
        let way = match relation.kind {
            RelationKind::BelongsTo => Way::Parent,
            RelationKind::HasOne | RelationKind::HasMany => Way::Children,
            RelationKind::ManyToMany => Way::Links(LinkTable::between(model, relation, target)?),
        };
        Ok(Edge { from: model, relation, target, way })
    }

    /// Must there be a row, so that a row without it is left out?
    pub(crate) fn is_required(&self) -> bool {
        self.relation.kind == RelationKind::BelongsTo && !self.relation.optional
    }

    /// Does it lead to one row at most?
    pub(crate) fn is_single(&self) -> bool {
        matches!(self.relation.kind, RelationKind::BelongsTo | RelationKind::HasOne)
    }
}

/// The stored key that the fields `keys` of a child hold, if they hold one.
pub(crate) fn named_key(child: &'static ModelDef, keys: &[&'static str], record: &Map) -> Option<Value> {
    let value = |name| Some(record.field(child.stored_name(name))).filter(|value| !value.is_null());
    match keys {
        [one] => value(one).cloned(),
        several => {
            let values = several.iter().map(|name| value(name).cloned()).collect::<Option<Vec<_>>>()?;
            Some(Value::from(composite_key(&values)))
        }
    }
}

/// What the fields of a child hold that names this parent: the values of the parent's key, one by one.
pub(crate) fn key_values(parent: &'static ModelDef, record: &Map) -> Vec<Value> {
    parent.key_fields().map(|field| record.field(parent.stored_name(field.name)).clone()).collect()
}

/// Are these values the same to a field that compares so?
pub(crate) fn same(collation: Collation, a: &Value, b: &Value) -> bool {
    collation.compare(a, b) == Ordering::Equal
}

/// How the values of a field compare.
pub(crate) fn collation_of(model: &'static ModelDef, field: &str) -> Collation {
    model.field(field).map_or(Collation::Plain, |field| field.kind.collation())
}
