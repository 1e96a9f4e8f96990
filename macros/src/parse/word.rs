//! A word out of a few: `user`, or `"user"`.

use crate::suggest::{alternatives, did_you_mean};
use proc_macro2::Span;
use syn::{Ident, LitStr, Token, ext::IdentExt as _, parse::ParseStream};

/// A value and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// One of the words of `table`.
pub(crate) fn one_of<T: Copy>(
    what: &str,
    input: ParseStream<'_>,
    table: &[(&str, T)],
    later: &[&str],
) -> syn::Result<Spanned<T>> {
    let expected = || alternatives(table.iter().map(|(word, _)| *word));
    let (word, span) = if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        (text.value(), text.span())
    } else if input.peek(Ident::peek_any) && !input.peek(Token![_]) {
        let ident = input.call(Ident::parse_any)?;
        (ident.unraw().to_string(), ident.span())
    } else {
        return Err(input.error(format!("expected a {what}: {}", expected())));
    };
    if let Some((_, value)) = table.iter().find(|(known, _)| *known == word) {
        return Ok(Spanned { value: *value, span });
    }
    if later.contains(&word.as_str()) {
        return Err(syn::Error::new(
            span,
            format!("this version of debros does not have the {what} `{word}` yet: use {}", expected()),
        ));
    }
    // the only word there is need not be suggested
    let near = if table.len() > 1 { did_you_mean(&word, table.iter().map(|(word, _)| *word)) } else { String::new() };
    Err(syn::Error::new(span, format!("unknown {what} `{word}`: expected {}{near}", expected())))
}
