//! `sharding(..)` in `#[model(..)]`.

use super::{
    later,
    options::{each_option, field_name},
    word::{Spanned, one_of},
};
use crate::errors::Errors;
use proc_macro2::{Span, TokenStream};
use syn::{Ident, LitInt};

/// What `sharding(..)` says.
pub(crate) struct ShardingArgs {
    /// Of the word `sharding`.
    pub(crate) span: Span,
    pub(crate) key: Option<Ident>,
    pub(crate) count: Option<Spanned<u32>>,
    /// An option of it did not parse: what is missing is not missed.
    pub(crate) failed: bool,
    pub(crate) has_strategy: bool,
}

const KNOWN: &[&str] = &["strategy", "key", "count"];

impl ShardingArgs {
    pub(crate) fn parse(span: Span, arguments: TokenStream, errors: &mut Errors) -> ShardingArgs {
        let mut args = ShardingArgs { span, key: None, count: None, failed: false, has_strategy: false };
        let mut strategy = None;
        let mut own = Errors::default();
        let _ = each_option(arguments, &mut own, |option, _| match option.name.to_string().as_str() {
            "strategy" => {
                let input = option.value("hash")?;
                option.once(&mut strategy, one_of("sharding strategy", input, &[("hash", ())], later::STRATEGIES)?)
            }
            "key" => {
                let input = option.value("id")?;
                option.once(&mut args.key, field_name(input)?)
            }
            "count" => {
                let input = option.value("8")?;
                if !input.peek(LitInt) {
                    return Err(input.error("the shard count is a whole number: `count = 8`"));
                }
                let count: LitInt = input.parse()?;
                let value = count
                    .base10_parse()
                    .map_err(|_| syn::Error::new_spanned(&count, "the shard count is a whole number of 32 bits"))?;
                option.once(&mut args.count, Spanned { value, span: count.span() })
            }
            _ => Err(option.unknown("model", KNOWN)),
        });
        args.has_strategy = strategy.is_some();
        args.failed = !own.is_empty();
        errors.append(own);
        args
    }
}
