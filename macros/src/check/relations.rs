//! One relation: the fields of this model that it names.

use super::{Written, WrittenKind, find_column, slot, stored_name};
use crate::{
    errors::Errors,
    model::{Named, Relation, RelationKind},
    parse::RelationArgs,
    suggest::did_you_mean,
};
use quote::format_ident;
use syn::{Ident, ext::IdentExt as _};

pub(crate) fn relation(
    named: Named,
    args: &RelationArgs,
    written: &Written<'_>,
    all: &[Written<'_>],
    stored: &str,
    errors: &mut Errors,
) -> Relation {
    let kind = match args {
        RelationArgs::BelongsTo { key: Some(keys) } => {
            RelationKind::BelongsTo(named_keys(keys, all, errors).unwrap_or_default())
        }
        RelationArgs::BelongsTo { key: None } => RelationKind::BelongsTo(default_key(written, all, errors)),
        RelationArgs::HasOne { key } => RelationKind::HasOne(key.clone()),
        RelationArgs::HasMany { key } => RelationKind::HasMany(key.clone()),
        RelationArgs::ManyToMany { inverse } => {
            let links = format!("{stored}.{}", named.name);
            if inverse.is_none() && !stored_name::is_valid(&links) {
                errors.at(
                    written.ident,
                    format!(
                        "the links of `{}` are stored as `{links}`, which is longer than {} characters or has others than \
                         A-Z, a-z, 0-9, `_`, `.` and `-`: choose a shorter name",
                        named.name,
                        stored_name::LONGEST
                    ),
                );
            }
            RelationKind::ManyToMany(inverse.clone())
        }
    };
    let (target, optional) = slot::check(&named, &kind, all, errors);
    Relation { named, kind, target, optional }
}

/// The columns that `key = ..` names; `None` if one of them is none.
fn named_keys(keys: &[Ident], all: &[Written<'_>], errors: &mut Errors) -> Option<Vec<Ident>> {
    let mut found = Some(Vec::new());
    for (at, key) in keys.iter().enumerate() {
        if keys[..at].contains(key) {
            errors.at(key, format!("`{}` stands twice in this key", key.unraw()));
            found = None;
        } else if let Some(column) = find_column(key, all, errors) {
            // with the span of where it is named
            let ident = respan(column.ident, key);
            if let Some(found) = &mut found {
                found.push(ident);
            }
        } else {
            found = None;
        }
    }
    found
}

/// The column `<relation>_id`.
fn default_key(written: &Written<'_>, all: &[Written<'_>], errors: &mut Errors) -> Vec<Ident> {
    let name = &written.name;
    let wanted = format!("{name}_id");
    let columns = || all.iter().filter(|one| matches!(one.kind, WrittenKind::Column(_)));
    if let Some(column) = columns().find(|one| one.name == wanted) {
        return vec![column.ident.clone()];
    }
    let near = did_you_mean(&wanted, columns().map(|one| one.name.as_str()));
    let how = if near.is_empty() {
        "add it, or name the field that holds the key by `#[belongs_to(key = ..)]`".to_owned()
    } else {
        format!("name the field that holds the key by `#[belongs_to(key = ..)]`{near}")
    };
    errors.at(
        written.ident,
        format!("`{name}` needs the key of the row it belongs to, and there is no field `{wanted}`: {how}"),
    );
    Vec::new()
}

fn respan(ident: &Ident, at: &Ident) -> Ident {
    format_ident!("{}", ident, span = at.span())
}
