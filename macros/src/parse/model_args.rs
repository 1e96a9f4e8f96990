//! `#[model(..)]`.

use super::{
    later,
    options::{Opt, each_option, field_names},
    sharding_args::ShardingArgs,
    word::{Spanned, one_of},
};
use crate::{
    errors::Errors,
    model::{Scope, Store, Writers},
};
use proc_macro2::{Span, TokenStream};
use syn::{Ident, LitStr, Path, Token, ext::IdentExt as _};

/// What `#[model(..)]` says.
#[derive(Default)]
pub(crate) struct ModelArgs {
    pub(crate) krate: Option<Path>,
    pub(crate) scope: Option<Spanned<Scope>>,
    pub(crate) writers: Option<Spanned<Writers>>,
    pub(crate) store: Option<Spanned<Store>>,
    pub(crate) name: Option<LitStr>,
    pub(crate) unique: Vec<FieldSet>,
    pub(crate) index: Vec<FieldSet>,
    pub(crate) sharding: Option<ShardingArgs>,
    /// Of the word `hooks`.
    pub(crate) hooks: Option<Span>,
    /// The names of options that did not parse.
    pub(crate) failed: Vec<String>,
}

/// The fields of `unique(..)` or `index(..)`.
pub(crate) struct FieldSet {
    /// Of the word before the parentheses.
    pub(crate) span: Span,
    pub(crate) fields: Vec<Ident>,
}

const KNOWN: &[&str] = &["scope", "writers", "store", "name", "unique", "index", "sharding", "hooks", "crate"];

impl ModelArgs {
    pub(crate) fn parse(arguments: TokenStream, errors: &mut Errors) -> ModelArgs {
        let mut args = ModelArgs::default();
        args.failed = each_option(arguments, errors, |option, errors| match option.name.to_string().as_str() {
            "scope" => {
                let input = option.value("global")?;
                let table = [("user", Scope::User), ("global", Scope::Global)];
                option.once(&mut args.scope, one_of("scope", input, &table, &[])?)
            }
            "writers" => {
                let input = option.value("anyone")?;
                let table = [("anyone", Writers::Anyone), ("owner", Writers::Owner), ("admins", Writers::Admins)];
                option.once(&mut args.writers, one_of("writer", input, &table, &[])?)
            }
            "store" => {
                let input = option.value("documents")?;
                let table = [("documents", Store::Documents), ("events", Store::Events)];
                option.once(&mut args.store, one_of("store", input, &table, later::STORES)?)
            }
            "name" => {
                let input = option.value("\"..\"")?;
                if !input.peek(LitStr) {
                    return Err(input.error("expected a text between quotes: `name = \"..\"`"));
                }
                option.once(&mut args.name, input.parse()?)
            }
            word @ ("unique" | "index") => {
                let fields = field_names(option.list("a, b")?)?;
                if fields.is_empty() {
                    return Err(option.error(format!("`{word}` needs the names of fields: `{word}(a, b)`")));
                }
                let set = FieldSet { span: option.name.span(), fields };
                if word == "unique" {
                    args.unique.push(set)
                } else {
                    args.index.push(set)
                }
                Ok(())
            }
            "sharding" => {
                let list = option.list("strategy = hash, key = id, count = 8")?;
                let sharding = ShardingArgs::parse(option.name.span(), list, errors);
                option.once(&mut args.sharding, sharding)
            }
            "hooks" => {
                option.flag()?;
                option.once(&mut args.hooks, option.name.span())
            }
            "crate" => option.once(&mut args.krate, crate_path(option)?),
            _ => Err(option.unknown("model", KNOWN)),
        });
        args
    }
}

/// `crate = ::my_debros`, as a path or between quotes.
pub(crate) fn crate_path(option: &Opt<'_>) -> syn::Result<Path> {
    let input = option.value("::my_debros")?;
    if input.peek(LitStr) {
        return input.parse::<LitStr>()?.parse_with(Path::parse_mod_style);
    }
    if input.peek(Token![::]) || input.peek(Ident::peek_any) {
        return input.call(Path::parse_mod_style);
    }
    Err(input.error("expected the path of the crate: `crate = ::my_debros`"))
}
