//! What a selective predicate through a relation says about the rows that have the relation.

use crate::{
    Loader,
    edge::{Edge, Way, key_values},
    loader::reach,
};
use debros_core::{Expr, ID, ModelDef, Quantifier, Value};
use debros_query::{Found, QueryError, RelatedExpr};

/// At most this many rows of the other side, or links of these, are read.
const READ: usize = 1024;
/// At most this many keys are collected. An executor looks each up in the index by itself, in each database.
const KEYS: usize = 256;

impl Loader<'_> {
    pub(crate) fn narrowed(&self, related: RelatedExpr<'_>) -> Result<Option<Expr>, QueryError> {
        let RelatedExpr { model, relation, quantifier, expr, mine } = related;
        if !matches!(quantifier, Quantifier::Is | Quantifier::Any) || matches!(expr, Expr::Always) {
            // the others hold for rows that have no row at the other side, too
            return Ok(None);
        }
        if let Some(narrowed) = self.memo.narrowing(model, relation, mine, expr) {
            return Ok(narrowed);
        }
        let narrowed = self.narrowed_anew(model, relation, mine, expr)?;
        self.memo.narrow(model, relation, mine, expr, narrowed.clone());
        Ok(narrowed)
    }

    fn narrowed_anew(
        &self,
        model: &'static ModelDef,
        relation: &str,
        mine: bool,
        expr: &Expr,
    ) -> Result<Option<Expr>, QueryError> {
        let edge = Edge::new(self.registry, model, relation)?;
        let Some(few) = self.few(edge.target, expr, reach(mine), READ)? else { return Ok(None) };
        let keys = edge.relation.keys;
        Ok(match edge.way {
            Way::Parent => {
                let rows = few.iter().map(|row| key_values(edge.target, &row.record));
                one_of(keys, rows)
            }
            Way::Children => {
                let child = edge.target;
                let rows = few.iter().map(|row| {
                    keys.iter().map(|name| row.record.field(child.stored_name(name)).clone()).collect::<Vec<_>>()
                });
                one_of(&key_names(model), rows)
            }
            Way::Links(table) => match self.linked_keys(table, &few, mine)? {
                Some(linked) => match model.key {
                    // the text of a composite key is no field that a predicate could name
                    [at] => one_of(&[model.fields[*at].name], linked.into_iter().map(|key| vec![key])),
                    _ => None,
                },
                None => None,
            },
        })
    }

    /// The keys at the near end of every link of these rows of the far end, if they are few. Whether a link counts is not asked.
    fn linked_keys(
        &self,
        table: crate::LinkTable,
        rows: &[Found],
        mine: bool,
    ) -> Result<Option<Vec<Value>>, QueryError> {
        let back = table.reversed();
        let mut keys = Vec::new();
        let mut read = 0;
        for row in rows {
            for link in self.link_refs(back, row.record.field(ID), mine)? {
                read += 1;
                if read > READ {
                    return Ok(None);
                }
                keys.push(table.here(&self.source.load(&link?)?).clone());
            }
        }
        Ok(Some(keys))
    }
}

fn key_names(model: &'static ModelDef) -> Vec<&'static str> {
    model.key_fields().map(|field| field.name).collect()
}

/// The predicate that these fields hold, each by itself, what they hold in one of the rows. `None` if that is too much for one field.
fn one_of(fields: &[&'static str], rows: impl Iterator<Item = Vec<Value>>) -> Option<Expr> {
    let mut columns: Vec<Vec<Value>> = vec![Vec::new(); fields.len()];
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            if !value.is_null() && !column.contains(&value) {
                if column.len() == KEYS {
                    return None;
                }
                column.push(value);
            }
        }
    }
    let all = fields.iter().zip(columns).map(|(field, values)| Expr::OneOf { field, values });
    Some(all.fold(Expr::Always, Expr::and))
}
