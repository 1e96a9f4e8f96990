//! From what the attributes say to a [`Model`], with every mistake that can be seen without the types of others.

mod columns;
mod events;
mod indexes;
mod item;
mod keys;
mod relations;
mod rules;
mod sharding;
mod slot;
pub(crate) mod spelling;
mod stored_name;

use crate::{
    errors::Errors,
    model::{Column, Member, Model, Relation, RelationKind, Role, Scope, Store, Writers},
    parse::{FieldArgs, ModelArgs, RELATIONS, RelationArgs, relation_args},
};
use syn::{Data, DeriveInput, Fields, Ident, ext::IdentExt as _, parse_quote};

/// A field as written, with what its attributes say.
pub(crate) struct Written<'a> {
    pub(crate) field: &'a syn::Field,
    pub(crate) ident: &'a Ident,
    /// Without `r#`.
    pub(crate) name: String,
    pub(crate) kind: WrittenKind,
}

#[expect(clippy::large_enum_variant, reason = "a dozen of them at a time")]
pub(crate) enum WrittenKind {
    Column(FieldArgs),
    Relation(RelationArgs),
    /// A relation by its type that lacks its attribute; this has been said.
    Slot,
}

const SLOTS: &[(&str, &str)] = &[
    ("BelongsTo", "#[belongs_to]"),
    ("HasOne", "#[has_one]"),
    ("HasMany", "#[has_many]"),
    ("ManyToMany", "#[many_to_many]"),
];

/// Checks an item and says what it is. `None` if it is no struct that could be a model.
pub(crate) fn model(input: &DeriveInput, args: ModelArgs, errors: &mut Errors) -> Option<Model> {
    let fields = item::fields(input, errors)?;
    if fields.iter().filter_map(|field| spelling::no_stored_form(&field.ty)).any(|form| !form.is_send) {
        // a model goes to other threads: all that is generated would not compile, and say so each for itself
        for field in &fields {
            if let Some(form) = spelling::no_stored_form(&field.ty) {
                errors.at(&field.ty, form.message());
            }
        }
        return None;
    }
    let written: Vec<Written<'_>> = fields.iter().filter_map(|field| write_down(field, errors)).collect();
    let krate = args.krate.clone().unwrap_or_else(|| parse_quote!(::debros));
    let (scope, writers) = scope(input, &args, errors);
    let stored = stored_name::of_model(&input.ident, args.name.as_ref(), errors);
    let mut members: Vec<Member> = written.iter().map(|one| member(input, one, &written, &stored, errors)).collect();
    // of what has no fields with names, more has been said than that it lacks a key
    let key = if fields.is_empty() && !is_empty_struct(input) {
        Vec::new()
    } else {
        keys::check(input, &written, &mut members, errors)
    };
    owner_key(&args, &members, &key, errors);
    let store = args.store.map_or(Store::Documents, |store| store.value);
    if store == Store::Events {
        events::check(&input.ident, &members, errors);
    }
    let sharding = sharding::check(&args, &written, &mut members, &key, errors);
    let indexes = indexes::check(&args, &written, &members, &key, sharding.as_ref(), errors);
    Some(Model {
        krate,
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        stored,
        scope,
        writers,
        store,
        hooks: args.hooks,
        members,
        key,
        indexes,
        sharding,
    })
}

/// Is it `struct Note {}`?
fn is_empty_struct(input: &DeriveInput) -> bool {
    matches!(&input.data, Data::Struct(data) if matches!(data.fields, Fields::Named(_)))
}

fn write_down<'a>(field: &'a syn::Field, errors: &mut Errors) -> Option<Written<'a>> {
    let ident = field.ident.as_ref()?;
    let name = ident.unraw().to_string();
    let mut args = FieldArgs::default();
    let mut field_attribute = None;
    let mut relation: Option<(&str, RelationArgs)> = None;
    for attribute in &field.attrs {
        if attribute.path().is_ident("field") {
            args.add(attribute, errors);
            field_attribute = Some(attribute);
        } else if let Some(word) = RELATIONS.iter().find(|word| attribute.path().is_ident(word)) {
            if let Some((first, _)) = &relation {
                errors.at(attribute, format!("`{name}` is one relation: it is `#[{first}]` already"));
            } else {
                relation = Some((word, relation_args(word, attribute, errors)));
            }
        }
    }
    if let (Some(attribute), Some((word, _))) = (field_attribute, &relation) {
        errors.at(
            attribute,
            format!("`{name}` is a relation and is not stored, so it has no `#[field]`: keep `#[{word}]` alone"),
        );
    }
    let kind = match (relation, spelling::slot(&field.ty, SLOTS)) {
        (Some((_, relation)), _) => WrittenKind::Relation(relation),
        (None, Some((slot, attribute))) => {
            errors
                .at(&field.ty, format!("`{name}` is a `{slot}` and needs its attribute: write `{attribute}` above it"));
            WrittenKind::Slot
        }
        (None, None) => WrittenKind::Column(args),
    };
    Some(Written { field, ident, name, kind })
}

fn member(
    input: &DeriveInput,
    written: &Written<'_>,
    all: &[Written<'_>],
    stored: &str,
    errors: &mut Errors,
) -> Member {
    stored_name::of_field(written, errors);
    let named = spelling::named(&input.ident, written);
    match &written.kind {
        WrittenKind::Column(args) => Member::Column(columns::column(&input.ident, named, args, errors)),
        WrittenKind::Relation(args) => Member::Relation(relations::relation(named, args, written, all, stored, errors)),
        WrittenKind::Slot => {
            Member::Relation(Relation { named, kind: RelationKind::ManyToMany(None), target: None, optional: false })
        }
    }
}

fn scope(input: &DeriveInput, args: &ModelArgs, errors: &mut Errors) -> (Scope, Writers) {
    let scope = args.scope.map_or(Scope::User, |scope| scope.value);
    if args.failed.iter().any(|name| name == "scope" || name == "writers") {
        return (scope, Writers::Anyone);
    }
    match (scope, &args.scope, &args.writers) {
        (Scope::Global, Some(said), None) => errors.at_span(
            said.span,
            format!(
                "a global model says who may write it: add `writers = anyone`, `writers = owner` (anyone creates, only \
                 the creator changes) or `writers = admins` to `{}`",
                input.ident
            ),
        ),
        (Scope::User, _, Some(writers)) => errors.at_span(
            writers.span,
            format!(
                "a user-scoped model is written by its user alone: leave `writers` out, or make `{}` global by `scope = global`",
                input.ident
            ),
        ),
        _ => {}
    }
    (scope, args.writers.map_or(Writers::Anyone, |writers| writers.value))
}

/// Only a generated key says whose a record is.
fn owner_key(args: &ModelArgs, members: &[Member], key: &[String], errors: &mut Errors) {
    let Some(writers) = args.writers.filter(|writers| writers.value == Writers::Owner) else { return };
    let generated =
        members.iter().any(|member| matches!(member, Member::Column(column) if column.role == Role::GeneratedKey));
    if !generated && !key.is_empty() {
        errors.at_span(
            writers.span,
            "only a generated id says who created a record: make `id: Id<..>` of the model the key, or write `writers = anyone`",
        );
    }
}

/// The column of this name among members.
fn column_mut<'a>(members: &'a mut [Member], name: &str) -> Option<&'a mut Column> {
    members.iter_mut().find_map(|member| match member {
        Member::Column(column) if column.named.name == name => Some(column),
        _ => None,
    })
}

/// Looks up the name of a column that some option mentions, and says what is wrong with it if it is none.
fn find_column<'a, 'w>(name: &Ident, all: &'a [Written<'w>], errors: &mut Errors) -> Option<&'a Written<'w>> {
    let wanted = name.unraw().to_string();
    match all.iter().find(|written| written.name == wanted) {
        Some(found) if matches!(found.kind, WrittenKind::Column(_)) => Some(found),
        Some(found) => {
            let keys = match &found.kind {
                WrittenKind::Relation(RelationArgs::BelongsTo { key: Some(keys) }) => {
                    keys.iter().map(|key| key.unraw().to_string()).collect()
                }
                WrittenKind::Relation(RelationArgs::BelongsTo { key: None }) => vec![format!("{wanted}_id")],
                _ => Vec::new(),
            };
            let instead = if !keys.is_empty() && keys.iter().all(|key| all.iter().any(|written| written.name == *key)) {
                format!(": name `{}` instead", keys.join("`, `"))
            } else {
                String::new()
            };
            errors.at(name, format!("`{wanted}` is a relation, which is not stored{instead}"));
            None
        }
        None => {
            let columns = all.iter().filter(|written| matches!(written.kind, WrittenKind::Column(_)));
            let near = crate::suggest::did_you_mean(&wanted, columns.map(|written| written.name.as_str()));
            errors.at(name, format!("there is no field `{wanted}`{near}"));
            None
        }
    }
}

/// The words of a role, as the user wrote them.
fn role_word(role: Role) -> &'static str {
    match role {
        Role::Plain => "plain",
        Role::Key | Role::GeneratedKey => "key",
        Role::Created => "created",
        Role::Updated => "updated",
        Role::Owner => "owner",
    }
}
