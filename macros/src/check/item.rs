//! Which items can be models: structs with named fields and without generics.

use crate::errors::Errors;
use syn::{Data, DeriveInput, Fields, spanned::Spanned as _};

/// The fields of the struct. `None` if nothing can be generated for the item; no fields, where it has none with names: then what is
/// generated is there for those who use the model elsewhere.
pub(crate) fn fields<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Option<Vec<&'a syn::Field>> {
    let name = &input.ident;
    let mut generic = false;
    if !input.generics.params.is_empty() || input.generics.where_clause.is_some() {
        let generics = &input.generics;
        let message =
            format!("a model cannot be generic, as its records have one stored form: write the types of `{name}` out");
        if generics.params.is_empty() {
            errors.at(&generics.where_clause, message);
        } else {
            errors.at(generics, message);
        }
        generic = true;
    }
    let mut fields = Vec::new();
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(named) => fields.extend(&named.named),
            Fields::Unnamed(unnamed) => {
                errors.at(unnamed, format!("the fields of a model have names: write `struct {name} {{ .. }}`"));
            }
            Fields::Unit => {
                errors.at(name, format!("a model has fields, one of them its key: write `struct {name} {{ .. }}`"));
            }
        },
        Data::Enum(data) => {
            errors.at(
                data.enum_token,
                format!("a model is a struct with named fields; for an enum to be a field of one, write `#[derive(Value)]` above `{name}`"),
            );
        }
        Data::Union(data) => {
            errors.at(data.union_token, "a model is a struct with named fields");
        }
    }
    for field in &fields {
        if let Some((equals, value)) = &field.default {
            let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
            let span = equals.span().join(value.span()).unwrap_or(equals.span());
            errors.at_span(span, format!("write the default of `{name}` as `#[field(default = ..)]` above it"));
        }
    }
    (!generic).then_some(fields)
}
