//! Predicates and orders, by the words of the table of meanings, over all rows there are.

use super::Case;
use debros_core::{
    Compare, Expr, ID, IncludeSpec, Included, Map, ModelDef, Quantifier, RawRow, RelationKind, SortKey, TextTest, Value,
};
use std::cmp::Ordering;

/// What a field of a record holds.
pub(super) fn value<'r>(model: &'static ModelDef, field: &str, record: &'r Map) -> &'r Value {
    let def = model.fields.iter().find(|def| def.name == field).expect("a case names fields that there are");
    let single = model.key.len() == 1 && model.fields[model.key[0]].name == def.name;
    record.get(if single { ID } else { def.name }).unwrap_or(&Value::Null)
}

fn order(model: &'static ModelDef, field: &str, a: &Value, b: &Value) -> Ordering {
    let def = model.fields.iter().find(|def| def.name == field).expect("a case names fields that there are");
    def.kind.collation().compare(a, b)
}

fn same(model: &'static ModelDef, field: &str, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => a == b,
        (Value::List(_), _) | (_, Value::List(_)) => false,
        _ => order(model, field, a, b) == Ordering::Equal,
    }
}

/// Does a predicate hold?
pub(super) fn holds(case: &Case, model: &'static ModelDef, expr: &Expr, record: &Map) -> bool {
    let holds = |expr: &Expr| holds(case, model, expr, record);
    match expr {
        Expr::Always => true,
        Expr::And(all) => all.iter().all(holds),
        Expr::Or(any) => any.iter().any(holds),
        Expr::Not(not) => !holds(not),
        Expr::IsNone { field } => value(model, field, record).is_null(),
        Expr::Compare { field, op, value: with } => {
            let found = value(model, field, record);
            match op {
                Compare::Eq => same(model, field, found, with),
                Compare::Ne => !same(model, field, found, with),
                _ if found.is_null() || with.is_null() => false,
                Compare::Lt => order(model, field, found, with).is_lt(),
                Compare::Le => order(model, field, found, with).is_le(),
                Compare::Gt => order(model, field, found, with).is_gt(),
                Compare::Ge => order(model, field, found, with).is_ge(),
            }
        }
        Expr::OneOf { field, values } => {
            let found = value(model, field, record);
            !found.is_null() && values.iter().any(|one| same(model, field, found, one))
        }
        Expr::Text { field, op, needle } => match value(model, field, record) {
            Value::Text(text) => match op {
                TextTest::Contains => text.contains(needle.as_str()),
                TextTest::StartsWith => text.starts_with(needle.as_str()),
                TextTest::EndsWith => text.ends_with(needle.as_str()),
            },
            _ => false,
        },
        Expr::Has { field, value: with } => match value(model, field, record) {
            Value::List(list) => list.contains(with),
            _ => false,
        },
        Expr::Related { relation, quantifier, expr, .. } => {
            let (target, rows) = related(case, model, relation, record);
            let mut rows = rows.into_iter().map(|row| self::holds(case, target, expr, row));
            match quantifier {
                Quantifier::Is | Quantifier::Any => rows.any(|holds| holds),
                Quantifier::All => rows.all(|holds| holds),
                Quantifier::None => !rows.any(|holds| holds),
            }
        }
    }
}

/// The rows that a relation leads to, whoever has them.
fn related<'c>(
    case: &'c Case,
    model: &'static ModelDef,
    relation: &str,
    record: &Map,
) -> (&'static ModelDef, Vec<&'c Map>) {
    let def = model.relation(relation).expect("a case names relations that there are");
    let [key] = def.keys else { panic!("the relations of a case have one key") };
    let target = case.tables.iter().copied().find(|table| table.path == def.target).expect("a case has all models");
    let rows = case.rows.iter().filter(|row| case.tables[row.table].path == target.path).map(|row| &row.record);
    let leads = |row: &&Map| {
        let (child, parent, reference) = match def.kind {
            RelationKind::BelongsTo => (record, *row, value(model, key, record)),
            _ => (*row, record, value(target, key, row)),
        };
        let _ = child;
        !reference.is_null() && reference == parent.field(ID)
    };
    (target, rows.filter(leads).collect())
}

/// Which of two rows comes first? Rows of one key in two databases tie.
pub(super) fn compare(model: &'static ModelDef, keys: &[SortKey], a: &Map, b: &Map) -> Ordering {
    let mut down = false;
    for key in keys {
        down = key.descending;
        let order = order(model, key.field, value(model, key.field, a), value(model, key.field, b));
        if order.is_ne() {
            return if key.descending { order.reverse() } else { order };
        }
    }
    let order = model.key_collation().compare(a.field(ID), b.field(ID));
    if down { order.reverse() } else { order }
}

/// What is loaded with a row; `None`: it is left out.
pub(super) fn include(
    case: &Case,
    model: &'static ModelDef,
    includes: &[IncludeSpec],
    record: &Map,
) -> Option<Vec<Included>> {
    let mut included = Vec::new();
    for include in includes {
        let def = model.relation(include.relation).expect("a case names relations that there are");
        let (target, mut rows) = related(case, model, include.relation, record);
        rows.retain(|row| holds(case, target, &include.filter, row));
        rows.sort_by(|a, b| compare(target, &include.order, a, b));
        let rows = rows.into_iter().filter_map(|row| {
            let included = self::include(case, target, &include.includes, row)?;
            Some(RawRow { record: row.clone(), included })
        });
        let mut rows: Vec<RawRow> = rows.take(include.limit.unwrap_or(usize::MAX)).collect();
        included.push(match def.kind {
            RelationKind::HasMany | RelationKind::ManyToMany => Included::Many(rows),
            RelationKind::BelongsTo if rows.is_empty() && !def.optional => return None,
            _ => Included::One((!rows.is_empty()).then(|| Box::new(rows.swap_remove(0)))),
        });
    }
    Some(included)
}
