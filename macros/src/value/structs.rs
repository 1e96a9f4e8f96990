//! A nested struct is stored as a map of its fields, a newtype as what it wraps.

use super::stored_name;
use crate::{errors::Errors, expand::respan};
use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{FieldsNamed, Type, spanned::Spanned as _};

pub(crate) fn body(fields: &FieldsNamed, p: &TokenStream, errors: &mut Errors) -> TokenStream {
    let mut taken = Vec::new();
    let mut shapes = Vec::new();
    let (mut encode, mut decode) = (Vec::new(), Vec::new());
    for field in &fields.named {
        let Some(ident) = &field.ident else { continue };
        let (stored, ty) = (stored_name(ident, &field.attrs, &mut taken, errors), &field.ty);
        // every mention of the type is the same tokens, so that the compiler complains of it once
        let field = respan(quote!(#p::Field), ty.span());
        let of = |name: &str| {
            let name = Ident::new(name, ty.span());
            quote_spanned!(ty.span()=> <#ty as #field>::#name)
        };
        let (encoded, decoded) = (of("encode"), of("decode"));
        encode.push(quote!(put(&mut map, #stored, #encoded(&self.#ident))?;));
        decode.push(quote!(#ident: get(map.field(#stored), #stored, #decoded)?));
        let column = of("COLUMN");
        shapes.push(quote!(let shape = #p::shape_of_part(shape, #stored, #column, depth);));
    }
    if !errors.is_empty() {
        return fallback(p);
    }
    let count = encode.len();
    let result = quote!(::core::result::Result);
    quote! {
        const KIND: #p::Kind = #p::Kind::Struct;
        fn shape(depth: u8) -> u64 {
            let shape = 0;
            #(#shapes)*
            shape
        }
        fn encode(&self) -> #result<#p::Value, #p::FieldError> {
            fn put(map: &mut #p::Map, name: &'static str, part: #result<#p::Value, #p::FieldError>) -> #result<(), #p::FieldError> {
                map.insert(name, #result::map_err(part, |error| error.within(name))?);
                #result::Ok(())
            }
            let mut map = #p::Map::with_capacity(#count);
            #(#encode)*
            #result::Ok(#p::Value::Map(map))
        }
        fn decode(value: &#p::Value) -> #result<Self, #p::FieldError> {
            fn get<T>(
                part: &#p::Value,
                name: &'static str,
                decode: fn(&#p::Value) -> #result<T, #p::FieldError>,
            ) -> #result<T, #p::FieldError> {
                #result::map_err(decode(part), |error| match part {
                    #p::Value::Null => #p::FieldError::new("is absent").within(name),
                    _ => error.within(name),
                })
            }
            match #p::Value::as_map(value) {
                ::core::option::Option::Some(map) => #result::Ok(Self { #(#decode,)* }),
                ::core::option::Option::None => #result::Err(#p::FieldError::wrong_kind(value, "a map")),
            }
        }
    }
}

pub(crate) fn newtype(ty: &Type, p: &TokenStream) -> TokenStream {
    quote! {
        const KIND: #p::Kind = <#ty as #p::Field>::KIND;
        const OPTIONAL: bool = <#ty as #p::Field>::OPTIONAL;
        fn shape(depth: u8) -> u64 {
            <#ty as #p::Field>::shape(depth)
        }
        fn encode(&self) -> ::core::result::Result<#p::Value, #p::FieldError> {
            #p::Field::encode(&self.0)
        }
        fn decode(value: &#p::Value) -> ::core::result::Result<Self, #p::FieldError> {
            ::core::result::Result::map(<#ty as #p::Field>::decode(value), Self)
        }
    }
}

/// Beside an error: enough for the type to be a field, so that the error is the only one.
pub(crate) fn fallback(p: &TokenStream) -> TokenStream {
    quote! {
        const KIND: #p::Kind = #p::Kind::Struct;
        fn encode(&self) -> ::core::result::Result<#p::Value, #p::FieldError> { ::core::unreachable!() }
        fn decode(_: &#p::Value) -> ::core::result::Result<Self, #p::FieldError> { ::core::unreachable!() }
    }
}
