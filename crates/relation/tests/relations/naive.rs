//! The same meanings by nested loops over all rows.

use crate::memory::{Memory, commits};
use debros_core::{
    Collation, Compare, Expr, ID, IncludeSpec, Included, LEFT, Map, ModelDef, Quantifier, RIGHT, RawRow, RelationDef,
    RelationKind, Scope, UserId, Value, Writers, composite_key,
};
use debros_query::{Found, Order};

pub(crate) struct Naive<'m>(pub(crate) &'m Memory);

/// A row is left out.
#[derive(Debug, PartialEq)]
pub(crate) struct Out;

fn same(a: &Found, b: &Found) -> bool {
    a.database == b.database && a.key == b.key
}

fn named(model: &'static ModelDef, keys: &[&'static str], record: &Map) -> Value {
    let values: Vec<Value> = keys.iter().map(|key| record.field(model.stored_name(key)).clone()).collect();
    match &values[..] {
        [one] => one.clone(),
        several if several.contains(&Value::Null) => Value::Null,
        several => Value::from(composite_key(several)),
    }
}

impl Naive<'_> {
    fn owner(&self, row: &Found) -> Option<UserId> {
        self.0.owner_of(row.database)
    }

    fn target(&self, relation: &RelationDef) -> &'static ModelDef {
        self.0.registry.get(relation.target).unwrap()
    }

    /// The row that a reference means which stands in a store of `from`.
    fn meant(&self, target: &'static ModelDef, key: &Value, from: Option<UserId>) -> Option<Found> {
        let rows: Vec<Found> = self.0.rows(target).into_iter().filter(|row| row.record.field(ID) == key).collect();
        let everybodys = |row: &&Found| self.owner(row).is_none_or(|owner| commits(target, &row.record, &owner));
        let own = |row: &&Found| from.is_some() && self.owner(row) == from;
        rows.iter().find(everybodys).or_else(|| rows.iter().find(own)).cloned()
    }

    fn is_mine(&self, row: &Found) -> bool {
        self.owner(row).is_none_or(|owner| Some(owner) == self.0.user)
    }

    /// The rows that a relation leads to, by key.
    pub(crate) fn related(&self, model: &'static ModelDef, name: &str, row: &Found, mine: bool) -> Vec<Found> {
        let relation = model.relation(name).unwrap();
        let target = self.target(relation);
        let mut rows = match relation.kind {
            RelationKind::BelongsTo => {
                let key = named(model, relation.keys, &row.record);
                self.meant(target, &key, self.owner(row)).into_iter().collect()
            }
            RelationKind::HasOne | RelationKind::HasMany => {
                let mut rows = self.0.rows(target);
                rows.retain(|child| {
                    let key = named(target, relation.keys, &child.record);
                    self.meant(model, &key, self.owner(child)).is_some_and(|parent| same(&parent, row))
                });
                rows
            }
            RelationKind::ManyToMany => self.linked(model, relation, target, row, mine),
        };
        rows.retain(|row| !mine || self.is_mine(row));
        rows.sort_by(|a, b| (&a.key, a.database).cmp(&(&b.key, b.database)));
        rows
    }

    fn linked(
        &self,
        model: &'static ModelDef,
        relation: &RelationDef,
        target: &'static ModelDef,
        row: &Found,
        mine: bool,
    ) -> Vec<Found> {
        let (table, left, right) = match relation.inverse {
            None => (relation.links.unwrap(), model, target),
            Some(inverse) => (target.relation(inverse).unwrap().links.unwrap(), target, model),
        };
        let mut rows: Vec<Found> = Vec::new();
        for link in self.0.rows(table) {
            let maker = self.owner(&link);
            if mine && maker != self.0.user {
                continue;
            }
            let l = self.meant(left, link.record.field(LEFT), maker);
            let r = self.meant(right, link.record.field(RIGHT), maker);
            let (Some(l), Some(r)) = (l, r) else { continue };
            let counts = match (left.scope, right.scope) {
                (Scope::Global(Writers::Anyone), Scope::Global(_)) => true,
                (Scope::Global(Writers::Admins), Scope::Global(_)) => self.0.admins.contains(&maker.unwrap()),
                (Scope::Global(Writers::Owner), Scope::Global(_)) => commits(left, &l.record, &maker.unwrap()),
                _ => self.owner(&l) == maker || self.owner(&r) == maker,
            };
            let (here, there) = if relation.inverse.is_none() { (l, r) } else { (r, l) };
            if counts && same(&here, row) && !rows.iter().any(|known| same(known, &there)) {
                rows.push(there);
            }
        }
        rows
    }

    pub(crate) fn holds(&self, model: &'static ModelDef, expr: &Expr, row: &Found) -> bool {
        let value = |field| row.record.field(model.stored_name(field));
        match expr {
            Expr::Always => true,
            Expr::Compare { field, op, value: with } => match op {
                Compare::Eq => Collation::Plain.compare(value(field), with).is_eq(),
                Compare::Gt => {
                    !value(field).is_null() && !with.is_null() && Collation::Plain.compare(value(field), with).is_gt()
                }
                _ => unreachable!("not generated"),
            },
            Expr::OneOf { field, values } => !value(field).is_null() && values.contains(value(field)),
            Expr::IsNone { field } => value(field).is_null(),
            Expr::And(all) => all.iter().all(|one| self.holds(model, one, row)),
            Expr::Or(any) => any.iter().any(|one| self.holds(model, one, row)),
            Expr::Not(not) => !self.holds(model, not, row),
            Expr::Related { relation, quantifier, expr, mine } => {
                let target = self.target(model.relation(relation).unwrap());
                let mut rows = self.related(model, relation, row, *mine);
                if model.relation(relation).unwrap().kind == RelationKind::HasOne {
                    rows.truncate(1);
                }
                let mut holds = rows.iter().map(|row| self.holds(target, expr, row));
                match quantifier {
                    Quantifier::Is | Quantifier::Any => holds.any(|holds| holds),
                    Quantifier::All => holds.all(|holds| holds),
                    Quantifier::None => !holds.any(|holds| holds),
                }
            }
            _ => unreachable!("not generated"),
        }
    }

    /// What is loaded with a row.
    pub(crate) fn load(
        &self,
        model: &'static ModelDef,
        row: &Found,
        includes: &[IncludeSpec],
    ) -> Result<Vec<Included>, Out> {
        includes.iter().map(|include| self.load_one(model, row, include)).collect()
    }

    fn load_one(&self, model: &'static ModelDef, row: &Found, include: &IncludeSpec) -> Result<Included, Out> {
        let relation = model.relation(include.relation).unwrap();
        let target = self.target(relation);
        let mut rows = self.related(model, include.relation, row, include.mine);
        rows.retain(|row| self.holds(target, &include.filter, row));
        let order = Order::new(target, &include.order).unwrap();
        rows.sort_by_key(|row| order.rank(&row.record, &row.key, row.database));
        let raw = |row: Found| Ok(RawRow { included: self.load(target, &row, &include.includes)?, record: row.record });
        let loaded = rows.into_iter().map(raw).filter_map(|row: Result<RawRow, Out>| row.ok());
        let mut loaded: Vec<RawRow> = loaded.take(include.limit.unwrap_or(usize::MAX)).collect();
        Ok(match relation.kind {
            RelationKind::HasMany | RelationKind::ManyToMany => Included::Many(loaded),
            RelationKind::HasOne => Included::One((!loaded.is_empty()).then(|| Box::new(loaded.swap_remove(0)))),
            RelationKind::BelongsTo if relation.optional => Included::One(loaded.pop().map(Box::new)),
            RelationKind::BelongsTo => Included::One(Some(Box::new(loaded.pop().ok_or(Out)?))),
        })
    }
}
