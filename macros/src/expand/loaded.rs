//! `PostLoaded<S>`: a row with loaded relations, and the methods that read them.

use super::{
    docs,
    names::{Names, loaded_trait, marker, other_than},
    relations::target_model,
    spans::respan,
};
use crate::{
    model::{Model, Relation, RelationKind},
    prelude,
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::spanned::Spanned as _;

pub(crate) fn loaded(model: &Model, names: &Names) -> TokenStream {
    let Names { private: p, loaded, shape, .. } = names;
    let (vis, ident) = (&model.vis, &model.ident);
    let about = format!(
        "A `{ident}` with what its query loaded by `.with(..)`: it is read as the `{ident}`, and has a method for each relation."
    );
    quote! {
        #[doc = #about]
        #vis struct #loaded<#shape: #p::Shape>(#p::LoadedRow<#ident, #shape>);
    }
}

/// The methods, and one trait for each whose only job is its message. In a block of its own, which names no type of the user's
/// fields: so the traits shadow none.
pub(crate) fn accessors(model: &Model, names: &Names) -> TokenStream {
    let Names { private: p, fields, loaded, shape, .. } = names;
    let ident = &model.ident;
    let (index, nested) = (other_than(model, "I"), other_than(model, "N"));
    let tool_attributes = prelude::has_tool_attributes();
    let (mut traits, mut on_loaded, mut on_bare) = (Vec::new(), Vec::new(), Vec::new());
    for (relation, target) in model.relations_with_target() {
        let (marker, trait_name) = (marker(model, relation), loaded_trait(model, relation));
        let (name, field, field_vis, vis) =
            (&relation.named.name, &relation.named.ident, &relation.named.vis, &model.vis);
        let message = format!("`{ident}::{name}` was not loaded by this query");
        let letter =
            ident.to_string().chars().next().map_or_else(|| "m".to_owned(), |first| first.to_lowercase().to_string());
        let note = format!("ask for it in the query: `.with(|{letter}| {letter}.{name})`");
        let target_span = target.span();
        let target = target_model(target, names);
        let target_name = format_ident!("{trait_name}Row");
        let (row, bare_row) = (quote!(#nested::Row), quote!(#target_name));
        let (slot, view, bare_view) = (relation.slot(), view(relation, &row), view(relation, &bare_row));
        let docs = docs::of(&relation.named, &format!("The loaded relation `{name}`."));
        let (said, silent) = if tool_attributes {
            let said =
                quote!(#[diagnostic::on_unimplemented(message = #message, label = "not loaded here", note = #note)]);
            (said, quote!(#[diagnostic::do_not_recommend]))
        } else {
            (TokenStream::new(), TokenStream::new())
        };
        // all of it stands at the relation's target, so that the compiler complains once of a target that is no model
        let at = |tokens| respan(tokens, target_span);
        traits.push(at(quote! {
            #[doc(hidden)]
            #said
            #vis trait #trait_name<#index>: #p::Has<#marker, #index> {}
            type #target_name = #target;
            #silent
            impl<#shape: #p::Has<#marker, #index>, #index> #trait_name<#index> for #shape {}
        }));
        let (on_impl, view) = (at(quote!(#field_vis fn)), at(view));
        let read = at(quote!((&self) -> #view where #shape: #trait_name<#index, Nested = #nested>));
        let body =
            at(quote!({ <#p::#slot as #p::Slot>::view(<#shape as #p::Has<#marker, #index>>::get(&self.0.data)) }));
        let generics = at(quote!(<#index, #nested: #p::Yields<#target_name>>));
        on_loaded.push(quote!(#docs #on_impl #field #generics #read #body));
        // never called, as the bound never holds
        let unread =
            at(quote!(<#index>(&self) -> #bare_view where #p::Bare: #trait_name<#index> { ::core::unreachable!() }));
        let hidden = at(quote!(#[doc(hidden)]));
        on_bare.push(quote!(#hidden #on_impl #field #unread));
    }
    let impls = (!traits.is_empty()).then(|| {
        quote! {
            #[allow(dead_code, private_bounds, private_interfaces, unreachable_pub, clippy::must_use_candidate)]
            impl<#shape: #p::Shape> #loaded<#shape> { #(#on_loaded)* }
            #[allow(dead_code, private_bounds, private_interfaces, unreachable_pub)]
            #[allow(clippy::must_use_candidate, clippy::unused_self)]
            impl #ident { #(#on_bare)* }
        }
    });
    quote! {
        #p::__loaded_impls!(#ident, #fields, #loaded);
        #(#traits)*
        #impls
    }
}

fn view(relation: &Relation, row: &TokenStream) -> TokenStream {
    match relation.kind {
        RelationKind::HasMany(_) | RelationKind::ManyToMany(_) => quote!(&[#row]),
        _ if relation.optional => quote!(::core::option::Option<&#row>),
        _ => quote!(&#row),
    }
}
