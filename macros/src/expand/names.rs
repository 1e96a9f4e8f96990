//! [`Names`]: what generated items are called, and how they name the crate.

use crate::model::{Model, Relation};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;

/// The names that the parts of one expansion share.
pub(crate) struct Names {
    /// What generated paths begin with: `::debros::__private`, and inside the blocks its short name.
    pub(crate) private: TokenStream,
    /// `PostFields`.
    pub(crate) fields: Ident,
    /// `NewPost`.
    pub(crate) new: Ident,
    /// `PostLoaded`.
    pub(crate) loaded: Ident,
    /// A type parameter for a shape, called otherwise than the model.
    pub(crate) shape: Ident,
    /// The model has mistakes: bodies are left out.
    pub(crate) broken: bool,
}

impl Names {
    /// For the items that stand beside the struct, and for what stands inside blocks.
    pub(crate) fn of(model: &Model, broken: bool) -> (Names, Names) {
        let krate = &model.krate;
        (Names::with(model, broken, quote!(#krate::__private)), Names::with(model, broken, quote!(__debros)))
    }

    fn with(model: &Model, broken: bool, private: TokenStream) -> Names {
        let name = model.ident.unraw();
        // resolved where the macro is called, but known as generated: lints for what people write leave it alone
        let span = model.ident.span().resolved_at(Span::call_site());
        Names {
            private,
            fields: format_ident!("{name}Fields", span = span),
            new: format_ident!("New{name}", span = span),
            loaded: format_ident!("{name}Loaded", span = span),
            shape: other_than(model, "S"),
            broken,
        }
    }
}

/// A name for a type parameter, unless the model has it.
pub(crate) fn other_than(model: &Model, preferred: &str) -> Ident {
    let name = if model.ident == preferred { format!("{preferred}_") } else { preferred.to_owned() };
    Ident::new(&name, Span::call_site())
}

/// The type that stands for a relation: `Post_author`.
pub(crate) fn marker(model: &Model, relation: &Relation) -> Ident {
    let span = relation.named.ident.span().resolved_at(Span::call_site());
    format_ident!("{}_{}", model.ident.unraw(), relation.named.name, span = span)
}

/// The trait whose only job is its message: `PostAuthorLoaded`.
pub(crate) fn loaded_trait(model: &Model, relation: &Relation) -> Ident {
    let span = relation.named.ident.span().resolved_at(Span::call_site());
    let mut camel = String::new();
    for part in relation.named.name.split('_') {
        let mut letters = part.chars();
        camel.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        camel.push_str(letters.as_str());
    }
    format_ident!("{}{camel}Loaded", model.ident.unraw(), span = span)
}
