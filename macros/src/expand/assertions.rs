//! What only the compiler can check, as it depends on the types of fields and on other models: constants and calls that do not
//! compile, or whose evaluation fails, at the tokens of the mistake.

use super::{names::Names, record, relations::target_model, spans::respan};
use crate::{
    check::spelling,
    model::{Model, Relation, RelationKind, Role},
};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, Type, ext::IdentExt as _, spanned::Spanned as _};

pub(crate) fn assertions(model: &Model, names: &Names) -> TokenStream {
    let references = references(model, names);
    let back_refs =
        model.relations_with_target().filter_map(|(relation, target)| back_ref(model, relation, target, names));
    let shard_key = shard_key(model, names);
    let indexed = indexed(model, names);
    let natural_key = natural_key(model, names);
    quote!(#references #(#back_refs)* #shard_key #indexed #natural_key)
}

/// Each `belongs_to` key has the type of its parent's key.
fn references(model: &Model, names: &Names) -> TokenStream {
    let p = &names.private;
    let checks = model.relations_with_target().filter_map(|(relation, target)| {
        let RelationKind::BelongsTo(keys) = &relation.kind else { return None };
        let types: Vec<&Type> =
            keys.iter().filter_map(|key| Some(&model.column(&key.unraw().to_string())?.named.ty)).collect();
        let (model_of_target, at) = (target_model(target, names), respan(p.clone(), target.span()));
        let parent = quote_spanned!(target.span()=> <#model_of_target as #at::Model>::Key);
        let (bound, ty) = match types[..] {
            [] => return None,
            [ty] => (quote!(RefersTo), quote!(#ty)),
            // at the names of the fields, as no one type is wrong
            _ => {
                let span = keys.first()?.span();
                (
                    quote!(RefersToAll),
                    respan(quote!((#(#types,)*)), keys.last().and_then(|last| span.join(last.span())).unwrap_or(span)),
                )
            }
        };
        let check = respan(quote!(fn key_of_parent<K, F: #p::#bound<K>>() {}), relation.named.ident.span());
        Some(quote!({ #check key_of_parent::<#parent, #ty>(); }))
    });
    let checks: Vec<TokenStream> = checks.collect();
    if checks.is_empty() { TokenStream::new() } else { quote!(const _: fn() = || { #(#checks)* };) }
}

/// The constant with the fields of the other model that hold this one's key.
pub(crate) fn back_ref_name(relation: &Relation) -> Ident {
    format_ident!("way_back_of_{}", relation.named.name, span = back_ref_span(relation))
}

/// Of the key that is named, else of the target.
fn back_ref_span(relation: &Relation) -> Span {
    match (&relation.kind, &relation.target) {
        (RelationKind::HasOne(Some(key)) | RelationKind::HasMany(Some(key)), _) => key.span(),
        (_, Some(target)) => target.span(),
        (_, None) => relation.named.ident.span(),
    }
}

fn back_ref(model: &Model, relation: &Relation, target: &Type, names: &Names) -> Option<TokenStream> {
    let p = &names.private;
    let (RelationKind::HasOne(key) | RelationKind::HasMany(key)) = &relation.kind else { return None };
    let (ident, name, span) = (&model.ident, back_ref_name(relation), back_ref_span(relation));
    let key = match key {
        None => quote!(::core::option::Option::None),
        Some(key) => {
            let key = key.unraw().to_string();
            quote!(::core::option::Option::Some(#key))
        }
    };
    let target = target_model(target, names);
    let call = respan(quote!(#p::back_ref::<#target, #ident>(#key)), span);
    Some(quote! {
        #[allow(non_upper_case_globals)]
        const #name: &[&str] = #call;
    })
}

/// Equal values of a shard key are stored in one form, and always there.
fn shard_key(model: &Model, names: &Names) -> Option<TokenStream> {
    let p = &names.private;
    let sharding = model.sharding.as_ref()?;
    let column = model.column(&sharding.key)?;
    let name = &column.named.name;
    let field = record::field(column);
    let absent =
        format!("`{name}` may be absent, and every record needs a shard: shard by a field that is always there");
    let unstable = format!(
        "`{name}` cannot divide records, as equal values of its type may be stored in different ways: shard by text, an \
         integer, an id, a bool or a `Timestamp`"
    );
    let check = quote! {
        const _: () = {
            if #field::OPTIONAL { ::core::panic!(#absent) }
            if let #p::Kind::Float | #p::Kind::Decimal | #p::Kind::List | #p::Kind::Map | #p::Kind::Struct = #field::KIND {
                ::core::panic!(#unstable)
            }
        };
    };
    Some(respan(check, sharding.span))
}

/// What is indexed has an order.
fn indexed(model: &Model, names: &Names) -> TokenStream {
    let p = &names.private;
    let mut seen: Vec<&str> = Vec::new();
    let mut checks = Vec::new();
    for name in model.indexes.iter().flat_map(|index| &index.fields) {
        let Some(column) = model.column(name).filter(|_| !seen.contains(&name.as_str())) else { continue };
        seen.push(name);
        if spelling::is_plain(&column.named.ty) {
            continue;
        }
        let field = record::field(column);
        let message = format!("`{name}` cannot be indexed, as lists, maps and structs have no order");
        let check = quote! {
            if let #p::Kind::List | #p::Kind::Map | #p::Kind::Struct = #field::KIND { ::core::panic!(#message) }
        };
        checks.push(respan(check, column.named.ty.span()));
    }
    if checks.is_empty() { TokenStream::new() } else { quote!(const _: () = { #(#checks)* };) }
}

/// A key that is not written as `Id` of the model is none under another name: else it would not be generated.
fn natural_key(model: &Model, names: &Names) -> Option<TokenStream> {
    let p = &names.private;
    let ident = &model.ident;
    let mut keys = model.key_columns();
    let (Some(column), None) = (keys.next(), keys.next()) else { return None };
    let ty = &column.named.ty;
    if column.role != Role::Key || spelling::is_plain(ty) {
        return None;
    }
    let message = format!(
        "`{}` is the `Id` of `{ident}` under another name: write `Id<{ident}>`, so that debros makes the key",
        column.named.name
    );
    let panic = respan(quote!(::core::panic!(#message)), ty.span());
    // an associated constant of the type itself goes before one of a trait
    Some(quote! {
        const _: () = {
            struct __Is<T>(::core::marker::PhantomData<T>);
            impl __Is<#p::Id<#ident>> { const OWN_ID: bool = true; }
            trait __Otherwise { const OWN_ID: bool = false; }
            impl<T> __Otherwise for __Is<T> {}
            if __Is::<#ty>::OWN_ID { #panic }
        };
    })
}
