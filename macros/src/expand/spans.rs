//! Where generated tokens are said to stand.

use proc_macro2::{Group, Span, TokenStream, TokenTree};

/// These tokens, all at one place: what is wrong with them is told there.
pub(crate) fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    let move_one = |tree| match tree {
        TokenTree::Group(group) => {
            let mut moved = Group::new(group.delimiter(), respan(group.stream(), span));
            moved.set_span(span);
            TokenTree::Group(moved)
        }
        mut other => {
            other.set_span(span);
            other
        }
    };
    tokens.into_iter().map(move_one).collect()
}
