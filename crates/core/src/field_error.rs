//! [`FieldError`]: a value that cannot be stored, or a stored one that cannot be read.

use crate::Value;

/// Why a value has no stored form, or a stored value does not decode: the end of a sentence that begins with the field's
/// name, `holds text where the model has an integer`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FieldError(String);

impl FieldError {
    /// With these words.
    pub fn new(reason: impl Into<String>) -> FieldError {
        FieldError(reason.into())
    }

    /// A stored value is of another kind than the model's.
    pub fn wrong_kind(found: &Value, wanted: &str) -> FieldError {
        FieldError(format!("holds {} where the model has {wanted}", found.kind()))
    }

    /// The same, inside a field or element of this name.
    pub fn within(self, name: &str) -> FieldError {
        FieldError(format!("at `{name}` {}", self.0))
    }
}
