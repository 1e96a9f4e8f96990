//! The options between the parentheses of an attribute: `name`, `name = value`, `name(..)`, with commas between.

use super::later;
use crate::{errors::Errors, suggest::did_you_mean};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Ident, LitStr, Meta, Token,
    ext::IdentExt as _,
    parse::{ParseStream, Parser as _},
};

/// One option: its name, and what stands behind it.
pub(crate) struct Opt<'a> {
    pub(crate) name: Ident,
    input: ParseStream<'a>,
}

impl<'a> Opt<'a> {
    /// The option is a bare word.
    pub(crate) fn flag(&self) -> syn::Result<()> {
        if self.input.is_empty() || self.input.peek(Token![,]) {
            return Ok(());
        }
        Err(self.error(format!("`{0}` takes no value: write `{0}` alone", self.name)))
    }

    /// What stands after `=`.
    pub(crate) fn value(&self, example: &str) -> syn::Result<ParseStream<'a>> {
        if !self.input.peek(Token![=]) || self.input.peek(Token![==]) {
            return Err(self.error(format!("`{}` needs a value: `{} = {example}`", self.name, self.name)));
        }
        self.input.parse::<Token![=]>()?;
        if self.input.is_empty() || self.input.peek(Token![,]) {
            return Err(self.error(format!("`{}` needs a value: `{} = {example}`", self.name, self.name)));
        }
        Ok(self.input)
    }

    /// Does a value follow?
    pub(crate) fn has_value(&self) -> bool {
        self.input.peek(Token![=])
    }

    /// The tokens between parentheses.
    pub(crate) fn list(&self, example: &str) -> syn::Result<TokenStream> {
        if !self.input.peek(syn::token::Paren) {
            return Err(self.error(format!("`{}` needs parentheses: `{}({example})`", self.name, self.name)));
        }
        let content;
        syn::parenthesized!(content in self.input);
        content.parse()
    }

    /// An error at the option's name.
    pub(crate) fn error(&self, message: impl std::fmt::Display) -> syn::Error {
        syn::Error::new_spanned(&self.name, message)
    }

    /// No option of this name is known here.
    pub(crate) fn unknown(&self, attribute: &str, known: &[&str]) -> syn::Error {
        let name = self.name.unraw().to_string();
        if later::OPTIONS.contains(&name.as_str()) {
            return self.error(later::not_yet(&name));
        }
        if let Some(home) = later::home_of(&name).filter(|&home| home != attribute) {
            return self.error(format!("`{name}` is not an option of `#[{attribute}]`: it belongs in `#[{home}(..)]`"));
        }
        let near = did_you_mean(&name, known.iter().copied());
        if near.is_empty() {
            let known = known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            self.error(format!("unknown option `{name}`; `#[{attribute}]` has {known}"))
        } else {
            self.error(format!("unknown option `{name}`{near}"))
        }
    }

    /// Keeps a value that may be given once.
    pub(crate) fn once<T>(&self, slot: &mut Option<T>, value: T) -> syn::Result<()> {
        if slot.is_some() {
            return Err(self.error(format!("`{}` stands twice: write it once", self.name)));
        }
        *slot = Some(value);
        Ok(())
    }
}

/// Hands every option of these arguments to `read`. An option that fails is recorded and left out; the rest go on. The names of
/// those that failed come back: what they would have said is not missed then.
pub(crate) fn each_option(
    arguments: TokenStream,
    errors: &mut Errors,
    mut read: impl FnMut(&Opt<'_>, &mut Errors) -> syn::Result<()>,
) -> Vec<String> {
    let mut failed = Vec::new();
    let parse = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if !input.peek(Ident::peek_any) || input.peek(Token![_]) {
                let found = input.parse::<TokenTree>()?;
                errors.at(&found, format!("expected the name of an option, found `{found}`"));
                skip_to_comma(input);
            } else {
                let option = Opt { name: input.call(Ident::parse_any)?, input };
                match read(&option, errors) {
                    Ok(()) if input.is_empty() || input.peek(Token![,]) => {}
                    Ok(()) => {
                        errors.push(input.error(format!("expected `,` after the option `{}`", option.name)));
                        skip_to_comma(input);
                    }
                    Err(error) => {
                        errors.push(error);
                        failed.push(option.name.to_string());
                        skip_to_comma(input);
                    }
                }
            }
            if input.peek(Token![,]) {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    let result = parse.parse2(arguments);
    errors.take(result);
    failed
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

/// What stands between the parentheses of an attribute; nothing for a bare one.
pub(crate) fn arguments(attribute: &Attribute, errors: &mut Errors) -> TokenStream {
    match &attribute.meta {
        Meta::Path(_) => TokenStream::new(),
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(pair) => {
            let name = pair.path.to_token_stream();
            errors.at(pair, format!("write the options of `#[{name}]` between parentheses: `#[{name}(..)]`"));
            TokenStream::new()
        }
    }
}

/// Names of fields with commas between: `a, b`.
pub(crate) fn field_names(names: TokenStream) -> syn::Result<Vec<Ident>> {
    let parse = |input: ParseStream<'_>| {
        let mut list = Vec::new();
        while !input.is_empty() {
            list.push(field_name(input)?);
            if !input.is_empty() {
                if !input.peek(Token![,]) {
                    return Err(input.error("expected `,` between the names of two fields"));
                }
                input.parse::<Token![,]>()?;
            }
        }
        Ok(list)
    };
    parse.parse2(names)
}

/// The name of a field: `f`, or `"f"`.
pub(crate) fn field_name(input: ParseStream<'_>) -> syn::Result<Ident> {
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        return text
            .parse_with(Ident::parse_any)
            .map_err(|_| syn::Error::new_spanned(&text, format!("`{}` is not the name of a field", text.value())));
    }
    if input.peek(Ident::peek_any) && !input.peek(Token![_]) {
        return input.call(Ident::parse_any);
    }
    Err(input.error("expected the name of a field"))
}
