//! `#[value(..)]`, in `#[derive(Value)]`.

use super::{
    model_args::crate_path,
    options::{arguments, each_option},
};
use crate::errors::Errors;
use syn::{Attribute, LitStr, Path};

/// What the `#[value(..)]` of a type, a variant or a field say.
#[derive(Default)]
pub(crate) struct ValueArgs {
    pub(crate) name: Option<LitStr>,
    pub(crate) krate: Option<Path>,
}

impl ValueArgs {
    /// Reads them. `known` are the options that may stand here.
    pub(crate) fn parse(attributes: &[Attribute], known: &[&str], errors: &mut Errors) -> ValueArgs {
        let mut args = ValueArgs::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("value")) {
            each_option(arguments(attribute, errors), errors, |option, _| {
                let word = option.name.to_string();
                match word.as_str() {
                    "name" if known.contains(&"name") => {
                        let input = option.value("\"..\"")?;
                        if !input.peek(LitStr) {
                            return Err(input.error("expected a text between quotes: `name = \"..\"`"));
                        }
                        let name: LitStr = input.parse()?;
                        if name.value().is_empty() {
                            return Err(syn::Error::new_spanned(&name, "a stored name needs at least one letter"));
                        }
                        option.once(&mut args.name, name)
                    }
                    "crate" if known.contains(&"crate") => option.once(&mut args.krate, crate_path(option)?),
                    _ => Err(option.unknown("value", known)),
                }
            });
        }
        args
    }
}
