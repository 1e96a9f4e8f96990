//! [`Registry`]: the models of a database, and how they refer to each other.

use debros_core::{LEFT, ModelDef, Models, RIGHT, RelationDef, RelationKind, Role, Scope, Writers};
use debros_shard::{Application, is_name};
use std::collections::HashMap;

/// The models that a database was opened with.
#[derive(Debug)]
pub(crate) struct Registry {
    models: &'static [&'static ModelDef],
    by_path: HashMap<&'static str, &'static ModelDef>,
    /// with those of links
    by_stored: HashMap<&'static str, &'static ModelDef>,
    /// for each model, by path: the required relations of others that lead to it
    required_by: HashMap<&'static str, Vec<Required>>,
    /// for each model, by path: the links that its rows are ends of
    links: HashMap<&'static str, Vec<LinkEnd>>,
    queries: debros_query::Registry,
}

/// A required relation of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Required {
    pub(crate) child: &'static ModelDef,
    pub(crate) relation: &'static RelationDef,
    /// The index of the child that begins with the relation's keys: `#[model]` makes one.
    pub(crate) index: Option<u16>,
}

/// One side of links.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkEnd {
    pub(crate) links: &'static ModelDef,
    /// [`LEFT`] or [`RIGHT`].
    pub(crate) side: &'static str,
}

/// The links of a many_to_many, as seen from one of its sides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) links: &'static ModelDef,
    pub(crate) left: &'static ModelDef,
    pub(crate) right: &'static ModelDef,
    /// Does the relation that was named lead from right to left?
    pub(crate) inverse: bool,
}

/// What is wrong with a list of models, that the compiler could not see.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A stored name that no database can carry.
    #[error(
        "`{model}` is stored as `{stored}`, which cannot stand in a database's name: take 1 to 64 of A-Z, a-z, 0-9, `_`, `.` and `-`, by `#[model(name = \"..\")]`"
    )]
    StoredName {
        /// The model.
        model: &'static str,
        /// Its stored name.
        stored: &'static str,
    },
    /// A model's stored name is that of the links of another.
    #[error(
        "`{model}` is stored as `{stored}`, and so are the links of a relation: give it another name by `#[model(name = \"..\")]`"
    )]
    LinkName {
        /// The model.
        model: &'static str,
        /// Its stored name.
        stored: &'static str,
    },
    /// `writers = owner` without a key that says whose a record is.
    #[error(
        "`{model}` is written by the owners of its records, so its key must be an `Id<{model}>`, which commits to one"
    )]
    OwnerKey {
        /// The model.
        model: &'static str,
    },
    /// `writers = admins` without admins.
    #[error("`{model}` is written by admins, and this database has none: name them by `Db::builder(..).admins([..])`")]
    NoAdmins {
        /// The model.
        model: &'static str,
    },
    /// A unique set over several shards.
    #[error("`{model}` is divided by `{key}`, so what is unique in it must contain `{key}`; `{}` does not", fields.join("`, `"))]
    UniqueOverShards {
        /// The model.
        model: &'static str,
        /// Its shard key.
        key: &'static str,
        /// The fields.
        fields: &'static [&'static str],
    },
    /// More indexes than a database numbers.
    #[error("`{model}` has {indexes} indexes, more than the {} that a model may have", u16::MAX)]
    TooManyIndexes {
        /// The model.
        model: &'static str,
        /// How many.
        indexes: usize,
    },
}

impl Registry {
    pub(crate) fn new(models: Models, has_admins: bool) -> Result<Registry, ModelError> {
        let models = models.defs();
        let mut registry = Registry {
            models,
            by_path: models.iter().map(|&model| (model.path, model)).collect(),
            by_stored: models.iter().map(|&model| (model.stored, model)).collect(),
            required_by: HashMap::new(),
            links: HashMap::new(),
            queries: debros_query::Registry::new(models.iter().copied()),
        };
        for &model in models {
            check(model, has_admins)?;
            for relation in model.relations {
                if relation.kind == RelationKind::BelongsTo && !relation.optional {
                    let index = index_of(model, relation);
                    let required = Required { child: model, relation, index };
                    registry.required_by.entry(relation.target).or_default().push(required);
                }
                if let Some(links) = relation.links {
                    if !is_name(links.stored) {
                        return Err(ModelError::StoredName { model: links.name, stored: links.stored });
                    }
                    if let Some(other) = registry.by_stored.insert(links.stored, links) {
                        return Err(ModelError::LinkName { model: other.name, stored: other.stored });
                    }
                    for (path, side) in [(model.path, LEFT), (relation.target, RIGHT)] {
                        registry.links.entry(path).or_default().push(LinkEnd { links, side });
                    }
                }
            }
        }
        Ok(registry)
    }

    pub(crate) fn models(&self) -> &'static [&'static ModelDef] {
        self.models
    }

    /// What queries know of it.
    pub(crate) fn queries(&self) -> &debros_query::Registry {
        &self.queries
    }

    pub(crate) fn get(&self, path: &str) -> Option<&'static ModelDef> {
        self.by_path.get(path).copied()
    }

    /// Is this model, of rows or of links, one of this database?
    pub(crate) fn knows(&self, model: &'static ModelDef) -> bool {
        self.by_stored.get(model.stored).is_some_and(|known| known.path == model.path)
    }

    /// The model, of rows or of links, whose databases carry this stored name.
    pub(crate) fn by_stored(&self, stored: &str) -> Option<&'static ModelDef> {
        self.by_stored.get(stored).copied()
    }

    /// The model, of rows or of links, whose databases are this family of the application.
    pub(crate) fn by_family(&self, application: &Application, family: &str) -> Option<&'static ModelDef> {
        let (stored, store) = application.stored_of(family)?;
        self.by_stored(stored).filter(|model| model.store == store)
    }

    /// Every model, those of links with them, in a fixed order.
    pub(crate) fn families(&self) -> Vec<&'static ModelDef> {
        let links = self.models.iter().flat_map(|model| model.relations.iter().filter_map(|relation| relation.links));
        self.models.iter().copied().chain(links).collect()
    }

    /// The required relations of other models that lead to this one.
    pub(crate) fn required_by(&self, model: &ModelDef) -> &[Required] {
        self.required_by.get(model.path).map_or(&[], Vec::as_slice)
    }

    /// The links that rows of this model are ends of.
    pub(crate) fn link_ends(&self, model: &ModelDef) -> &[LinkEnd] {
        self.links.get(model.path).map_or(&[], Vec::as_slice)
    }

    /// The links of the many_to_many of this name, if there is one.
    pub(crate) fn link(&self, model: &'static ModelDef, relation: &str) -> Option<Link> {
        let def = model.relation(relation)?;
        let target = self.get(def.target)?;
        match (def.links, def.inverse) {
            (Some(links), _) => Some(Link { links, left: model, right: target, inverse: false }),
            (None, Some(inverse)) => {
                let links = target.relation(inverse)?.links?;
                Some(Link { links, left: target, right: model, inverse: true })
            }
            (None, None) => None,
        }
    }
}

fn check(model: &'static ModelDef, has_admins: bool) -> Result<(), ModelError> {
    let ModelDef { name, stored, .. } = *model;
    if !is_name(stored) {
        return Err(ModelError::StoredName { model: name, stored });
    }
    if model.indexes.len() > usize::from(u16::MAX) {
        return Err(ModelError::TooManyIndexes { model: name, indexes: model.indexes.len() });
    }
    match model.scope {
        Scope::Global(Writers::Owner) if model.key_fields().all(|field| field.role != Role::GeneratedKey) => {
            return Err(ModelError::OwnerKey { model: name });
        }
        Scope::Global(Writers::Admins) if !has_admins => return Err(ModelError::NoAdmins { model: name }),
        _ => {}
    }
    if let Some(sharding) = model.sharding
        && let Some(index) = model.indexes.iter().find(|index| index.unique && !index.fields.contains(&sharding.key))
    {
        return Err(ModelError::UniqueOverShards { model: name, key: sharding.key, fields: index.fields });
    }
    Ok(())
}

/// The index that begins with the keys of a relation.
pub(crate) fn index_of(model: &ModelDef, relation: &RelationDef) -> Option<u16> {
    let found = model.indexes.iter().position(|index| index.fields.starts_with(relation.keys));
    found.and_then(|index| u16::try_from(index).ok())
}
