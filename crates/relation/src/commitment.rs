//! Does the id of a record commit to a user?

use debros_core::{ID, Id, Map, ModelDef, NONCE, Role, UserId, Value};

/// Are the keys of this model generated ids, which commit to their creator?
pub(crate) fn has_ids(model: &'static ModelDef) -> bool {
    matches!(model.key, [at] if model.fields[*at].role == Role::GeneratedKey)
}

/// Was the record's id made for this user?
pub(crate) fn commits_to(model: &'static ModelDef, record: &Map, user: &UserId) -> bool {
    if !has_ids(model) {
        return false;
    }
    let Value::Bytes(nonce) = record.field(NONCE) else { return false };
    let Ok(nonce) = <[u8; 8]>::try_from(nonce.as_slice()) else { return false };
    record.field(ID).as_text().and_then(|id| id.parse::<Id<()>>().ok()).is_some_and(|id| id.commits_to(user, nonce))
}
