//! The type of a relation's field: the slot that goes with its attribute, and the model that it leads to.

use super::{
    Written, WrittenKind,
    spelling::{last_with_argument, text_of},
};
use crate::{
    errors::Errors,
    model::{Named, RelationKind},
    parse::FieldArgs,
};
use syn::{Type, ext::IdentExt as _};

/// The model that the relation leads to, and whether there may be none.
pub(crate) fn check(
    named: &Named,
    kind: &RelationKind,
    all: &[Written<'_>],
    errors: &mut Errors,
) -> (Option<Type>, bool) {
    let (slot, attribute, name) = (kind.slot(), kind.attribute(), &named.name);
    let Some((found, argument)) = last_with_argument(&named.ty).filter(|(found, _)| *found == slot) else {
        let mut target = &named.ty;
        while let Some((_, argument)) = last_with_argument(target) {
            target = argument;
        }
        errors.at(&named.ty, format!("`{name}` is a `#[{attribute}]`, so its type is `{slot}<{}>`", text_of(target)));
        return (None, false);
    };
    let inner = last_with_argument(argument).filter(|(ident, _)| *ident == "Option").map(|(_, inner)| inner);
    match (kind, inner) {
        (RelationKind::BelongsTo(keys), inner) => {
            let optional = inner.is_some();
            let target = inner.unwrap_or(argument);
            if !optional && let Some(key) = keys.iter().find(|key| is_optional(&key.unraw().to_string(), all)) {
                let text = text_of(target);
                errors.at(
                    &named.ty,
                    format!(
                        "`{name}` is required, but its key `{}` may be absent: write `{slot}<Option<{text}>>`",
                        key.unraw()
                    ),
                );
            }
            (Some(target.clone()), optional)
        }
        (_, Some(inner)) => {
            let text = text_of(inner);
            errors.at(argument, format!("`{found}` may lead to no row as it is: write `{slot}<{text}>`"));
            (Some(inner.clone()), matches!(kind, RelationKind::HasOne(_)))
        }
        (_, None) => (Some(argument.clone()), matches!(kind, RelationKind::HasOne(_))),
    }
}

fn is_optional(column: &str, all: &[Written<'_>]) -> bool {
    all.iter().any(|one| {
        one.name == column
            && matches!(&one.kind, WrittenKind::Column(FieldArgs { .. }))
            && super::spelling::is_option(&one.field.ty)
    })
}
