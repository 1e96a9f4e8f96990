//! Doc comments of generated items: the user's own where there are any, so that `deny(missing_docs)` holds.

use crate::model::Named;
use proc_macro2::TokenStream;
use quote::quote;

/// The doc comment of a field, or this one.
pub(crate) fn of(named: &Named, otherwise: &str) -> TokenStream {
    if named.docs.is_empty() {
        return quote!(#[doc = #otherwise]);
    }
    let docs = &named.docs;
    quote!(#(#docs)*)
}
