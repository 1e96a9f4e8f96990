//! `PostFields`: the columns and relations that closures such as `|p| p.title.eq("Hi")` get.

use super::{
    docs,
    names::{Names, marker},
};
use crate::model::{Column, Member, Model, Role};
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn fields(model: &Model, names: &Names) -> TokenStream {
    let Names { private: p, fields, .. } = names;
    let (vis, ident) = (&model.vis, &model.ident);
    let members = model.members.iter().filter_map(|member| {
        let named = member.named();
        let (name, vis, ty) = (&named.ident, &named.vis, &named.ty);
        Some(match member {
            Member::Column(column) => {
                let docs = docs::of(named, &format!("The column `{}`.", named.name));
                let kind = kind(column).map(|kind| quote!(, #p::#kind));
                quote!(#docs #vis #name: #p::Path<#ident, #ty #kind>)
            }
            Member::Relation(relation) => {
                relation.target.as_ref()?;
                let docs = docs::of(named, &format!("The relation `{}`.", named.name));
                let marker = marker(model, relation);
                quote!(#docs #vis #name: #p::Rel<#marker>)
            }
        })
    });
    let about = format!("The columns and relations of `{ident}`, for queries.");
    quote! {
        #[doc = #about]
        #[allow(dead_code, private_interfaces, unreachable_pub)]
        #vis struct #fields { #(#members,)* }
    }
}

/// The value of `Model::FIELDS`.
pub(crate) fn value(model: &Model, names: &Names) -> TokenStream {
    let Names { private: p, fields, .. } = names;
    let members = model.members.iter().filter_map(|member| {
        let named = member.named();
        let (ident, name) = (&named.ident, &named.name);
        Some(match member {
            Member::Column(_) => quote!(#ident: #p::Path::new(#name)),
            Member::Relation(relation) => {
                relation.target.as_ref()?;
                quote!(#ident: #p::Rel::NEW)
            }
        })
    });
    quote!(#fields { #(#members,)* })
}

/// Who may set a column, and how it is stored; nothing for an ordinary one.
fn kind(column: &Column) -> Option<TokenStream> {
    match column.role {
        _ if column.serde => Some(quote!(ViaSerde)),
        Role::GeneratedKey | Role::Updated | Role::Owner => Some(quote!(ReadOnly)),
        Role::Key if column.default.is_none() => Some(quote!(ReadOnly)),
        Role::Key | Role::Created => Some(quote!(AtCreation)),
        Role::Plain if column.shard_key => Some(quote!(AtCreation)),
        Role::Plain => None,
    }
}
