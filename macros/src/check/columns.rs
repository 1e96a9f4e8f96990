//! One column: which of its options go together.

use super::{role_word, rules, spelling};
use crate::{
    errors::Errors,
    model::{Column, DefaultValue, Named, Role},
    parse::{DefaultArg, FieldArgs},
};
use proc_macro2::Span;
use quote::ToTokens as _;
use syn::{Ident, parse2};

pub(crate) fn column(model: &Ident, named: Named, args: &FieldArgs, errors: &mut Errors) -> Column {
    let role = role(&named, args, model, errors);
    let unstored = match spelling::no_stored_form(&named.ty) {
        Some(form) if args.serde.is_none() => {
            errors.at(&named.ty, form.message());
            true
        }
        _ => filled_type(&named, role, errors),
    };
    let default = default(model, &named, args, role, errors);
    if let (Some(serde), Some(word)) = (args.serde, (role != Role::Plain).then(|| role_word(role))) {
        errors.at_span(
            serde,
            format!(
                "`{word}` fields have a type of debros's own or a key's, so `serde` has no place here: leave it out"
            ),
        );
    }
    Column {
        role,
        role_span: args.created.or(args.updated).or(args.owner).unwrap_or_else(|| named.ident.span()),
        key: args.key.is_some(),
        shard_key: false,
        unstored,
        spelled_option: spelling::is_option(&named.ty),
        default,
        serde: args.serde.is_some() && role == Role::Plain,
        rules: rules::check(model, &named, role, &args.rules, errors),
        named,
    }
}

fn role(named: &Named, args: &FieldArgs, model: &Ident, errors: &mut Errors) -> Role {
    let said: Vec<(Role, Span)> =
        [(Role::Created, args.created), (Role::Updated, args.updated), (Role::Owner, args.owner)]
            .into_iter()
            .filter_map(|(role, span)| span.map(|span| (role, span)))
            .collect();
    for pair in said.windows(2) {
        let [(first, _), (second, span)] = pair else { continue };
        let (first, second) = (role_word(*first), role_word(*second));
        errors.at_span(*span, format!("`{}` is filled in one way, `{first}` or `{second}`: leave one out", named.name));
    }
    match (args.key, said.first()) {
        (Some(_), Some((Role::Owner, _))) => Role::Owner,
        (Some(_), Some((role, span))) => {
            let word = role_word(*role);
            errors.at_span(
                *span,
                format!(
                    "a key never changes and is no time of a write: leave `{word}` out, or make another field the key"
                ),
            );
            Role::Key
        }
        (Some(_), None) if spelling::is_own_id(&named.ty, model) => Role::GeneratedKey,
        (Some(_), None) => Role::Key,
        (None, Some((role, _))) => *role,
        (None, None) => Role::Plain,
    }
}

/// Has a field that debros fills another type than what it is filled with? Only of types that are seen to be others.
fn filled_type(named: &Named, role: Role, errors: &mut Errors) -> bool {
    let (with, ty) = match role {
        Role::Created => ("the time of creation", "Timestamp"),
        Role::Updated => ("the time of the last write", "Timestamp"),
        Role::Owner => ("the user who creates the record", "UserId"),
        Role::Plain | Role::Key | Role::GeneratedKey => return false,
    };
    if !spelling::is_plain(&named.ty) || spelling::text_of(&named.ty).contains(ty) {
        return false;
    }
    errors.at(&named.ty, format!("`{}` is filled with {with}, so its type is `{ty}`", named.name));
    true
}

fn default(model: &Ident, named: &Named, args: &FieldArgs, role: Role, errors: &mut Errors) -> Option<DefaultValue> {
    let DefaultArg { span, expr } = args.default.as_ref()?;
    let name = &named.name;
    let filled = match role {
        Role::Plain | Role::Key => None,
        Role::GeneratedKey => Some("a generated key"),
        Role::Created => Some("the time of creation"),
        Role::Updated => Some("the time of the last write"),
        Role::Owner => Some("the user of the session"),
    };
    if let Some(filled) = filled {
        errors.at_span(*span, format!("`{name}` is filled by debros, with {filled}: leave `default` out"));
        return None;
    }
    Some(match expr {
        None => DefaultValue::Trait(*span),
        Some(expr) => {
            let tokens = spelling::without_self(model, expr.to_token_stream());
            DefaultValue::Expr(Box::new(parse2(tokens).unwrap_or_else(|_| expr.clone())))
        }
    })
}
