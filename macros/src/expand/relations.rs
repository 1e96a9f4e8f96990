//! Relations as types: a marker for each, and what it says of itself.

use super::{
    names::{Names, marker},
    spans::respan,
};
use crate::model::{Model, Relation, RelationKind};
use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{Type, ext::IdentExt as _, spanned::Spanned as _};

/// One type for each relation.
pub(crate) fn markers(model: &Model) -> TokenStream {
    let vis = &model.vis;
    let markers = model.relations_with_target().map(|(relation, _)| {
        let marker = marker(model, relation);
        quote! {
            #[doc(hidden)]
            #vis struct #marker;
        }
    });
    quote!(#(#markers)*)
}

pub(crate) fn impls(model: &Model, names: &Names) -> TokenStream {
    let p = &names.private;
    let ident = &model.ident;
    let markers: Vec<_> = model.relations_with_target().map(|(relation, _)| marker(model, relation)).collect();
    let relations = model.relations_with_target().map(|(relation, target)| {
        let (marker, name) = (marker(model, relation), &relation.named.name);
        let (slot, target) = (relation.slot(), target_model(target, names));
        let others = markers.iter().filter(|other| **other != marker);
        let linkable = matches!(relation.kind, RelationKind::ManyToMany(_));
        let linkable = linkable.then(|| quote!(impl #p::Linkable for #marker {}));
        quote! {
            #p::__relation!(#ident, #marker, #name, #slot, #target);
            #linkable
            #(impl #p::Differs<#others> for #marker {})*
        }
    });
    let child_of = parents(model).into_iter().map(|Parent { target: parent, relations }| {
        let (name, parent_name) = (ident.unraw().to_string(), parent.to_token_stream().to_string().replace(' ', ""));
        let back_refs =
            relations.iter().map(|(relation, keys)| quote!(#p::BackRef { relation: #relation, keys: &[#(#keys),*] }));
        quote! {
            impl #p::ChildOf<#parent> for #ident {
                const NAME: &'static str = #name;
                const PARENT: &'static str = #parent_name;
                const PARENTS: &'static [#p::BackRef] = &[#(#back_refs),*];
            }
        }
    });
    quote!(#(#relations)* #(#child_of)*)
}

/// The model that a relation leads to. Every mention of it is the same tokens, so that the compiler complains once of what is no
/// model.
pub(crate) fn target_model(target: &Type, names: &Names) -> TokenStream {
    let row = respan(names.private.clone(), target.span());
    quote_spanned!(target.span()=> <#target as #row::Row>::Model)
}

/// The `belongs_to` fields that lead to one parent type.
struct Parent<'a> {
    target: &'a Type,
    /// Their names and keys.
    relations: Vec<(&'a str, Vec<String>)>,
}

fn parents(model: &Model) -> Vec<Parent<'_>> {
    let mut parents: Vec<Parent<'_>> = Vec::new();
    for (relation, target) in model.relations_with_target() {
        let Relation { named, kind: RelationKind::BelongsTo(keys), .. } = relation else { continue };
        let keys = keys.iter().map(|key| key.unraw().to_string()).collect();
        let text = target.to_token_stream().to_string();
        match parents.iter_mut().find(|parent| parent.target.to_token_stream().to_string() == text) {
            Some(parent) => parent.relations.push((&named.name, keys)),
            None => parents.push(Parent { target, relations: vec![(&named.name, keys)] }),
        }
    }
    parents
}
