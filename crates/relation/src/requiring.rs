//! [`Requiring`]: a row that requires another.

use crate::{Loader, children::ChildScan};
use debros_core::{Expr, ID, ModelDef, RelationDef, RelationKind, Value};
use debros_query::{DatabaseId, Found, QueryError, Reach};

/// A row that requires another, which therefore cannot be deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct Requiring {
    /// The name of its model.
    pub model: &'static str,
    /// The relation by which it requires the other.
    pub relation: &'static str,
    /// The database that holds it.
    pub database: DatabaseId,
    /// Its key, in stored form.
    pub key: Value,
}

impl Loader<'_> {
    /// A row held here, of whichever user, that requires `row` of `model`. `relations` are the relations of all models that
    /// lead to `model`; those that are no required `belongs_to` count for nothing. A row that requires itself does not hinder
    /// its own deletion.
    ///
    /// # Errors
    /// If the databases cannot be read.
    pub fn first_requiring(
        &self,
        model: &'static ModelDef,
        row: &Found,
        relations: impl IntoIterator<Item = (&'static ModelDef, &'static RelationDef)>,
    ) -> Result<Option<Requiring>, QueryError> {
        for (child, relation) in relations {
            if relation.kind != RelationKind::BelongsTo || relation.optional || relation.target != model.path {
                continue;
            }
            let scan = ChildScan::new(child, relation.keys, &Expr::Always, None, None, Reach::Everywhere)?;
            for found in self.children(&scan, model, row.database, &row.record)? {
                let found = found?;
                let itself = child.path == model.path && found.database == row.database && found.key == row.key;
                if !itself {
                    let key = found.record.field(ID).clone();
                    let database = found.database;
                    return Ok(Some(Requiring { model: child.name, relation: relation.name, database, key }));
                }
            }
        }
        Ok(None)
    }
}
