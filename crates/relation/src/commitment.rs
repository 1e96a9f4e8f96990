//! Does the id of a record commit to a user?

use debros_core::{Map, ModelDef, Role, UserId, commits};

/// Are the keys of this model generated ids, which commit to their creator?
pub(crate) fn has_ids(model: &'static ModelDef) -> bool {
    matches!(model.key, [at] if model.fields[*at].role == Role::GeneratedKey)
}

/// Was the record's id made for this user?
pub(crate) fn commits_to(model: &'static ModelDef, record: &Map, user: &UserId) -> bool {
    has_ids(model) && commits(record, user)
}
