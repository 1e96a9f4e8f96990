//! The four items that the struct itself gets: `FIELDS`, `query`, `get`, `changes`. Nothing else, so that no name is taken.

use super::{names::Names, spans::respan};
use crate::model::Model;
use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned as _;

pub(crate) fn inherent(model: &Model, names: &Names) -> TokenStream {
    let Names { private: p, fields, .. } = names;
    let (vis, ident) = (&model.vis, &model.ident);
    let about_fields =
        format!("The columns and relations of `{ident}`: `{ident}::FIELDS.x.eq(..)` is a predicate that can be kept.");
    let about_query = format!("A query of `{ident}`.");
    let about_get = format!("The `{ident}` with this key, if there is one.");
    let about_changes = format!("What happens to records of `{ident}`, one after the other.");
    // what is no key is told to be none of this one
    let span = model.key_columns().next().map_or(model.ident.span(), |column| column.named.ty.span());
    let bound = respan(quote!(#p::IntoKey<<#ident as #p::Model>::Key>), span);
    quote! {
        #[allow(dead_code, private_interfaces, unreachable_pub)]
        impl #ident {
            #[doc = #about_fields]
            #vis const FIELDS: #fields = <#ident as #p::Model>::FIELDS;
            #[doc = #about_query]
            #vis fn query() -> #p::Query<#ident> { #p::Query::new() }
            #[doc = #about_get]
            #vis fn get(key: impl #bound) -> #p::Get<#ident> { #p::Get::new(key) }
            #[doc = #about_changes]
            #vis fn changes() -> #p::Changes<#ident> { #p::Changes::new() }
        }
    }
}
