//! Does a predicate hold for a record?

use crate::{DatabaseId, QueryError, RelatedExpr, Resolver};
use debros_core::{Collation, Compare, Expr, FieldDef, Map, ModelDef, TextTest, Value};
use std::cmp::Ordering;

/// Does `expr` hold for a record of `model` in `database`?
pub(crate) fn holds(
    expr: &Expr,
    model: &'static ModelDef,
    database: DatabaseId,
    record: &Map,
    resolver: &dyn Resolver,
) -> Result<bool, QueryError> {
    Ok(match expr {
        Expr::Always => true,
        Expr::And(all) => {
            // what reads other rows comes last
            for pass in [false, true] {
                for one in all.iter().filter(|one| one.relation().is_some() == pass) {
                    if !holds(one, model, database, record, resolver)? {
                        return Ok(false);
                    }
                }
            }
            true
        }
        Expr::Or(any) => {
            for pass in [false, true] {
                for one in any.iter().filter(|one| one.relation().is_some() == pass) {
                    if holds(one, model, database, record, resolver)? {
                        return Ok(true);
                    }
                }
            }
            false
        }
        Expr::Not(not) => !holds(not, model, database, record, resolver)?,
        Expr::Related { relation, quantifier, expr, mine } => {
            let related = RelatedExpr { model, relation, quantifier: *quantifier, expr, mine: *mine };
            resolver.holds(related, database, record)?
        }
        Expr::Compare { field, op, value } => {
            let (def, found) = field_of(model, field, record)?;
            compare(def.kind.collation(), *op, found, value)
        }
        Expr::OneOf { field, values } => {
            let (def, found) = field_of(model, field, record)?;
            !found.is_null() && values.iter().any(|value| equal(def.kind.collation(), found, value))
        }
        Expr::Text { field, op, needle } => {
            let (_, found) = field_of(model, field, record)?;
            found.as_text().is_some_and(|text| match op {
                TextTest::Contains => text.contains(needle.as_str()),
                TextTest::StartsWith => text.starts_with(needle.as_str()),
                TextTest::EndsWith => text.ends_with(needle.as_str()),
            })
        }
        Expr::Has { field, value } => {
            let (_, found) = field_of(model, field, record)?;
            matches!(found, Value::List(list) if list.iter().any(|one| equal(Collation::Plain, one, value)))
        }
        Expr::IsNone { field } => field_of(model, field, record)?.1.is_null(),
    })
}

fn field_of<'r>(
    model: &'static ModelDef,
    name: &str,
    record: &'r Map,
) -> Result<(&'static FieldDef, &'r Value), QueryError> {
    let field = field(model, name)?;
    Ok((field, record.field(model.stored_name(field.name))))
}

/// The column of this name.
pub(crate) fn field(model: &'static ModelDef, name: &str) -> Result<&'static FieldDef, QueryError> {
    model.field(name).ok_or_else(|| QueryError::UnknownField { model: model.name, field: name.to_owned() })
}

fn compare(collation: Collation, op: Compare, found: &Value, value: &Value) -> bool {
    match op {
        Compare::Eq => equal(collation, found, value),
        Compare::Ne => !equal(collation, found, value),
        _ if found.is_null() || value.is_null() => false,
        Compare::Lt => collation.compare(found, value) == Ordering::Less,
        Compare::Le => collation.compare(found, value) != Ordering::Greater,
        Compare::Gt => collation.compare(found, value) == Ordering::Greater,
        Compare::Ge => collation.compare(found, value) != Ordering::Less,
    }
}

/// Lists and maps have no order, so they are compared as they are; the rest as it sorts.
fn equal(collation: Collation, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(_) | Value::Map(_) | Value::Link(_), _) | (_, Value::List(_) | Value::Map(_) | Value::Link(_)) => {
            a == b
        }
        _ => collation.compare(a, b) == Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{Columns, MemoryResolver, MemorySource, model};
    use debros_core::Kind;

    fn holds_of(kind: Kind, value: Value, expr: &Expr) -> Result<bool, QueryError> {
        let model = model(&Columns::new("id", Kind::Text).field("f", kind));
        let source = MemorySource::new([model]);
        let record = [("f", value)].into_iter().collect();
        holds(expr, model, DatabaseId(0), &record, &MemoryResolver::new(&source))
    }

    #[test]
    fn an_absent_value_is_neither_smaller_nor_larger() {
        for op in [Compare::Lt, Compare::Le, Compare::Gt, Compare::Ge] {
            let expr = Expr::Compare { field: "f", op, value: Value::from(1) };
            assert!(!holds_of(Kind::Float, Value::Null, &expr).unwrap(), "{op:?}");
            assert!(holds_of(Kind::Float, Value::Null, &Expr::Not(Box::new(expr))).unwrap(), "{op:?}");
        }
    }

    #[test]
    fn values_are_equal_as_their_type_says() {
        let eq = |value: Value| Expr::Compare { field: "f", op: Compare::Eq, value };
        assert!(holds_of(Kind::Decimal, Value::from("1.50"), &eq(Value::from("1.5"))).unwrap());
        assert!(!holds_of(Kind::Text, Value::from("1.50"), &eq(Value::from("1.5"))).unwrap());
        assert!(holds_of(Kind::Float, Value::Float(0.0), &eq(Value::Float(-0.0))).unwrap());
        let list = Value::List(vec![Value::from(1)]);
        assert!(holds_of(Kind::List, list.clone(), &eq(list.clone())).unwrap());
        let has = |value: i64| Expr::Has { field: "f", value: Value::from(value) };
        assert!(holds_of(Kind::List, list.clone(), &has(1)).unwrap() && !holds_of(Kind::List, list, &has(2)).unwrap());
    }

    #[test]
    fn a_field_that_is_not_there_is_an_error() {
        let error = holds_of(Kind::Text, Value::Null, &Expr::IsNone { field: "gone" }).unwrap_err();
        assert!(error.to_string().contains("`Row` has no field `gone`"), "{error}");
    }
}
