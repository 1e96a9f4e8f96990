//! From attributes to what they say. One file per attribute; nothing here compares two of them.

mod field_args;
mod later;
mod model_args;
mod options;
mod relation_args;
mod sharding_args;
mod value_args;
mod word;

pub(crate) use field_args::{DefaultArg, FieldArgs, RuleArg};
#[cfg(test)]
pub(crate) use later::STORES as LATER_STORES;
pub(crate) use model_args::{FieldSet, ModelArgs};
pub(crate) use relation_args::{RELATIONS, RelationArgs, relation_args};
pub(crate) use sharding_args::ShardingArgs;
pub(crate) use value_args::ValueArgs;
