//! The few things that are read off the spelling of a type, because a struct cannot have more or fewer fields by type.

use super::Written;
use crate::model::Named;
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Ident, PathArguments, Type, parse_quote, parse2};

/// The name, type and doc comment of a field, with `Self` written out: in what is generated, `Self` would be another type.
pub(crate) fn named(model: &Ident, written: &Written<'_>) -> Named {
    let ty = without_self(model, written.field.ty.to_token_stream());
    Named {
        ident: written.ident.clone(),
        name: written.name.clone(),
        vis: written.field.vis.clone(),
        ty: parse2(ty).unwrap_or_else(|_| written.field.ty.clone()),
        docs: written.field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect(),
    }
}

/// These tokens with the model's name in place of `Self`.
pub(crate) fn without_self(model: &Ident, tokens: TokenStream) -> TokenStream {
    let replace = |tree| match tree {
        TokenTree::Ident(ident) if ident == "Self" => TokenTree::Ident(Ident::new(&model.to_string(), ident.span())),
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), without_self(model, group.stream()));
            inner.set_span(group.span());
            TokenTree::Group(inner)
        }
        other => other,
    };
    tokens.into_iter().map(replace).collect()
}

/// Is the type written as `Option<..>`?
pub(crate) fn is_option(ty: &Type) -> bool {
    last_with_argument(ty).is_some_and(|(ident, _)| ident == "Option")
}

/// Is the type written as `Id<..>` of this model?
pub(crate) fn is_own_id(ty: &Type, model: &Ident) -> bool {
    let own: Type = parse_quote!(#model);
    last_with_argument(ty).is_some_and(|(ident, argument)| {
        ident == "Id"
            && match argument {
                Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == *model),
                other => other.to_token_stream().to_string() == own.to_token_stream().to_string(),
            }
    })
}

/// Why a type that everybody knows has no stored form, and what has.
pub(crate) fn no_stored_form(ty: &Type) -> Option<NoStoredForm> {
    let form = |instead, is_send| Some(NoStoredForm { what: text_of(ty), instead, is_send });
    match ty {
        Type::Group(group) => return no_stored_form(&group.elem),
        Type::Paren(paren) => return no_stored_form(&paren.elem),
        Type::Ptr(_) => return form("a field is a value, not a place in memory", false),
        _ => {}
    }
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let name = last.ident.to_string();
    match (name.as_str(), path.path.get_ident().is_some()) {
        ("i128" | "u128", true) => form("integers have at most 64 bits, as in `i64` and `u64`", true),
        ("isize" | "usize", true) => {
            form("its size differs between machines; write `u64`, `i64` or a smaller integer", true)
        }
        ("char", true) => form("write `String`", true),
        ("Rc", false) => form("write what the `Rc` holds", false),
        ("Cell" | "RefCell", false) => form("write what it holds; a record is changed by `update`", false),
        _ => match &last.arguments {
            PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(inner) => no_stored_form(inner),
                _ => None,
            }),
            _ => None,
        },
    }
}

/// A type without a stored form.
pub(crate) struct NoStoredForm {
    pub(crate) what: String,
    pub(crate) instead: &'static str,
    /// May it go to another thread? A model has to.
    pub(crate) is_send: bool,
}

impl NoStoredForm {
    pub(crate) fn message(&self) -> String {
        format!("`{}` has no stored form: {}", self.what, self.instead)
    }
}

/// A type as people write it.
pub(crate) fn text_of(ty: &Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "").replace(',', ", ")
}

/// The slot that the type is written as, of these.
pub(crate) fn slot<'a>(ty: &Type, slots: &[(&'a str, &'a str)]) -> Option<(&'a str, &'a str)> {
    let (found, _) = last_with_argument(ty)?;
    slots.iter().find(|(slot, _)| found == slot).copied()
}

/// Is the type written as one that cannot be a key, whatever it holds?
pub(crate) fn is_no_key(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return matches!(ty, Type::Tuple(_) | Type::Array(_)) };
    let last = path.path.segments.last().map(|last| last.ident.to_string());
    is_float(ty) || matches!(last.as_deref(), Some("Vec" | "BTreeMap" | "HashMap" | "Decimal"))
}

/// Is the type written as a float, or as an `Option` of one?
pub(crate) fn is_float(ty: &Type) -> bool {
    match last_with_argument(ty) {
        Some((outer, inner)) => outer == "Option" && is_float(inner),
        None => matches!(ty, Type::Path(path) if path.path.is_ident("f32") || path.path.is_ident("f64")),
    }
}

/// Is the type written as one that is no list, map, struct, nor another name of an `Id`? A wrong guess costs nothing but a line
/// that is generated: what it is, the compiler knows.
pub(crate) fn is_plain(ty: &Type) -> bool {
    const PLAIN: &[&str] = &[
        "bool",
        "i8",
        "i16",
        "i32",
        "i64",
        "u8",
        "u16",
        "u32",
        "u64",
        "f32",
        "f64",
        "String",
        "Timestamp",
        "UserId",
        "Uuid",
        "Decimal",
    ];
    match last_with_argument(ty) {
        Some((outer, inner)) if outer == "Option" => is_plain(inner),
        Some((outer, _)) => outer == "Id",
        None => {
            matches!(ty, Type::Path(path) if path.path.get_ident().is_some_and(|ident| PLAIN.iter().any(|plain| ident == plain)))
        }
    }
}

/// The last segment of a path type with one type argument: `Option` and `User` of `Option<User>`.
pub(crate) fn last_with_argument(ty: &Type) -> Option<(&Ident, &Type)> {
    match ty {
        Type::Group(group) => last_with_argument(&group.elem),
        Type::Paren(paren) => last_with_argument(&paren.elem),
        Type::Path(path) if path.qself.is_none() => {
            let last = path.path.segments.last()?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            match arguments.args.iter().collect::<Vec<_>>()[..] {
                [GenericArgument::Type(argument)] => Some((&last.ident, argument)),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_known_by_its_last_segment() {
        assert!(is_option(&parse_quote!(Option<String>)));
        assert!(is_option(&parse_quote!(::core::option::Option<u8>)));
        assert!(!is_option(&parse_quote!(Vec<Option<u8>>)));
        assert!(!is_option(&parse_quote!(Option)));
    }

    #[test]
    fn an_id_of_another_model_is_not_ones_own() {
        let post: Ident = parse_quote!(Post);
        assert!(is_own_id(&parse_quote!(Id<Post>), &post));
        assert!(is_own_id(&parse_quote!(debros::Id<super::Post>), &post));
        assert!(!is_own_id(&parse_quote!(Id<User>), &post));
        assert!(!is_own_id(&parse_quote!(Post), &post));
    }

    #[test]
    fn self_is_written_out() {
        let post: Ident = parse_quote!(Post);
        let tokens = without_self(&post, quote::quote!(Id<Self> [Self::MAX] self));
        assert_eq!(tokens.to_string(), quote::quote!(Id<Post> [Post::MAX] self).to_string());
    }
}
