//! `#[belongs_to(..)]`, `#[has_one(..)]`, `#[has_many(..)]`, `#[many_to_many(..)]`.

use super::options::{Opt, arguments, each_option, field_name, field_names};
use crate::errors::Errors;
use syn::{Attribute, Ident};

/// What the attribute of a relation says.
pub(crate) enum RelationArgs {
    /// `key = f`, `key = (a, b)`: fields of this model.
    BelongsTo { key: Option<Vec<Ident>> },
    /// `key = f`: the `belongs_to` field of the other model.
    HasOne { key: Option<Ident> },
    /// As `HasOne`.
    HasMany { key: Option<Ident> },
    /// `inverse = f`: the `many_to_many` field of the other model.
    ManyToMany { inverse: Option<Ident> },
}

/// The attributes that make a field a relation.
pub(crate) const RELATIONS: &[&str] = &["belongs_to", "has_one", "has_many", "many_to_many"];

/// Reads the attribute of a relation; `name` is one of [`RELATIONS`].
pub(crate) fn relation_args(name: &str, attribute: &Attribute, errors: &mut Errors) -> RelationArgs {
    let arguments = arguments(attribute, errors);
    if name == "belongs_to" {
        let mut key = None;
        each_option(arguments, errors, |option, _| match option.name.to_string().as_str() {
            "key" => {
                let value = option.value("user_id")?;
                let names = if value.peek(syn::token::Paren) {
                    let content;
                    let parens = syn::parenthesized!(content in value);
                    let names = field_names(content.parse()?)?;
                    if names.is_empty() {
                        return Err(syn::Error::new(
                            parens.span.join(),
                            "name the fields that hold the key: `key = (a, b)`",
                        ));
                    }
                    names
                } else {
                    vec![field_name(value)?]
                };
                option.once(&mut key, names)
            }
            _ => Err(option.unknown(name, &["key"])),
        });
        return RelationArgs::BelongsTo { key };
    }
    let word = if name == "many_to_many" { "inverse" } else { "key" };
    let mut other = None;
    each_option(arguments, errors, |option: &Opt<'_>, _| {
        if option.name != word {
            return Err(option.unknown(name, &[word]));
        }
        let input = option.value(if word == "key" { "author" } else { "tags" })?;
        option.once(&mut other, field_name(input)?)
    });
    match name {
        "has_one" => RelationArgs::HasOne { key: other },
        "has_many" => RelationArgs::HasMany { key: other },
        _ => RelationArgs::ManyToMany { inverse: other },
    }
}
