//! `sharding(..)`: the field that divides the records, and into how many.

use super::{Written, WrittenKind, column_mut, find_column};
use crate::{
    errors::Errors,
    model::{Member, Role, Sharding},
    parse::{ModelArgs, ShardingArgs},
};

pub(crate) fn check(
    args: &ModelArgs,
    written: &[Written<'_>],
    members: &mut [Member],
    model_key: &[String],
    errors: &mut Errors,
) -> Option<Sharding> {
    let sharding = args.sharding.as_ref()?;
    missing(sharding, errors);
    if let Some(count) = sharding.count.filter(|count| count.value == 0) {
        errors.at_span(count.span, "a model has at least 1 shard");
    }
    let key = sharding.key.as_ref()?;
    let found = find_column(key, written, errors)?;
    let column = column_mut(members, &found.name)?;
    let name = found.name.clone();
    if column.spelled_option {
        errors.at(
            key,
            format!("`{name}` may be absent, and every record needs a shard: shard by a field that is always there"),
        );
        return None;
    }
    if column.role == Role::Updated {
        errors.at(key, format!("a record would change its shard when `{name}` changes: shard by a field that stays"));
        return None;
    }
    if column.serde {
        errors.at(
            key,
            format!("`{name}` is stored through serde, which has no stable form to divide by: shard by a plain field"),
        );
        return None;
    }
    column.shard_key = true;
    let natural = |name: &String| {
        written.iter().find_map(|one| match &one.kind {
            WrittenKind::Column(args) if one.name == *name => args.key,
            _ => None,
        })
    };
    let is_generated = model_key.iter().any(|name| {
        members.iter().any(|member| {
            matches!(member, Member::Column(column) if column.named.name == *name && column.role == Role::GeneratedKey)
        })
    });
    if !is_generated
        && !model_key.contains(&name)
        && let Some(span) = model_key.first().and_then(natural)
    {
        errors.at_span(
            span,
            format!(
                "shards cannot see each other, so a key that callers choose contains the shard key `{name}`: write \
                 `#[field(key)]` above `{name}` too, or shard by `{}`",
                model_key[0]
            ),
        );
    }
    let count = sharding.count.map(|count| count.value).filter(|&count| count > 0)?;
    Some(Sharding { key: name, span: key.span(), count })
}

fn missing(sharding: &ShardingArgs, errors: &mut Errors) {
    if sharding.failed {
        return;
    }
    let missing: Vec<&str> = [
        (!sharding.has_strategy).then_some("`strategy = hash`"),
        sharding.key.is_none().then_some("`key = ..`, the field that records are divided by"),
        sharding.count.is_none().then_some("`count = ..`, the number of shards"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !missing.is_empty() {
        errors.at_span(sharding.span, format!("`sharding` lacks {}", missing.join(" and ")));
    }
}
