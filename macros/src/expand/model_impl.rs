//! `impl Model for Post`.

use super::{def, fields, names::Names, record, spans::respan};
use crate::model::{Model, Scope, Store};
use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{Visibility, ext::IdentExt as _};

pub(crate) fn model_impl(model: &Model, names: &Names) -> TokenStream {
    let Names { private: p, fields, loaded, shape, .. } = names;
    let ident = &model.ident;
    let name = ident.unraw().to_string();
    let path = format!("::{name}");
    let key = key_type(model, names);
    let scope = match model.scope {
        Scope::User => quote!(PerUser),
        Scope::Global => quote!(World),
    };
    let (value, (tables, def)) = (fields::value(model, names), def::def(model, names));
    let record = record::functions(model, names);
    let visible = visible(model, names);
    let (run, changeable) = match model.store {
        Store::Documents => (quote!(run_hook), Some(quote!(impl #p::Changeable for #ident {}))),
        Store::Events => (quote!(run_event_hook), None),
    };
    let hooks = model.hooks.map(|span| {
        let own = respan(quote!(#ident), span);
        quote! {
            const HOOKS: bool = true;
            fn hook(&mut self, hook: #p::Hook<'_, Self>, context: &#p::HookContext) -> ::core::result::Result<(), #p::HookError> {
                #p::#run::<#own>(self, hook, context)
            }
        }
    });
    quote! {
        #tables
        #changeable
        impl #p::Model for #ident {
            type Fields = #fields;
            type Key = #key;
            type Scope = #p::#scope;
            type Loaded<#shape: #p::Shape> = #loaded<#shape>;
            const FIELDS: #fields = #value;
            const PATH: &'static str = ::core::concat!(::core::module_path!(), #path);
            #visible
            const DEF: &'static #p::ModelDef = #def;
            #record
            fn loaded<#shape: #p::Shape>(row: #p::LoadedRow<#ident, #shape>) -> #loaded<#shape> { #loaded(row) }
            #hooks
        }
    }
}

/// The type of the key; a tuple, if several fields make it.
fn key_type(model: &Model, names: &Names) -> TokenStream {
    let p = &names.private;
    let types: Vec<_> = model.key_columns().map(|column| &column.named.ty).collect();
    match types[..] {
        // beside an error that says so
        [] => {
            let ident = &model.ident;
            quote!(#p::Id<#ident>)
        }
        [ty] => quote!(#ty),
        _ => quote!((#(#types,)*)),
    }
}

/// Which modules see the struct; nothing for all, as the trait says that.
fn visible(model: &Model, names: &Names) -> Option<TokenStream> {
    let p = &names.private;
    let within = match &model.vis {
        Visibility::Public(_) => return None,
        Visibility::Inherited => "self".to_owned(),
        Visibility::Restricted(restricted) => restricted.path.to_token_stream().to_string().replace(' ', ""),
    };
    Some(quote!(const VISIBLE: #p::Visible = #p::Visible::within(::core::module_path!(), #within);))
}
