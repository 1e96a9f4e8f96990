//! [`Columns`]: a schema made while a test runs.

use debros_core::{
    FieldDef, IndexDef, Kind, ModelDef, RelationDef, RelationKind, Role, Scope, Sharding, StoreKind, Strategy, Writers,
};

/// A schema made while a test runs: what `#[model]` makes while a program compiles.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    name: &'static str,
    fields: Vec<(&'static str, Kind, bool)>,
    key: Vec<usize>,
    indexes: Vec<Vec<&'static str>>,
    unique: Vec<Vec<&'static str>>,
    relations: Vec<Way>,
    user_scoped: bool,
    sharding: Option<(&'static str, u32)>,
}

/// A relation by one field.
#[derive(Clone, Debug, PartialEq)]
struct Way {
    name: &'static str,
    kind: RelationKind,
    target: &'static str,
    key: &'static str,
    optional: bool,
}

impl Columns {
    /// A global model, called `Row`, with a key of one field.
    pub fn new(key: &'static str, kind: Kind) -> Columns {
        Columns {
            name: "Row",
            fields: vec![(key, kind, false)],
            key: vec![0],
            indexes: Vec::new(),
            unique: Vec::new(),
            relations: Vec::new(),
            user_scoped: false,
            sharding: None,
        }
    }

    /// Its name, and its path.
    #[must_use]
    pub fn named(mut self, name: &'static str) -> Columns {
        self.name = name;
        self
    }

    /// One more field of the key, which makes it a composite one.
    #[must_use]
    pub fn key_field(mut self, name: &'static str, kind: Kind) -> Columns {
        self.key.push(self.fields.len());
        self.fields.push((name, kind, false));
        self
    }

    /// One more field, which may be absent.
    #[must_use]
    pub fn field(mut self, name: &'static str, kind: Kind) -> Columns {
        self.fields.push((name, kind, true));
        self
    }

    /// An index.
    #[must_use]
    pub fn index(mut self, fields: &[&'static str]) -> Columns {
        self.indexes.push(fields.to_vec());
        self
    }

    /// An index of values that stand once only.
    #[must_use]
    pub fn unique(mut self, fields: &[&'static str]) -> Columns {
        self.unique.push(fields.to_vec());
        self
    }

    /// A `belongs_to` by one field.
    #[must_use]
    pub fn belongs_to(
        mut self,
        name: &'static str,
        target: &'static str,
        key: &'static str,
        optional: bool,
    ) -> Columns {
        self.relations.push(Way { name, kind: RelationKind::BelongsTo, target, key, optional });
        self
    }

    /// A `has_many`; `key` is the field of the target that holds this model's key.
    #[must_use]
    pub fn has_many(mut self, name: &'static str, target: &'static str, key: &'static str) -> Columns {
        self.relations.push(Way { name, kind: RelationKind::HasMany, target, key, optional: false });
        self
    }

    /// Databases of their own for each user.
    #[must_use]
    pub fn user_scoped(mut self) -> Columns {
        self.user_scoped = true;
        self
    }

    /// Divided by a field into this many databases.
    #[must_use]
    pub fn sharded(mut self, key: &'static str, count: u32) -> Columns {
        self.sharding = Some((key, count));
        self
    }
}

fn forever<T>(list: Vec<T>) -> &'static [T] {
    Box::leak(list.into_boxed_slice())
}

/// The model of these columns. It lives as long as the program.
pub fn model(columns: &Columns) -> &'static ModelDef {
    let field = |&(name, kind, optional): &(&'static str, Kind, bool)| FieldDef {
        name,
        kind,
        optional,
        shape: |_| 0,
        role: Role::Plain,
        rules: &[],
    };
    let index = |unique: bool| move |fields: &Vec<&'static str>| IndexDef { fields: forever(fields.clone()), unique };
    let relation = |one: &Way| RelationDef {
        name: one.name,
        kind: one.kind,
        target: one.target,
        keys: forever(vec![one.key]),
        optional: one.optional,
        inverse: None,
        links: None,
    };
    let indexes = columns.indexes.iter().map(index(false)).chain(columns.unique.iter().map(index(true)));
    Box::leak(Box::new(ModelDef {
        name: columns.name,
        path: columns.name,
        stored: columns.name,
        scope: if columns.user_scoped { Scope::User } else { Scope::Global(Writers::Anyone) },
        store: StoreKind::Documents,
        version: 1,
        fields: forever(columns.fields.iter().map(field).collect()),
        key: forever(columns.key.clone()),
        relations: forever(columns.relations.iter().map(relation).collect()),
        indexes: forever(indexes.collect()),
        sharding: columns.sharding.map(|(key, count)| Sharding { strategy: Strategy::Hash, key, count }),
        check: |_| Ok(()),
    }))
}

/// The same model with those of its indexes for which `keep` holds. It lives as long as the program.
pub fn with_indexes(model: &'static ModelDef, keep: impl Fn(usize) -> bool) -> &'static ModelDef {
    let kept = model.indexes.iter().enumerate().filter(|(at, _)| keep(*at));
    let indexes = kept.map(|(_, index)| IndexDef { fields: index.fields, unique: index.unique }).collect();
    let &ModelDef { name, path, stored, scope, store, version, fields, key, relations, sharding, check, .. } = model;
    Box::leak(Box::new(ModelDef {
        name,
        path,
        stored,
        scope,
        store,
        version,
        fields,
        key,
        relations,
        indexes: forever(indexes),
        sharding,
        check,
    }))
}
