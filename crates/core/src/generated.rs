//! What the expansion of `#[model]` calls: so that it is data, and short.
//!
//! None of these asks more of a type than the tokens that the expansion gives it: a type that has no stored form, or a relation to what is no
//! model, is told of once, at the field.

use crate::{
    DecodeError, EncodeError, FieldError, Key, Map, Model, ModelDef, Relation, RelationDef, RelationKind, Slot, Value,
    const_text::ConstText, models::last_segment, new_record,
};

#[track_caller]
const fn relation<R: Relation>(kind: RelationKind, keys: &'static [&'static str]) -> RelationDef {
    if !R::Target::VISIBLE.covers(R::Source::VISIBLE) {
        let (source, target) = (last_segment(R::Source::PATH), last_segment(R::Target::PATH));
        let text = ConstText::new()
            .add("`")
            .add(source)
            .add("::")
            .add(R::NAME)
            .add("` leads to `")
            .add(target)
            .add("`, which fewer modules can see than `")
            .add(source)
            .add("`: write the same visibility in front of both structs");
        panic!("{}", text.as_str())
    }
    let target = <R::Target as Model>::PATH;
    let optional = <R::Slot as Slot>::OPTIONAL;
    RelationDef { name: R::NAME, kind, target, keys, optional, inverse: None, links: None }
}

/// The schema of a `belongs_to`, whose key is in these fields.
#[track_caller]
pub const fn belongs_to<R: Relation>(keys: &'static [&'static str]) -> RelationDef {
    relation::<R>(RelationKind::BelongsTo, keys)
}

/// The schema of a `has_one`, whose key is in these fields of the other model.
#[track_caller]
pub const fn has_one<R: Relation>(keys: &'static [&'static str]) -> RelationDef {
    relation::<R>(RelationKind::HasOne, keys)
}

/// The schema of a `has_many`, whose key is in these fields of the other model.
#[track_caller]
pub const fn has_many<R: Relation>(keys: &'static [&'static str]) -> RelationDef {
    relation::<R>(RelationKind::HasMany, keys)
}

/// The schema of a `many_to_many` whose links are on this side.
#[track_caller]
pub const fn many_to_many<R: Relation>(links: &'static ModelDef) -> RelationDef {
    RelationDef { links: Some(links), ..relation::<R>(RelationKind::ManyToMany, &[]) }
}

/// The schema of a `many_to_many` whose links are on the side of this field of the other model.
#[track_caller]
pub const fn inverse<R: Relation>(field: &'static str) -> RelationDef {
    RelationDef { inverse: Some(field), ..relation::<R>(RelationKind::ManyToMany, &[]) }
}

/// A record of fields, each with its name, its stored name and its value.
///
/// # Errors
/// If a value has no stored form.
pub fn record<const N: usize>(
    model: &'static ModelDef,
    fields: [(&'static str, &'static str, Result<Value, FieldError>); N],
) -> Result<Map, EncodeError> {
    let mut map = new_record(model, N);
    for (field, stored, value) in fields {
        map.insert(stored, value.map_err(|reason| EncodeError::new(model.name, field, reason))?);
    }
    Ok(map)
}

/// A field of a record.
///
/// # Errors
/// If it does not decode, or is required and absent.
pub fn field<T>(
    model: &'static str,
    field: &'static str,
    value: &Value,
    decode: fn(&Value) -> Result<T, FieldError>,
) -> Result<T, DecodeError> {
    decode(value).map_err(|reason| match value {
        Value::Null => DecodeError::new(model, field, "is absent, but the model requires it"),
        _ => DecodeError::new(model, field, reason.to_string()),
    })
}

/// The stored key of a record.
///
/// # Errors
/// If it has no stored form.
pub fn stored_key<M: Model>(field: &'static str, key: &M::Key) -> Result<Value, EncodeError> {
    key.stored().map_err(|reason| EncodeError::new(M::DEF.name, field, reason))
}

/// A relation as a type: the marker, its name, its slot and its target.
#[doc(hidden)]
#[macro_export]
macro_rules! __relation {
    ($Model:ident, $Marker:ident, $name:literal, $Slot:ident, $Target:ty) => {
        impl $crate::Relation for $Marker {
            type Source = $Model;
            type Target = $Target;
            type Slot = $crate::$Slot;
            const NAME: &'static str = $name;
        }
        impl $crate::RelOf<$Model> for $Marker {
            type Itself = $Marker;
        }
        impl $crate::RelAt<{ $crate::hash($name) }> for $Model {
            type Rel = $Marker;
        }
    };
}
