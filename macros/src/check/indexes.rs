//! Indexes: `index` and `unique`, of one field or several.

use super::{Written, WrittenKind, find_column};
use crate::{
    errors::Errors,
    model::{Index, Member, RelationKind, Role, Sharding},
    parse::{FieldSet, ModelArgs},
};
use proc_macro2::Span;
use syn::ext::IdentExt as _;

pub(crate) fn check(
    args: &ModelArgs,
    written: &[Written<'_>],
    members: &[Member],
    key: &[String],
    sharding: Option<&Sharding>,
    errors: &mut Errors,
) -> Vec<Index> {
    let mut indexes = Indexes { list: Vec::new(), key, sharding };
    for one in written {
        let WrittenKind::Column(args) = &one.kind else { continue };
        if key == [one.name.clone()] {
            // said of the key
            continue;
        }
        if let (Some(_), Some(span)) = (args.serde, args.unique.or(args.index)) {
            errors.at_span(
                span,
                format!(
                    "`{}` is stored through serde, and only what has an order is indexed: leave this out",
                    one.name
                ),
            );
            continue;
        }
        if let (Some(_), Some(index)) = (args.unique, args.index) {
            errors
                .at_span(index, format!("`{}` is unique, and what is unique is indexed: leave `index` out", one.name));
        }
        if let Some(unique) = args.unique {
            let role = members.iter().find_map(|member| match member {
                Member::Column(column) if column.named.name == one.name => Some(column.role),
                _ => None,
            });
            if matches!(role, Some(Role::Created | Role::Updated)) {
                errors.at_span(
                    unique,
                    format!(
                        "two records may well be written in the same millisecond: leave `unique` out of `{}`",
                        one.name
                    ),
                );
            } else {
                indexes.add(vec![one.name.clone()], true, unique, errors);
            }
        } else if let Some(index) = args.index {
            indexes.add(vec![one.name.clone()], false, index, errors);
        }
    }
    for (set, unique) in args.unique.iter().map(|set| (set, true)).chain(args.index.iter().map(|set| (set, false))) {
        if let Some(fields) = fields(set, written, errors) {
            indexes.add(fields, unique, set.span, errors);
        }
    }
    // the keys of relations are always indexed
    for member in members {
        if let Member::Relation(relation) = member
            && let RelationKind::BelongsTo(keys) = &relation.kind
            && !keys.is_empty()
        {
            let fields: Vec<String> = keys.iter().map(|key| key.unraw().to_string()).collect();
            if !indexes.list.iter().any(|index| index.fields.starts_with(&fields)) {
                indexes.list.push(Index { fields, unique: false });
            }
        }
    }
    indexes.list
}

struct Indexes<'a> {
    list: Vec<Index>,
    key: &'a [String],
    sharding: Option<&'a Sharding>,
}

impl Indexes<'_> {
    fn add(&mut self, fields: Vec<String>, unique: bool, span: Span, errors: &mut Errors) {
        if let Some(first) = self.list.iter().find(|index| index.fields == fields) {
            let word = if first.unique { "unique" } else { "indexed" };
            errors.at_span(span, format!("`{}` is {word} already: leave this out", fields.join("`, `")));
            return;
        }
        if fields == self.key {
            errors.at_span(span, "the key is unique and indexed already: leave this out");
            return;
        }
        if let Some(sharding) = self.sharding.filter(|sharding| unique && !fields.contains(&sharding.key)) {
            let key = &sharding.key;
            errors.at_span(
                span,
                format!(
                    "shards cannot see each other, so what is unique contains the shard key `{key}`: write \
                     `#[model(unique({key}, {}))]` instead",
                    fields.join(", ")
                ),
            );
            return;
        }
        self.list.push(Index { fields, unique });
    }
}

fn fields(set: &FieldSet, written: &[Written<'_>], errors: &mut Errors) -> Option<Vec<String>> {
    let mut fine = true;
    let mut names = Vec::new();
    for field in &set.fields {
        let name = field.unraw().to_string();
        if names.contains(&name) {
            errors.at(field, format!("`{name}` stands twice"));
            fine = false;
        } else {
            match find_column(field, written, errors).map(|found| &found.kind) {
                Some(WrittenKind::Column(args)) if args.serde.is_some() => {
                    errors
                        .at(field, format!("`{name}` is stored through serde, and only what has an order is indexed"));
                    fine = false;
                }
                Some(_) => names.push(name),
                None => fine = false,
            }
        }
    }
    fine.then_some(names)
}
