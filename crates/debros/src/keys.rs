//! Keys of records and of indexes, as bytes that sort like their values.

use debros_core::{Collation, ID, Map, ModelDef, RelationDef, Value, composite_key};
use debros_query::encode_key;
use uuid::Uuid;

/// The bytes under which a record is kept of a model that this version of the application does not have.
pub(crate) fn encode_unknown(key: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(24);
    Collation::Plain.encode_whole(key, &mut bytes);
    bytes
}

/// The key of these bytes, if it is an id, a UUID or text.
pub(crate) fn decode(model: &ModelDef, bytes: &[u8]) -> Option<Value> {
    let value = match model.key_collation() {
        Collation::Uuid if bytes.len() == 17 => Uuid::from_slice(&bytes[1..]).ok()?.hyphenated().to_string(),
        Collation::Plain => {
            let mut text = Vec::with_capacity(bytes.len());
            let mut rest = bytes.get(1..bytes.len().checked_sub(2)?)?.iter().peekable();
            while let Some(&byte) = rest.next() {
                text.push(byte);
                if byte == 0 && rest.peek() == Some(&&0xff) {
                    rest.next();
                }
            }
            String::from_utf8(text).ok()?
        }
        _ => return None,
    };
    let value = Value::from(value);
    (encode_key(model, &value) == bytes).then_some(value)
}

/// The values of these fields as an index keeps them, and whether nothing of them was cut.
pub(crate) fn index_values(model: &ModelDef, fields: &[&'static str], record: &Map) -> (Vec<u8>, bool) {
    let (mut bytes, mut whole) = (Vec::with_capacity(16 * fields.len()), true);
    for &name in fields {
        if let Some(field) = model.field(name) {
            whole &= field.kind.collation().encode(record.field(model.stored_name(field.name)), &mut bytes);
        }
    }
    (bytes, whole)
}

/// The key of the row that a `belongs_to` of this record names; `None` if one of its fields is absent.
pub(crate) fn parent_key(child: &ModelDef, relation: &RelationDef, record: &Map) -> Option<Value> {
    let mut values = Vec::with_capacity(relation.keys.len());
    for &name in relation.keys {
        let value = record.field(child.stored_name(name));
        if value.is_null() {
            return None;
        }
        values.push(value.clone());
    }
    Some(match values.len() {
        1 => values.swap_remove(0),
        _ => Value::from(composite_key(&values)),
    })
}

/// What the fields of a child hold that name this parent, as an index of the child that begins with them keeps it.
pub(crate) fn parent_values(child: &ModelDef, relation: &RelationDef, parent: &ModelDef, record: &Map) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(24);
    for (&name, field) in relation.keys.iter().zip(parent.key_fields()) {
        let collation = child.field(name).map_or(Collation::Plain, |field| field.kind.collation());
        collation.encode(record.field(parent.stored_name(field.name)), &mut bytes);
    }
    bytes
}

/// A key as people read it.
pub(crate) fn text(key: &Value) -> String {
    match key {
        Value::Text(text) => text.to_string(),
        Value::Int(int) => int.to_string(),
        Value::Bool(value) => value.to_string(),
        other => other.kind().to_owned(),
    }
}

/// The key of a record as people read it.
pub(crate) fn text_of(record: &Map) -> String {
    text(record.field(ID))
}
