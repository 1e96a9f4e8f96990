//! What a model of events cannot have, as nothing changes in it.

use crate::{
    errors::Errors,
    model::{Member, Role},
};
use syn::Ident;

pub(crate) fn check(model: &Ident, members: &[Member], errors: &mut Errors) {
    for member in members {
        let Member::Column(column) = member else { continue };
        if column.role == Role::Updated {
            errors.at_span(
                column.role_span,
                format!(
                    "`{model}` is stored as events, which only grow: they have no time of a change, so write `created`, or \
                     leave `{}` out",
                    column.named.name
                ),
            );
        }
    }
}
