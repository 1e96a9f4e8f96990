//! [`Key`]: what identifies a record within its model.

use crate::{Field, FieldError, Id, Kind, Timestamp, UserId, Value};

/// Types that may be a field of a key: ids, text, integers, UUIDs, users and moments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "a key is an `Id`, text, an integer, a uuid, a `Timestamp` or a `UserId`"
)]
pub trait KeyField: Field {}
macro_rules! key_fields { ($($t:ty),*) => { $(impl KeyField for $t {})* } }
key_fields!(String, bool, i8, i16, i32, i64, u8, u16, u32, u64, Timestamp, UserId);
#[cfg(feature = "uuid")]
impl KeyField for uuid::Uuid {}
impl<M> KeyField for Id<M> {}

/// The key of a model: a field's type, or a tuple of the types of several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "a key is an `Id`, text, an integer, a uuid, a `Timestamp` or a `UserId`, or 2 to 6 of them"
)]
pub trait Key {
    /// What is stored as `_id`.
    const KIND: Kind;
    /// The stored form, `_id`.
    ///
    /// # Errors
    /// If it has none.
    fn stored(&self) -> Result<Value, FieldError>;
}
#[diagnostic::do_not_recommend]
impl<T: KeyField> Key for T {
    const KIND: Kind = T::KIND;
    fn stored(&self) -> Result<Value, FieldError> {
        self.encode()
    }
}
macro_rules! composite {
    ($($($name:ident $at:tt)*;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($name: KeyField),*> Key for ($($name,)*) {
            const KIND: Kind = Kind::Text;
            fn stored(&self) -> Result<Value, FieldError> {
                Ok(Value::from(composite_key(&[$(self.$at.encode()?),*])))
            }
        }
    )* };
}
composite! {
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
}

/// What may stand where a key of the type `K` is wanted: a reference to one, or a `&str` where it is text.
#[diagnostic::on_unimplemented(
    message = "cannot use a `{Self}` as a key of this model",
    label = "expected a reference to a `{K}`"
)]
pub trait IntoKey<K> {
    /// The stored form, `_id`.
    ///
    /// # Errors
    /// If it has none.
    fn into_stored(self) -> Result<Value, FieldError>;
}
impl<K: Key> IntoKey<K> for &K {
    fn into_stored(self) -> Result<Value, FieldError> {
        self.stored()
    }
}
impl IntoKey<String> for &str {
    fn into_stored(self) -> Result<Value, FieldError> {
        Ok(Value::from(self))
    }
}

/// The text of a composite key: the JSON of its stored values, in the order of declaration.
///
/// ```
/// use debros_core::{Value, composite_key};
///
/// let key = composite_key(&[Value::from("EWR"), Value::from(7)]);
/// assert_eq!(key, r#"["EWR",7]"#);
/// ```
pub fn composite_key(values: &[Value]) -> String {
    let json = |value: &Value| match value {
        Value::Bool(value) => serde_json::Value::from(*value),
        Value::Int(int) => match (u64::try_from(*int), i64::try_from(*int)) {
            (Ok(int), _) => serde_json::Value::from(int),
            (_, Ok(int)) => serde_json::Value::from(int),
            // no key field is wider than 64 bits
            _ => serde_json::Value::from(int.to_string()),
        },
        Value::Text(text) => serde_json::Value::from(text.as_ref()),
        // the macro admits no other kind into a key
        other => serde_json::Value::from(other.kind()),
    };
    serde_json::Value::Array(values.iter().map(json).collect()).to_string()
}
