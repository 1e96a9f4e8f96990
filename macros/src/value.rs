//! `#[derive(Value)]`: enums without data, nested structs and newtypes as fields of models.

mod enums;
mod structs;

use crate::{errors::Errors, parse::ValueArgs};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitStr, ext::IdentExt as _, parse_quote};

/// The implementation of `Field`.
pub(crate) fn derive(input: &DeriveInput, errors: &mut Errors) -> TokenStream {
    let args = ValueArgs::parse(&input.attrs, &["crate"], errors);
    let krate = args.krate.unwrap_or_else(|| parse_quote!(::debros));
    let private = quote!(#krate::__private);
    let name = &input.ident;
    let body = match &input.data {
        Data::Enum(data) => enums::body(input, data, &private, errors),
        Data::Struct(data) => {
            match &data.fields {
                Fields::Named(fields) => structs::body(fields, &private, errors),
                Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                    structs::newtype(&fields.unnamed[0].ty, &private)
                }
                Fields::Unnamed(fields) => {
                    errors.at(fields, format!("the fields of `{name}` need names, under which they are stored: write `struct {name} {{ .. }}`"));
                    structs::fallback(&private)
                }
                Fields::Unit => {
                    errors.at(
                        name,
                        format!("`{name}` holds nothing that could be stored: give it fields, or make it an enum"),
                    );
                    structs::fallback(&private)
                }
            }
        }
        Data::Union(data) => {
            errors.at(data.union_token, "`Value` is for enums and structs");
            return TokenStream::new();
        }
    };
    let mut generics = input.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(#private::Field));
    }
    let (on_impl, on_type, bounds) = generics.split_for_impl();
    quote! {
        #[allow(deprecated)]
        const _: () = {
            impl #on_impl #private::Field for #name #on_type #bounds { #body }
        };
    }
}

/// The name under which a variant or a field is stored; no two of a type are the same.
fn stored_name(ident: &Ident, attributes: &[Attribute], taken: &mut Vec<String>, errors: &mut Errors) -> String {
    let name: Option<LitStr> = ValueArgs::parse(attributes, &["name"], errors).name;
    let stored = name.as_ref().map_or_else(|| ident.unraw().to_string(), LitStr::value);
    if taken.contains(&stored) {
        let message = format!("two are stored as `{stored}`: give one of them another name");
        match &name {
            Some(name) => errors.at(name, message),
            None => errors.at(ident, message),
        }
    }
    taken.push(stored.clone());
    stored
}
