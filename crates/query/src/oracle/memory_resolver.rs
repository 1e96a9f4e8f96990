//! [`MemoryResolver`]: relations, read one row at a time.

use super::MemorySource;
use crate::{
    Coverage, DatabaseId, Executor, Found, Order, QueryError, QuerySpec, Reach, Reached, RelatedExpr, Resolver, Source,
    encode_key,
};
use debros_core::{
    Compare, Expr, ID, IncludeSpec, Included, Map, ModelDef, Quantifier, RawRow, RelationDef, RelationKind, Value,
    composite_key,
};

/// Relations, read one row at a time: the simplest [`Resolver`] that is right. Knows `belongs_to`, `has_one` and
/// `has_many`; a `many_to_many` is an unknown relation to it.
#[derive(Clone, Copy, Debug)]
pub struct MemoryResolver<'s> {
    source: &'s MemorySource,
}

impl<'s> MemoryResolver<'s> {
    /// Over these databases.
    pub fn new(source: &'s MemorySource) -> MemoryResolver<'s> {
        MemoryResolver { source }
    }

    fn relation(
        &self,
        model: &'static ModelDef,
        name: &str,
    ) -> Result<(&'static RelationDef, &'static ModelDef), QueryError> {
        let unknown = || QueryError::UnknownRelation { model: model.name, relation: name.to_owned() };
        let relation = model.relation(name).filter(|def| def.kind != RelationKind::ManyToMany).ok_or_else(unknown)?;
        let target = self.source.model(relation.target).ok_or_else(unknown)?;
        Ok((relation, target))
    }

    /// The rows that a relation of a record leads to, by key.
    fn rows(
        &self,
        model: &'static ModelDef,
        name: &str,
        record: &Map,
    ) -> Result<(&'static ModelDef, Vec<Found>), QueryError> {
        let (relation, target) = self.relation(model, name)?;
        if relation.kind == RelationKind::BelongsTo {
            let Some(key) = key_of_parent(model, relation, record) else { return Ok((target, Vec::new())) };
            let key = encode_key(target, &key);
            let parent = self.source.locate(target, &key, Reach::Everywhere, None)?;
            return Ok((
                target,
                parent.into_iter().map(|(database, record)| Found { database, key: key.clone(), record }).collect(),
            ));
        }
        let mut spec = QuerySpec::new(target);
        spec.filter = children_of(model, relation, record);
        spec.reach = Reach::Everywhere;
        let found = Executor::new(self.source, self).found(&spec)?.collect::<Result<Vec<_>, _>>()?;
        Ok((target, found))
    }

    fn load(
        &self,
        model: &'static ModelDef,
        include: &IncludeSpec,
        record: &Map,
        coverage: &mut Coverage,
    ) -> Result<Vec<RawRow>, QueryError> {
        let (target, found) = self.rows(model, include.relation, record)?;
        let order = Order::new(target, &include.order)?;
        let mut rows = Vec::new();
        for row in found {
            if Executor::new(self.source, self).holds(&include.filter, target, row.database, &row.record)? {
                rows.push(row);
            }
        }
        rows.sort_by_key(|row| order.rank(&row.record, &row.key, row.database));
        let mut rows = self.attach(target, rows, &include.includes, coverage)?;
        rows.truncate(include.limit.unwrap_or(usize::MAX));
        Ok(rows.into_iter().map(|(found, included)| RawRow { record: found.record, included }).collect())
    }
}

fn key_of_parent(model: &'static ModelDef, relation: &RelationDef, record: &Map) -> Option<Value> {
    let values: Vec<Value> = relation.keys.iter().map(|key| record.field(model.stored_name(key)).clone()).collect();
    match &values[..] {
        values if values.iter().any(Value::is_null) => None,
        [one] => Some(one.clone()),
        several => Some(Value::from(composite_key(several))),
    }
}

fn children_of(model: &'static ModelDef, relation: &RelationDef, record: &Map) -> Expr {
    let keys = model.key_fields().map(|field| record.field(model.stored_name(field.name)));
    let equal =
        |(field, value): (&&'static str, &Value)| Expr::Compare { field, op: Compare::Eq, value: value.clone() };
    Expr::And(relation.keys.iter().zip(keys).map(equal).collect())
}

impl Resolver for MemoryResolver<'_> {
    fn holds(&self, related: RelatedExpr<'_>, _: DatabaseId, record: &Map) -> Result<bool, QueryError> {
        let (target, rows) = self.rows(related.model, related.relation, record)?;
        let (mut some, mut all) = (false, true);
        for row in rows {
            let holds = Executor::new(self.source, self).holds(related.expr, target, row.database, &row.record)?;
            (some, all) = (some | holds, all & holds);
        }
        Ok(match related.quantifier {
            Quantifier::Is | Quantifier::Any => some,
            Quantifier::All => all,
            Quantifier::None => !some,
        })
    }

    fn narrow(&self, related: RelatedExpr<'_>) -> Result<Option<Expr>, QueryError> {
        let (relation, target) = self.relation(related.model, related.relation)?;
        let ([key], [own]) = (relation.keys, related.model.key) else { return Ok(None) };
        let mut spec = QuerySpec::new(target);
        spec.filter = related.expr.clone();
        spec.reach = Reach::Everywhere;
        let rows = Executor::new(self.source, self).found(&spec)?.collect::<Result<Vec<_>, _>>()?;
        let (field, stored) = match relation.kind {
            RelationKind::BelongsTo => (*key, ID),
            _ => (related.model.fields[*own].name, target.stored_name(key)),
        };
        let values = rows.iter().map(|row| row.record.field(stored).clone()).collect();
        Ok(Some(Expr::OneOf { field, values }))
    }

    fn reached(
        &self,
        from: &'static ModelDef,
        relation: &'static str,
        record: &Map,
    ) -> Result<Reached<'_>, QueryError> {
        let (def, _) = self.relation(from, relation)?;
        if def.kind == RelationKind::BelongsTo {
            let (_, rows) = self.rows(from, relation, record)?;
            return Ok(Reached::Rows(Box::new(rows.into_iter().map(Ok))));
        }
        Ok(Reached::Matching(children_of(from, def, record), Reach::Everywhere))
    }

    fn attach(
        &self,
        model: &'static ModelDef,
        rows: Vec<Found>,
        includes: &[IncludeSpec],
        coverage: &mut Coverage,
    ) -> Result<Vec<(Found, Vec<Included>)>, QueryError> {
        let mut attached = Vec::with_capacity(rows.len());
        'rows: for row in rows {
            let mut included = Vec::with_capacity(includes.len());
            for include in includes {
                let (relation, _) = self.relation(model, include.relation)?;
                let mut loaded = self.load(model, include, &row.record, coverage)?;
                included.push(match relation.kind {
                    RelationKind::HasMany | RelationKind::ManyToMany => Included::Many(loaded),
                    RelationKind::BelongsTo if loaded.is_empty() && !relation.optional => {
                        coverage.left_out += 1;
                        continue 'rows;
                    }
                    _ => Included::One((!loaded.is_empty()).then(|| Box::new(loaded.swap_remove(0)))),
                });
            }
            attached.push((row, included));
        }
        Ok(attached)
    }

    fn keeps(
        &self,
        model: &'static ModelDef,
        rows: &[&Found],
        includes: &[IncludeSpec],
    ) -> Result<Vec<bool>, QueryError> {
        let mut ignored = Coverage::default();
        let kept = |row: &&Found| Ok(!self.attach(model, vec![(*row).clone()], includes, &mut ignored)?.is_empty());
        rows.iter().map(kept).collect()
    }
}
