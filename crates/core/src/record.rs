//! Stored records, field by field. Generated code, and models written by hand, call these functions.

use crate::{Column, DecodeError, EncodeError, Field, FieldDef, Kind, Map, Model, ModelDef, Role, VERSION, Value};

/// An empty record of this schema, with room for so many fields.
pub fn new_record(model: &'static ModelDef, fields: usize) -> Map {
    let mut map = Map::with_capacity(fields + 3);
    map.insert(VERSION, Value::from(model.version));
    map
}

/// Puts a field into a record.
///
/// # Errors
/// If its value has no stored form.
pub fn put<T: Field>(
    map: &mut Map,
    model: &'static str,
    field: &'static str,
    stored: &'static str,
    value: &T,
) -> Result<(), EncodeError> {
    let value = value.encode().map_err(|reason| EncodeError::new(model, field, reason))?;
    map.insert(stored, value);
    Ok(())
}

/// Reads a field of a record.
///
/// # Errors
/// If it does not decode, or is required and absent.
pub fn get<T: Field>(
    map: &Map,
    model: &'static str,
    field: &'static str,
    stored: &'static str,
) -> Result<T, DecodeError> {
    let value = map.field(stored);
    if value.is_null() && !T::OPTIONAL {
        return Err(DecodeError::new(model, field, "is absent, but the model requires it"));
    }
    T::decode(value).map_err(|reason| DecodeError::new(model, field, reason.to_string()))
}

/// Does a stored record decode into the model? For [`ModelDef::check`].
///
/// # Errors
/// If it does not.
pub fn check<M: Model>(record: &Map) -> Result<(), DecodeError> {
    M::decode(record).map(drop)
}

/// The schema of a column: `column` is [`Field::COLUMN`] of its type.
pub const fn field_def(name: &'static str, column: Column, role: Role, rules: &'static [&'static str]) -> FieldDef {
    let Column { kind, optional, shape } = column;
    FieldDef { name, kind, optional, shape, role, rules }
}

/// The schema of a column of `#[field(serde)]`.
pub const fn serde_field_def(name: &'static str, role: Role, rules: &'static [&'static str]) -> FieldDef {
    // null may be what the type serializes to, whatever the type
    FieldDef { name, kind: Kind::Serde, optional: true, shape: |_| 0, role, rules }
}
