//! [`DecodeError`]: a stored record that its model cannot read.

/// Why a stored record does not decode into its model's struct.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{model}.{field}` {reason}")]
#[non_exhaustive]
pub struct DecodeError {
    /// The model's name.
    pub model: &'static str,
    /// The field's name.
    pub field: &'static str,
    /// What is wrong, as the end of a sentence: `holds text where the model has an integer`.
    pub reason: String,
}

impl DecodeError {
    /// A field of a model that does not decode.
    pub fn new(model: &'static str, field: &'static str, reason: impl Into<String>) -> DecodeError {
        DecodeError { model, field, reason: reason.into() }
    }
}
