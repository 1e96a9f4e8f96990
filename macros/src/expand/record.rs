//! The functions of `impl Model` that go through the fields: `encode`, `decode`, `key`, `validate`.

use super::{names::Names, spans::respan};
use crate::model::{Column, Member, Model, Rule, RuleKind};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{ext::IdentExt as _, spanned::Spanned as _};

pub(crate) fn functions(model: &Model, names: &Names) -> TokenStream {
    let Names { private: p, broken, .. } = names;
    let ident = &model.ident;
    let result = quote!(::core::result::Result);
    let body = |body: TokenStream| if *broken { quote!(::core::unreachable!()) } else { body };
    let (encode, decode, key) = (body(encode(model, names)), body(decode(model, names)), body(key(model, names)));
    // not to be seen by the expressions of users
    let out = Ident::new("out", Span::mixed_site());
    let rules: Vec<_> =
        model.columns().flat_map(|column| column.rules.iter().map(|rule| check(column, rule, &out, names))).collect();
    let unused = rules.is_empty().then(|| quote!(let _ = #out;));
    quote! {
        fn encode(&self) -> #result<#p::Map, #p::EncodeError> { #encode }
        fn decode(map: &#p::Map) -> #result<#ident, #p::DecodeError> { #decode }
        fn key(&self) -> #result<#p::Value, #p::EncodeError> { #key }
        fn validate(&self, #out: &mut #p::Violations) { #unused #(#rules)* }
    }
}

/// The name under which a column is stored.
fn stored<'a>(model: &Model, column: &'a Column) -> &'a str {
    if model.key == [column.named.name.clone()] { "_id" } else { &column.named.name }
}

/// How a column's type is stored: every mention of it is the same tokens, so that the compiler complains of it once.
fn codec(column: &Column, names: &Names) -> TokenStream {
    let p = &names.private;
    let ty = &column.named.ty;
    if column.serde { respan(quote!(<#p::ViaSerde as #p::Codec<#ty>>), ty.span()) } else { field(column) }
}

/// `<T as Field>`.
pub(crate) fn field(column: &Column) -> TokenStream {
    let ty = &column.named.ty;
    if column.unstored {
        return quote!(<bool as __Field>);
    }
    let field = Ident::new("__Field", ty.span());
    quote_spanned!(ty.span()=> <#ty as #field>)
}

fn encode(model: &Model, names: &Names) -> TokenStream {
    let p = &names.private;
    // in the order of the map, canonical DAG-CBOR's: shorter first, then by bytes
    let mut columns: Vec<_> = model.columns().map(|column| (stored(model, column), Some(column))).collect();
    if model.key.len() > 1 {
        columns.push(("_id", None));
    }
    columns.sort_by_key(|(stored, _)| (stored.len(), stored.as_bytes()));
    let values = columns.iter().map(|(stored, column)| {
        let Some(column) = column else {
            return quote!(("key", #stored, ::core::result::Result::Ok(<Self as #p::Model>::key(self)?)));
        };
        let (field, ident, codec) = (&column.named.name, &column.named.ident, codec(column, names));
        let encode = quote_spanned!(column.named.ty.span()=> #codec::encode);
        quote!((#field, #stored, #encode(&self.#ident)))
    });
    // the slots of relations hold nothing, but are read, so that nobody is told that they never are
    let def = respan(quote!(<Self as #p::Model>::DEF), model.ident.span());
    let slots: Vec<_> = model.relations().map(|relation| &relation.named.ident).collect();
    let slots = (!slots.is_empty()).then(|| quote!(let _ = (#(&self.#slots,)*);));
    quote! {
        #slots
        #p::record(#def, [#(#values,)*])
    }
}

fn decode(model: &Model, names: &Names) -> TokenStream {
    let p = &names.private;
    let (ident, model_name) = (&model.ident, model.ident.unraw().to_string());
    let result = quote!(::core::result::Result);
    let members = model.members.iter().map(|member| {
        let named = member.named();
        let (ident, name) = (&named.ident, &named.name);
        let value = match member {
            Member::Column(column) => {
                let (stored, codec) = (stored(model, column), codec(column, names));
                let decode = quote_spanned!(named.ty.span()=> #codec::decode);
                quote!(#p::field(#model_name, #name, map.field(#stored), #decode)?)
            }
            Member::Relation(relation) => relation.slot_value(p),
        };
        quote!(#ident: #value)
    });
    quote! {
        #result::Ok(#ident { #(#members,)* })
    }
}

fn key(model: &Model, names: &Names) -> TokenStream {
    let p = &names.private;
    let ident = &model.ident;
    let fields: Vec<_> = model.key_columns().map(|column| &column.named.ident).collect();
    let first = model.key.first();
    let value = match fields[..] {
        [field] => quote!(&self.#field),
        _ => quote!(&(#(::core::clone::Clone::clone(&self.#fields),)*)),
    };
    quote!(#p::stored_key::<#ident>(#first, #value))
}

fn check(column: &Column, rule: &Rule, out: &Ident, names: &Names) -> TokenStream {
    let p = &names.private;
    let (ident, name, text) = (&column.named.ident, &column.named.name, &rule.text);
    // what does not fit the type is told at the rule's word
    let ty = respan(column.named.ty.to_token_stream(), rule.span);
    let function = |word: &str, at: Span| {
        let word = Ident::new(word, at);
        respan(quote!(#p::rule::#word), at)
    };
    // the parentheses stand at the rule, too: the call is told to be there
    match &rule.kind {
        RuleKind::Len(range) => {
            let len = function("len", rule.span);
            quote_spanned!(rule.span=> #len::<#ty>(&self.#ident, #range, #name, #text, #out);)
        }
        RuleKind::Range(bounds) => {
            let range = function("range", rule.span);
            quote_spanned!(rule.span=> #range::<#ty>(&self.#ident, #bounds, #name, #text, #out);)
        }
        RuleKind::Matches(regex) => {
            let matches = function("matches", rule.span);
            let call = quote_spanned!(rule.span=> #matches::<#ty>(&self.#ident, &PATTERN, #name, #text, #out));
            quote!({ static PATTERN: #p::Pattern = #p::Pattern::new(#regex); #call; })
        }
        RuleKind::Check(path) => {
            let check = function("check", path.span());
            let of_one = function("function", path.span());
            quote_spanned!(path.span()=> #check(&self.#ident, #of_one(#path), #name, #text, #out);)
        }
    }
}
