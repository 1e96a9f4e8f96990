//! `NewPost`: the fields that a record's creator must give, and how a record is made of them.

use super::{docs, names::Names, spans::respan};
use crate::model::{Column, DefaultValue, Member, Model, Role};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Expr, spanned::Spanned as _};

pub(crate) fn new_struct(model: &Model, names: &Names) -> TokenStream {
    let new = &names.new;
    let (vis, ident) = (&model.vis, &model.ident);
    let fields = model.columns().filter(|column| column.is_required()).map(|column| {
        let named = &column.named;
        let (name, vis, ty) = (&named.ident, &named.vis, &named.ty);
        let docs = docs::of(named, &format!("The field `{}`.", named.name));
        quote!(#docs #vis #name: #ty)
    });
    let about = format!(
        "The fields of `{ident}` that its creator gives: what debros fills, what has a default and what may be absent is \
         left out and can be `.set(..)`."
    );
    quote! {
        #[doc = #about]
        #[allow(dead_code, private_interfaces, unreachable_pub)]
        #vis struct #new { #(#fields,)* }
    }
}

pub(crate) fn insert_impl(model: &Model, names: &Names) -> TokenStream {
    let Names { private: p, new, .. } = names;
    let ident = &model.ident;
    let seed = Ident::new("seed", Span::mixed_site());
    let body = if names.broken {
        quote!(::core::unreachable!())
    } else {
        let members = model.members.iter().map(|member| {
            let name = &member.named().ident;
            let value = match member {
                Member::Column(column) => value(column, names),
                Member::Relation(relation) => relation.slot_value(p),
            };
            quote!(#name: #value)
        });
        quote!(#ident { #(#members,)* })
    };
    quote! {
        impl #p::Insert for #new {
            type Model = #ident;
            fn build(self, #seed: &#p::Seed) -> #ident {
                let _ = #seed;
                #body
            }
        }
    }
}

fn value(column: &Column, names: &Names) -> TokenStream {
    let p = &names.private;
    let (name, ty) = (&column.named.ident, &column.named.ty);
    // words of ours where the type is wrong, at the word that is wrong
    let filled = |value: TokenStream| {
        let span = column.role_span;
        let convert = respan(quote!(<_ as #p::IntoValue<#ty>>::into_value), span);
        quote!(#convert(#value))
    };
    let seed = Ident::new("seed", Span::mixed_site());
    match (&column.role, &column.default) {
        (Role::GeneratedKey, _) => quote!(#p::Id::from_uuid(#seed.id)),
        (Role::Created | Role::Updated, _) => filled(quote!(#seed.now)),
        (Role::Owner, _) => filled(quote!(#seed.user)),
        (Role::Plain | Role::Key, Some(DefaultValue::Trait(span))) => {
            respan(quote!(<#ty as #p::HasDefault>::own_default()), *span)
        }
        // a text may stand for a `String`, and words of ours where the type is wrong
        (Role::Plain | Role::Key, Some(DefaultValue::Expr(expr))) if has_type_of_its_own(expr) => {
            let convert = respan(quote!(<_ as #p::IntoValue<#ty>>::into_value), expr.span());
            quote!(#convert(#expr))
        }
        // what `.into()` gives follows from the field
        (Role::Plain | Role::Key, Some(DefaultValue::Expr(expr))) => quote!(#expr),
        (Role::Plain | Role::Key, None) if column.spelled_option => quote!(::core::option::Option::None),
        (Role::Plain | Role::Key, None) => quote!(self.#name),
    }
}

/// Is the type of this expression the same wherever it stands?
fn has_type_of_its_own(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) | Expr::Path(_) | Expr::Struct(_) => true,
        Expr::Unary(unary) => has_type_of_its_own(&unary.expr),
        _ => false,
    }
}
