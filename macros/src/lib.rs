//! The macros of debros: `#[model]` makes a model of a struct, `#[derive(Value)]` makes an enum or a struct a field of one.
//!
//! Applications use them through the crate `debros`, which documents them.
//!
//! Three steps, one folder each: `parse` reads attributes, one file per attribute; `check` compares what they say and finds every
//! mistake that can be seen without the types of others; `expand` writes what is generated, one file per output. A mistake
//! does not stop the rest: what it spoils is left out, and the other items are still generated, so that one mistake is one
//! message.

mod check;
mod errors;
mod expand;
mod model;
mod parse;
mod prelude;
mod suggest;
mod value;

use errors::Errors;
use proc_macro::TokenStream;
use proc_macro2::{TokenStream as Tokens, TokenTree};
use quote::quote;
use syn::{DeriveInput, parse_quote};

/// Makes a model of a struct: its records are stored, queried and replicated.
///
/// ```ignore
/// #[model(scope = user, sharding(strategy = hash, key = id, count = 8), index(user_id, created_at))]
/// #[derive(Debug, Clone)]
/// pub struct Post {
///     #[field(key)]
///     pub id: Id<Post>,
///     pub user_id: Id<User>,
///     #[field(index, len = 1..=200)]
///     pub title: String,
///     #[field(default = false)]
///     pub published: bool,
///     #[field(created)]
///     pub created_at: Timestamp,
///     #[belongs_to(key = user_id)]
///     pub author: BelongsTo<User>,
///     #[has_many]
///     pub comments: HasMany<Comment>,
///     #[many_to_many]
///     pub tags: ManyToMany<Tag>,
/// }
/// ```
///
/// The struct stays as it is. Beside it come `PostFields`, which closures such as `|p| p.title.eq("Hi")` get, `NewPost`, the
/// fields that a record's creator gives, and `PostLoaded`, a row with loaded relations; and on the struct `Post::FIELDS`, `Post::query()` and
/// `Post::get(key)`.
///
/// # Options of the model
///
/// | option | meaning |
/// |---|---|
/// | `scope = user`, `scope = global` | each user's own databases, which only that user writes (the default), or one set for the application |
/// | `writers = anyone`, `owner`, `admins` | who writes a global model: anyone; anyone creates and only the creator changes; the application's admins. A global model must say it |
/// | `store = documents`, `store = events` | how its databases keep records: they can be changed and deleted (the default), or only grow |
/// | `name = ".."` | the name that its databases carry, by default the struct's: 1 to 64 of `A-Z a-z 0-9 _ . -` |
/// | `unique(a, b)`, `index(a, b)` | an index of several fields; may stand often |
/// | `sharding(strategy = hash, key = f, count = n)` | its records are divided over `n` databases by the field `f` |
/// | `hooks` | the struct implements `Hooks`, or `EventHooks` if it is stored as events |
/// | `crate = path` | the crate, where it is called otherwise than `debros` |
///
/// # Options of a field: `#[field(..)]`
///
/// | option | meaning |
/// |---|---|
/// | `key` | identifies a record. An `Id` of the model itself is made by debros, any other is given; several fields with it form one key |
/// | `unique`, `index` | no two records have the same value; the field is looked up and sorted by an index |
/// | `default = expr`, `default` | the value of a new record, and not asked for in `New..`; without an expression that of `Default` |
/// | `created`, `updated` | a `Timestamp` of the record's creation, of its last write |
/// | `owner` | the `UserId` of the session that creates the record |
/// | `len = 3..=32` | so many characters of text, elements of a list or map, or bytes; a number is that many exactly |
/// | `range = 0..=100` | numbers and moments within these bounds |
/// | `matches = "regex"` | text in which the regular expression matches somewhere; `^` and `$` tie it to the ends |
/// | `check = path` | a function `fn(&T) -> Result<(), impl Display>`; may stand often |
/// | `serde` | any type that implements serde's traits, stored through them |
///
/// # Relations
///
/// | attribute | type of the field | meaning |
/// |---|---|---|
/// | `#[belongs_to]`, `#[belongs_to(key = f)]`, `#[belongs_to(key = (a, b))]` | `BelongsTo<T>`, `BelongsTo<Option<T>>` | this record holds the key of one `T`, in `<field>_id` or in the fields named |
/// | `#[has_one]`, `#[has_one(key = f)]` | `HasOne<T>` | at most one `T` belongs to this record, by its only `belongs_to` to this model or by the one named |
/// | `#[has_many]`, `#[has_many(key = f)]` | `HasMany<T>` | any number of `T` belong to this record |
/// | `#[many_to_many]` | `ManyToMany<T>` | links between the two, kept on this side |
/// | `#[many_to_many(inverse = f)]` | `ManyToMany<T>` | the same links, seen from the other side: `f` is the field of `T` |
#[proc_macro_attribute]
pub fn model(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute(arguments.into(), item.into()).into()
}

/// What `#[model]` puts above the struct. No part of the API.
#[doc(hidden)]
#[proc_macro_derive(Model, attributes(model_args, field, belongs_to, has_one, has_many, many_to_many))]
pub fn derive_model(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let parsed = errors.take(syn::parse::<DeriveInput>(item));
    parsed
        .map(|input| model_of(&input, &mut errors))
        .into_iter()
        .chain([errors.into_tokens()])
        .collect::<Tokens>()
        .into()
}

/// Makes a type of your own a type of fields.
///
/// An enum without data is stored as the name of its variant, a struct as a map of its fields, a struct around one unnamed
/// field as what it wraps. `#[value(name = "..")]` above a variant or a field gives it another stored name. A field that is an `Option` may be
/// absent in what is stored.
///
/// ```ignore
/// #[derive(Debug, Clone, PartialEq, Value)]
/// pub enum Status {
///     Draft,
///     #[value(name = "public")]
///     Published,
/// }
///
/// #[derive(Debug, Clone, PartialEq, Value)]
/// pub struct Address {
///     pub street: String,
///     pub postcode: Option<String>,
/// }
/// ```
#[proc_macro_derive(Value, attributes(value))]
pub fn derive_value(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let parsed = errors.take(syn::parse::<DeriveInput>(item));
    parsed
        .map(|input| value::derive(&input, &mut errors))
        .into_iter()
        .chain([errors.into_tokens()])
        .collect::<Tokens>()
        .into()
}

/// The attribute is a thin one over a derive: it leaves the struct as it is, so that the struct is there whatever the derive
/// finds wrong with it, and so that the helper attributes of its fields are legal.
fn attribute(arguments: Tokens, item: Tokens) -> Tokens {
    // mistakes in the arguments are the derive's to report
    let krate = parse::ModelArgs::parse(arguments.clone(), &mut Errors::default())
        .krate
        .unwrap_or_else(|| parse_quote!(::debros));
    if !is_type(&item) {
        let error = syn::Error::new_spanned(
            item.clone().into_iter().next(),
            "`#[model]` goes above a struct with named fields",
        );
        let error = error.to_compile_error();
        return quote!(#error #item);
    }
    quote! {
        #[derive(#krate::__private::Model)]
        #[model_args(#arguments)]
        #item
    }
}

/// Is the item a struct, an enum or a union?
fn is_type(item: &Tokens) -> bool {
    item.clone()
        .into_iter()
        .any(|tree| matches!(&tree, TokenTree::Ident(word) if word == "struct" || word == "enum" || word == "union"))
}

fn model_of(input: &DeriveInput, errors: &mut Errors) -> Tokens {
    let mut arguments = Tokens::new();
    for attribute in &input.attrs {
        if attribute.path().is_ident("model_args")
            && let Ok(list) = attribute.meta.require_list()
        {
            arguments = list.tokens.clone();
        }
    }
    let args = parse::ModelArgs::parse(arguments, errors);
    check::model(input, args, errors).map(|model| expand::model(&model, !errors.is_empty())).unwrap_or_default()
}

#[cfg(test)]
mod tests;
