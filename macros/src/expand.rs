//! From a [`Model`] to what is generated for it: data, and calls of the crate's own functions. One file per output.

mod assertions;
mod def;
mod docs;
mod fields;
mod inherent;
mod insert;
mod loaded;
mod model_impl;
mod names;
mod record;
mod relations;
mod spans;

use crate::model::Model;
use names::Names;
use proc_macro2::TokenStream;
use quote::quote;
pub(crate) use spans::respan;

/// Everything that `#[model]` generates. Where the model is `broken` by a mistake, the bodies of its functions are left out, as
/// they will never run and would only repeat it.
pub(crate) fn model(model: &Model, broken: bool) -> TokenStream {
    let (outside, inside) = Names::of(model, broken);
    let items = [
        fields::fields(model, &outside),
        insert::new_struct(model, &outside),
        loaded::loaded(model, &outside),
        relations::markers(model),
        inherent::inherent(model, &outside),
    ];
    let impls = [
        relations::impls(model, &inside),
        model_impl::model_impl(model, &inside),
        insert::insert_impl(model, &inside),
        assertions::assertions(model, &inside),
    ];
    let accessors = loaded::accessors(model, &inside);
    let private = &outside.private;
    quote! {
        #(#items)*
        #[allow(deprecated)]
        const _: () = {
            use #private::{self as __debros, Field as __Field, Role as __Role};
            #(#impls)*
        };
        const _: () = {
            use #private as __debros;
            #accessors
        };
    }
}
