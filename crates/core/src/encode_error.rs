//! [`EncodeError`]: a value that cannot be stored.

use crate::FieldError;

/// A field's value has no stored form. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{model}.{field}` {reason}")]
#[non_exhaustive]
pub struct EncodeError {
    /// The model's name.
    pub model: &'static str,
    /// The field's name.
    pub field: &'static str,
    /// What is wrong, as the end of a sentence: `is NaN, which has no stored form`.
    pub reason: FieldError,
}

impl EncodeError {
    /// A field of a model that does not encode.
    pub fn new(model: &'static str, field: &'static str, reason: FieldError) -> EncodeError {
        EncodeError { model, field, reason }
    }
}
