//! The key: one field, or several that together are it.

use super::{Written, WrittenKind, spelling};
use crate::{
    errors::Errors,
    model::{Column, Member, Role},
    parse::FieldArgs,
};
use proc_macro2::Span;
use syn::{DeriveInput, Ident};

/// How many fields a composite key may have.
const MOST: usize = 6;

/// The names of the key's columns.
pub(crate) fn check(
    input: &DeriveInput,
    written: &[Written<'_>],
    members: &mut [Member],
    errors: &mut Errors,
) -> Vec<String> {
    let keys: Vec<(&Written<'_>, &FieldArgs, Span)> = written
        .iter()
        .filter_map(|one| match &one.kind {
            WrittenKind::Column(args) => args.key.map(|span| (one, args, span)),
            WrittenKind::Relation(_) | WrittenKind::Slot => None,
        })
        .collect();
    let role = |members: &[Member], name: &str| {
        members.iter().find_map(|member| match member {
            Member::Column(Column { named, role, .. }) if named.name == name => Some(*role),
            _ => None,
        })
    };
    match keys[..] {
        [] => {
            errors.at(&input.ident, no_key(input, written));
            // the field that is surely meant is the key for those who use the model
            return members.iter_mut().find_map(|member| as_key(member, &input.ident)).into_iter().collect();
        }
        [(one, args, _)] => {
            for (word, span) in [("unique", args.unique), ("index", args.index)] {
                if let Some(span) = span {
                    errors.at_span(
                        span,
                        format!("`{}` is the key, which is unique and indexed already: leave `{word}` out", one.name),
                    );
                }
            }
        }
        [..] => {
            let generated: Vec<_> =
                keys.iter().filter(|(one, ..)| role(members, &one.name) == Some(Role::GeneratedKey)).collect();
            if let [(first, ..), (second, _, span), ..] = generated[..] {
                errors.at_span(
                    *span,
                    format!(
                        "`{}` is a second generated key beside `{}`, and a model has one: remove `key` from one of them",
                        second.name, first.name
                    ),
                );
            } else if let [(id, _, at)] = generated[..] {
                let others: Vec<String> = keys
                    .iter()
                    .filter(|(one, ..)| one.name != id.name)
                    .map(|(one, ..)| format!("`{}`", one.name))
                    .collect();
                errors.at_span(
                    *at,
                    format!(
                        "`{}` is a generated key, which identifies a record alone, beside {}: keep `key` on one or the other",
                        id.name,
                        others.join(", ")
                    ),
                );
            }
            if let Some((_, _, span)) = keys.get(MOST) {
                errors.at_span(*span, format!("a key has at most {MOST} fields"));
            }
        }
    }
    let may_be_absent = |one: &Written<'_>| {
        members.iter().any(
            |member| matches!(member, Member::Column(column) if column.named.name == one.name && column.spelled_option),
        )
    };
    let absent: Vec<String> =
        keys.iter().filter(|(one, ..)| may_be_absent(one)).map(|(one, ..)| one.name.clone()).collect();
    for (one, _, span) in keys.iter().filter(|(one, ..)| absent.contains(&one.name)) {
        errors
            .at_span(*span, format!("`{}` identifies a record, so it is always there: remove the `Option`", one.name));
    }
    let unfit: Vec<String> = keys
        .iter()
        .filter(|(one, ..)| !absent.contains(&one.name) && spelling::is_no_key(&one.field.ty))
        .map(|(one, ..)| one.name.clone())
        .collect();
    for (one, ..) in keys.iter().filter(|(one, ..)| unfit.contains(&one.name)) {
        errors.at(
            &one.field.ty,
            format!(
                "`{}` cannot be a key: a key is an `Id`, text, an integer, a uuid, a `Timestamp` or a `UserId`",
                one.name
            ),
        );
    }
    // a composite key of which one part is generated was refused above: the generated one goes on alone
    if let Some((id, ..)) = keys.iter().find(|(one, ..)| role(members, &one.name) == Some(Role::GeneratedKey)) {
        let id = id.name.clone();
        for member in members.iter_mut() {
            if let Member::Column(column) = member
                && column.key
                && column.named.name != id
            {
                column.key = false;
                column.role = Role::Plain;
            }
        }
        return vec![id];
    }
    keys.iter()
        .take(MOST)
        .map(|(one, ..)| one.name.clone())
        .filter(|name| !absent.contains(name) && !unfit.contains(name))
        .collect()
}

fn as_key(member: &mut Member, model: &Ident) -> Option<String> {
    let Member::Column(column) = member else { return None };
    if column.named.name != "id" || column.role != Role::Plain {
        return None;
    }
    column.key = true;
    column.role = if spelling::is_own_id(&column.named.ty, model) { Role::GeneratedKey } else { Role::Key };
    Some(column.named.name.clone())
}

fn no_key(input: &DeriveInput, written: &[Written<'_>]) -> String {
    let name = &input.ident;
    let id = written.iter().find(|one| one.name == "id" && matches!(one.kind, WrittenKind::Column(_)));
    match id {
        Some(id) => format!("`{name}` has no key: write `#[field(key)]` above `{}`", id.name),
        None => format!(
            "`{name}` has no key: write `#[field(key)]` above the field that identifies a record, or add `#[field(key)] id: Id<{name}>`"
        ),
    }
}
