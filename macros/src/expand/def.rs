//! `Model::DEF`: the schema, as constant data.

use super::{
    assertions::back_ref_name,
    names::{Names, marker},
    record,
    spans::respan,
};
use crate::model::{Column, Model, Relation, RelationKind, Role, Scope, Store, Writers};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Type, ext::IdentExt as _, spanned::Spanned as _};

/// The tables of columns and relations, and the schema with them in it.
pub(crate) fn def(model: &Model, names: &Names) -> (TokenStream, TokenStream) {
    let p = &names.private;
    let ident = &model.ident;
    let (name, stored) = (ident.unraw().to_string(), &model.stored);
    let scope = match (model.scope, model.writers) {
        (Scope::User, _) => quote!(User),
        (Scope::Global, Writers::Anyone) => quote!(Global(#p::Writers::Anyone)),
        (Scope::Global, Writers::Owner) => quote!(Global(#p::Writers::Owner)),
        (Scope::Global, Writers::Admins) => quote!(Global(#p::Writers::Admins)),
    };
    let store = match model.store {
        Store::Documents => quote!(Documents),
        Store::Events => quote!(Events),
    };
    let fields = model.columns().map(|column| field(column, names));
    let key = model.key.iter().filter_map(|name| model.position(name));
    let relations =
        model.relations_with_target().map(|(relation, target)| self::relation(model, relation, target, names));
    let indexes = model.indexes.iter().map(|index| {
        let (fields, unique) = (&index.fields, index.unique);
        quote!(#p::IndexDef { fields: &[#(#fields),*], unique: #unique })
    });
    let sharding = match &model.sharding {
        None => quote!(::core::option::Option::None),
        Some(sharding) => {
            let (key, count) = (&sharding.key, sharding.count);
            quote!(::core::option::Option::Some(#p::Sharding { strategy: #p::Strategy::Hash, key: #key, count: #count }))
        }
    };
    let tables = quote! {
        const __COLUMNS: &[#p::FieldDef] = &[#(#fields,)*];
        const __RELATIONS: &[#p::RelationDef] = &[#(#relations,)*];
    };
    let def = quote! {
        &#p::ModelDef {
            name: #name,
            path: <#ident as #p::Model>::PATH,
            stored: #stored,
            scope: #p::Scope::#scope,
            store: #p::StoreKind::#store,
            version: 1,
            fields: __COLUMNS,
            key: &[#(#key),*],
            relations: __RELATIONS,
            indexes: &[#(#indexes,)*],
            sharding: #sharding,
            check: #p::check::<#ident>,
        }
    };
    (tables, def)
}

fn field(column: &Column, names: &Names) -> TokenStream {
    let p = &names.private;
    let name = &column.named.name;
    let role = match column.role {
        Role::Plain => quote!(Plain),
        Role::Key => quote!(Key),
        Role::GeneratedKey => quote!(GeneratedKey),
        Role::Created => quote!(Created),
        Role::Updated => quote!(Updated),
        Role::Owner => quote!(Owner),
    };
    let rules = column.rules.iter().map(|rule| &rule.text);
    if column.serde {
        return quote!(#p::serde_field_def(#name, #p::Role::#role, &[#(#rules),*]));
    }
    let (field, span) = (record::field(column), column.named.ty.span());
    let of = quote_spanned!(span=> #field::COLUMN);
    quote!(#p::field_def(#name, #of, __Role::#role, &[#(#rules),*]))
}

/// All of it at the target, where the compiler tells of one that fewer modules can see.
fn relation(model: &Model, relation: &Relation, target: &Type, names: &Names) -> TokenStream {
    let p = &names.private;
    let (name, marker) = (&relation.named.name, marker(model, relation));
    let def = match &relation.kind {
        RelationKind::BelongsTo(keys) => {
            let keys = keys.iter().map(|key| key.unraw().to_string());
            quote!(#p::belongs_to::<#marker>(&[#(#keys),*]))
        }
        RelationKind::HasOne(_) => {
            let keys = back_ref(relation);
            quote!(#p::has_one::<#marker>(#keys))
        }
        RelationKind::HasMany(_) => {
            let keys = back_ref(relation);
            quote!(#p::has_many::<#marker>(#keys))
        }
        RelationKind::ManyToMany(Some(inverse)) => {
            let inverse = inverse.unraw().to_string();
            quote!(#p::inverse::<#marker>(#inverse))
        }
        RelationKind::ManyToMany(None) => {
            let link = format!("{}.{name}", model.ident.unraw());
            let (path, stored) = (format!("::{link}"), format!("{}.{name}", model.stored));
            let path = quote!(::core::concat!(::core::module_path!(), #path));
            quote!(#p::many_to_many::<#marker>(const { &#p::Links::<#marker>::def(#link, #path, #stored) }))
        }
    };
    respan(def, target.span())
}

/// The constant that the assertions make, so that what is wrong with it is told once.
fn back_ref(relation: &Relation) -> TokenStream {
    let name = back_ref_name(relation);
    quote!(#name)
}
