//! The macros of debros: `#[model]` makes a model of a struct, `#[derive(Value)]` makes an enum or a struct a field of one.
//!
//! Applications use them through the crate `debros`, which documents them.
//!
//! Three steps, one folder each: `parse` reads attributes, one file per attribute; `check` compares what they say and finds every
//! mistake that can be seen without the types of others; `expand` writes what is generated, one file per output. A mistake
//! does not stop the rest: what it spoils is left out, and the other items are still generated, so that one mistake is one
//! message.

mod check;
mod errors;
mod expand;
mod model;
mod parse;
mod prelude;
mod suggest;
mod value;

use errors::Errors;
use proc_macro::TokenStream;
use proc_macro2::{TokenStream as Tokens, TokenTree};
use quote::quote;
use syn::{DeriveInput, parse_quote};

/// Makes a model of a struct. See the crate `debros`.
#[proc_macro_attribute]
pub fn model(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute(arguments.into(), item.into()).into()
}

/// What `#[model]` puts above the struct. No part of the API.
#[doc(hidden)]
#[proc_macro_derive(Model, attributes(model_args, field, belongs_to, has_one, has_many, many_to_many))]
pub fn derive_model(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let parsed = errors.take(syn::parse::<DeriveInput>(item));
    parsed.map(|input| model_of(&input, &mut errors)).into_iter().chain([errors.into_tokens()]).collect::<Tokens>().into()
}

/// Makes an enum without data, or a struct with named fields, a field of a model. See the crate `debros`.
#[proc_macro_derive(Value, attributes(value))]
pub fn derive_value(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let parsed = errors.take(syn::parse::<DeriveInput>(item));
    parsed.map(|input| value::derive(&input, &mut errors)).into_iter().chain([errors.into_tokens()]).collect::<Tokens>().into()
}

/// The attribute is a thin one over a derive: it leaves the struct as it is, so that the struct is there whatever the derive
/// finds wrong with it, and so that the helper attributes of its fields are legal.
fn attribute(arguments: Tokens, item: Tokens) -> Tokens {
    // mistakes in the arguments are the derive's to report
    let krate = parse::ModelArgs::parse(arguments.clone(), &mut Errors::default())
        .krate
        .unwrap_or_else(|| parse_quote!(::debros));
    if !is_type(&item) {
        let error = syn::Error::new_spanned(
            item.clone().into_iter().next(),
            "`#[model]` goes above a struct with named fields",
        );
        let error = error.to_compile_error();
        return quote!(#error #item);
    }
    quote! {
        #[derive(#krate::__private::Model)]
        #[model_args(#arguments)]
        #item
    }
}

/// Is the item a struct, an enum or a union?
fn is_type(item: &Tokens) -> bool {
    item.clone().into_iter().any(
        |tree| matches!(&tree, TokenTree::Ident(word) if word == "struct" || word == "enum" || word == "union"),
    )
}

fn model_of(input: &DeriveInput, errors: &mut Errors) -> Tokens {
    let mut arguments = Tokens::new();
    for attribute in &input.attrs {
        if attribute.path().is_ident("model_args")
            && let Ok(list) = attribute.meta.require_list()
        {
            arguments = list.tokens.clone();
        }
    }
    let args = parse::ModelArgs::parse(arguments, errors);
    check::model(input, args, errors).map(|model| expand::model(&model, !errors.is_empty())).unwrap_or_default()
}

#[cfg(test)]
mod tests;
