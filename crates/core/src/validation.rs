//! [`ValidationError`]: every rule that a record breaks.

use std::fmt;

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field.
    pub field: &'static str,
    /// The rule, as it stands in the model: `len = 3..=32`.
    pub rule: &'static str,
    /// What is wrong, as the end of a sentence that begins with the field's name.
    pub message: String,
}

/// The broken rules of one record, being collected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Adds one.
    pub fn add(&mut self, field: &'static str, rule: &'static str, message: impl Into<String>) {
        self.0.push(Violation { field, rule, message: message.into() });
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok` if there are none, else the error that lists them all.
    ///
    /// # Errors
    /// If a rule is broken.
    pub fn into_result(self, model: &'static str) -> Result<(), ValidationError> {
        if self.0.is_empty() { Ok(()) } else { Err(ValidationError { model, violations: self.0 }) }
    }
}

impl IntoIterator for Violations {
    type Item = Violation;
    type IntoIter = std::vec::IntoIter<Violation>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A record breaks rules of its model. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationError {
    /// The model's name.
    pub model: &'static str,
    /// Every broken rule of every field, in the order of declaration.
    pub violations: Vec<Violation>,
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.model;
        for (at, Violation { field, message, .. }) in self.violations.iter().enumerate() {
            write!(f, "{}`{model}.{field}` {message}", if at == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}
impl std::error::Error for ValidationError {}
