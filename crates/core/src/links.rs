//! [`Links`]: the model of the link rows of a `many_to_many`.

use crate::{
    DecodeError, FieldDef, ID, IndexDef, Key, Kind, Map, Model, ModelDef, Relation, Role, Scope, StoreKind,
    composite_key,
};
use std::marker::PhantomData;

/// The model of the links of the relation `R`: rows `{_id: JSON text [l, r], _v, l, r}` in a user-scoped documents database. `l`
/// is the key of a row of the side without `inverse`, `r` of the other.
pub struct Links<R>(PhantomData<fn() -> R>);

/// The field of a link that holds the key of the side without `inverse`.
pub const LEFT: &str = "l";
/// The field of a link that holds the key of the side with `inverse`.
pub const RIGHT: &str = "r";

type KeyOf<M> = <M as Model>::Key;

impl<R: Relation> Links<R> {
    const FIELDS: &'static [FieldDef] = &[
        FieldDef { name: "id", kind: Kind::Text, optional: false, shape: |_| 0, role: Role::Key, rules: &[] },
        FieldDef {
            name: LEFT,
            kind: <KeyOf<R::Source> as Key>::KIND,
            optional: false,
            shape: |_| 0,
            role: Role::Key,
            rules: &[],
        },
        FieldDef {
            name: RIGHT,
            kind: <KeyOf<R::Target> as Key>::KIND,
            optional: false,
            shape: |_| 0,
            role: Role::Key,
            rules: &[],
        },
    ];

    /// The schema of the link rows: `name` is `Model.field`, `path` the same with the module's, `stored` with the stored name.
    pub const fn def(name: &'static str, path: &'static str, stored: &'static str) -> ModelDef {
        ModelDef {
            name,
            path,
            stored,
            scope: Scope::User,
            store: StoreKind::Documents,
            version: 1,
            fields: Self::FIELDS,
            key: &[0],
            relations: &[],
            indexes: &[IndexDef { fields: &[LEFT], unique: false }, IndexDef { fields: &[RIGHT], unique: false }],
            sharding: None,
            check,
        }
    }
}

/// A link row is `_id` and the two values that it is made of.
fn check(record: &Map) -> Result<(), DecodeError> {
    let ends = [LEFT, RIGHT].map(|end| record.field(end).clone());
    for (end, name) in ends.iter().zip([LEFT, RIGHT]) {
        if end.is_null() {
            return Err(DecodeError::new("link", name, "is absent"));
        }
    }
    if record.field(ID).as_text() != Some(&composite_key(&ends)) {
        return Err(DecodeError::new("link", ID, "is not made of the ends of the link"));
    }
    Ok(())
}
