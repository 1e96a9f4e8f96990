//! The names that records and databases carry.

use super::{Written, WrittenKind};
use crate::errors::Errors;
use syn::{Ident, LitStr, ext::IdentExt as _};

/// The longest name that an address may have a part of.
pub(crate) const LONGEST: usize = 64;
const RESERVED: &[&str] = &["_id", "_v", "_n"];
/// What a model's struct and its rows have already.
const METHODS: &[(&str, &str)] = &[
    ("query", "::query()"),
    ("get", "::get(..)"),
    ("changes", "::changes()"),
    ("related", ".related(..)"),
    ("row", ".row()"),
];

pub(crate) fn is_valid(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// The name that a model's databases carry.
pub(crate) fn of_model(ident: &Ident, name: Option<&LitStr>, errors: &mut Errors) -> String {
    const RULE: &str = "1 to 64 of the characters A-Z, a-z, 0-9, `_`, `.` and `-`";
    let own = ident.unraw().to_string();
    match name {
        Some(name) if !is_valid(&name.value()) => errors.at(name, format!("a stored name is {RULE}")),
        None if !is_valid(&own) => {
            errors.at(
                ident,
                format!("`{own}` cannot name databases: give a stored name of {RULE} by `#[model(name = \"..\")]`"),
            );
        }
        Some(name) => return name.value(),
        None => {}
    }
    own
}

/// The name of a field, in records and as a method.
pub(crate) fn of_field(written: &Written<'_>, errors: &mut Errors) {
    let name = written.name.as_str();
    match &written.kind {
        WrittenKind::Column(_) if RESERVED.contains(&name) => errors.at(
            written.ident,
            format!("`{name}` is reserved: debros stores the key, the version and the id's nonce of a record as `_id`, `_v` and `_n`"),
        ),
        WrittenKind::Relation(_) => {
            if let Some((_, used)) = METHODS.iter().find(|(method, _)| *method == name) {
                errors.at(
                    written.ident,
                    format!("a relation cannot be called `{name}`, as its rows would have two methods of that name (`{used}`): choose another name"),
                );
            }
        }
        WrittenKind::Column(_) | WrittenKind::Slot => {}
    }
}
