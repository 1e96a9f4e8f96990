//! An enum without data is stored as the name of its variant.

use super::{stored_name, structs::fallback};
use crate::errors::Errors;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{DataEnum, DeriveInput, Fields, ext::IdentExt as _};

pub(crate) fn body(input: &DeriveInput, data: &DataEnum, p: &TokenStream, errors: &mut Errors) -> TokenStream {
    let name = &input.ident;
    if !input.generics.params.is_empty() {
        errors.at(&input.generics, format!("`{name}` is stored as the name of a variant and cannot be generic"));
    }
    if data.variants.is_empty() {
        errors.at(name, format!("`{name}` has no variants, so no field could ever hold one"));
        return fallback(p);
    }
    let mut taken = Vec::new();
    let mut shape = quote!(0);
    let (mut encode, mut decode) = (Vec::new(), Vec::new());
    for variant in &data.variants {
        let ident = &variant.ident;
        if !matches!(variant.fields, Fields::Unit) {
            errors.at(
                &variant.fields,
                format!(
                    "`{}` carries data, and an enum is stored as the name of its variant: move the data into fields of the \
                     model, or derive serde's traits and store `{name}` by `#[field(serde)]`",
                    ident.unraw()
                ),
            );
            continue;
        }
        let stored = stored_name(ident, &variant.attrs, &mut taken, errors);
        shape = quote!(#p::shape_of_variant(#shape, #stored));
        encode.push(quote!(#name::#ident => #stored));
        decode.push(quote!(#stored => ::core::result::Result::Ok(#name::#ident)));
    }
    if !errors.is_empty() {
        return fallback(p);
    }
    let name = name.unraw().to_string();
    let (wanted, unknown) = (format!("a `{name}`"), format!("holds `{{}}`, which is no `{name}` of this version"));
    quote! {
        const KIND: #p::Kind = #p::Kind::Enum;
        fn shape(_: u8) -> u64 {
            #shape
        }
        fn encode(&self) -> ::core::result::Result<#p::Value, #p::FieldError> {
            ::core::result::Result::Ok(#p::Value::text(match self { #(#encode,)* }))
        }
        fn decode(value: &#p::Value) -> ::core::result::Result<Self, #p::FieldError> {
            match #p::Value::as_text(value) {
                ::core::option::Option::Some(text) => match text {
                    #(#decode,)*
                    other => ::core::result::Result::Err(#p::FieldError::new(::std::format!(#unknown, other))),
                },
                ::core::option::Option::None => ::core::result::Result::Err(#p::FieldError::wrong_kind(value, #wanted)),
            }
        }
    }
}
