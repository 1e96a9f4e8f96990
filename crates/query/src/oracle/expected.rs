//! [`Expected`]: what the oracle says.

use super::{Case, naive};
use crate::{Aggregate, Answered, Cursor, End, GroupSpec, Outcome, QueryError, Reach, Start};
use debros_core::{Collation, ID, Map, ModelDef, RawRow, Value};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use std::cmp::Ordering;

/// What the oracle says of a [`Case`]: every row that the query finds, in order and before its limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// The rows, with what is loaded with them. Where rows of one key are in several databases, their order is any.
    pub rows: Vec<RawRow>,
}

impl Expected {
    pub(super) fn of(case: &Case) -> Expected {
        let (model, spec) = (case.spec.model, &case.spec);
        let everywhere = spec.reach == Reach::Everywhere || matches!(spec.start, Start::Related { .. });
        let mut rows = Vec::new();
        for row in case.rows.iter().filter(|row| row.table == 0) {
            let reached = !model.is_user_scoped() || everywhere || row.owner == case.me;
            let started = match &spec.start {
                Start::All => true,
                Start::Key(key) => row.record.field(ID) == key,
                Start::Related { from, relation, record } => {
                    let def = from.relation(relation).expect("a case names relations that there are");
                    let (held, key) = match def.kind {
                        debros_core::RelationKind::BelongsTo => {
                            (naive::value(from, def.keys[0], record), row.record.field(ID))
                        }
                        _ => (naive::value(model, def.keys[0], &row.record), record.field(ID)),
                    };
                    !held.is_null() && held == key
                }
            };
            let after = spec
                .after
                .as_ref()
                .is_none_or(|cursor| naive::compare(model, &spec.order, &row.record, &at(model, cursor)).is_gt());
            if reached
                && started
                && after
                && naive::holds(case, model, &spec.filter, &row.record)
                && let Some(included) = naive::include(case, model, &spec.includes, &row.record)
            {
                rows.push(RawRow { record: row.record.clone(), included });
            }
        }
        rows.sort_by(|a, b| naive::compare(model, &spec.order, &a.record, &b.record));
        Expected { rows }
    }

    /// How an answer differs; `None`: it does not.
    pub fn disagreement(&self, case: &Case, answer: &Result<Outcome, QueryError>) -> Option<String> {
        let most = case.spec.limit.unwrap_or(usize::MAX);
        let count = self.rows.len().min(most);
        let wrong = |wanted: &dyn std::fmt::Debug| Some(format!("expected {wanted:?}, got {answer:?}"));
        let found = match answer {
            Ok(outcome) => &outcome.found,
            Err(QueryError::NotFound { .. }) if case.end == End::One && count == 0 => return None,
            Err(QueryError::SeveralFound { .. }) if case.end == End::One && count > 1 => return None,
            Err(QueryError::Overflow { .. }) if self.overflows(case, count) => return None,
            Err(error) => return Some(error.to_string()),
        };
        match (&case.end, found) {
            (End::Rows, Answered::Rows(rows)) => self.rows_differ(case, rows, count, !case.spec.order.is_empty()),
            (End::First, Answered::Row(row)) => {
                let rows: Vec<RawRow> = row.iter().cloned().collect();
                self.rows_differ(case, &rows, count.min(1), !case.spec.order.is_empty())
            }
            (End::One, Answered::Row(Some(row))) if count == 1 => {
                self.rows_differ(case, std::slice::from_ref(row), 1, !case.spec.order.is_empty())
            }
            (End::Count, Answered::Count(got)) => (*got != count as u64).then(|| wrong(&count))?,
            (End::Exists, Answered::Exists(got)) => (*got != (count > 0)).then(|| wrong(&(count > 0)))?,
            (End::Page(size), Answered::Page(page)) => {
                let wanted = count.min(*size);
                let more = count > wanted;
                if page.more != more {
                    return Some(format!("expected more = {more}, got {page:?}"));
                }
                if page.cursor.is_some() != (wanted > 0) {
                    return Some(format!("a cursor belongs to a page with rows: {page:?}"));
                }
                self.rows_differ(case, &page.rows, wanted, true)
            }
            (End::Aggregate(_) | End::Group(_), _) if self.is_open(case, count) => None,
            (End::Aggregate(aggregate), Answered::Value(got)) => {
                let rows: Vec<&Map> = self.rows[..count].iter().map(|row| &row.record).collect();
                let wanted = figure(case.spec.model, *aggregate, &rows);
                (!same(case.spec.model, *aggregate, &wanted, got)).then(|| wrong(&wanted))?
            }
            (End::Group(group), Answered::Groups(got)) => {
                let wanted = self.groups(case, group, count);
                let alike = wanted.len() == got.len()
                    && wanted.iter().zip(got).all(|((keys, figures), got)| {
                        same_keys(case.spec.model, group, keys, &got.keys)
                            && figures.len() == got.figures.len()
                            && (group.select.iter().zip(figures).zip(&got.figures))
                                .all(|((aggregate, a), b)| same(case.spec.model, *aggregate, a, b))
                    });
                (!alike).then(|| wrong(&wanted))?
            }
            _ => wrong(&case.end),
        }
    }

    /// Does it depend on what nobody promises which rows there are?
    fn is_open(&self, case: &Case, count: usize) -> bool {
        let ties = |a: &RawRow, b: &RawRow| {
            naive::compare(case.spec.model, &case.spec.order, &a.record, &b.record) == Ordering::Equal
        };
        count < self.rows.len()
            && count > 0
            && (case.spec.order.is_empty() || ties(&self.rows[count - 1], &self.rows[count]))
    }

    fn rows_differ(&self, case: &Case, got: &[RawRow], count: usize, ordered: bool) -> Option<String> {
        if got.len() != count {
            return Some(format!("expected {count} rows, got {}: {got:?}", got.len()));
        }
        let mut left: Vec<&RawRow> = self.rows.iter().collect();
        for (at, row) in got.iter().enumerate() {
            let Some(position) = left.iter().position(|one| *one == row) else {
                return Some(format!("row {at} is none that was expected, or is given twice: {row:?}"));
            };
            left.remove(position);
            let place = naive::compare(case.spec.model, &case.spec.order, &self.rows[at].record, &row.record);
            if ordered && place.is_ne() {
                return Some(format!("row {at} should be {:?}, is {row:?}", self.rows[at]));
            }
        }
        None
    }

    fn overflows(&self, case: &Case, count: usize) -> bool {
        let rows: Vec<&Map> = self.rows[..count].iter().map(|row| &row.record).collect();
        let over = |aggregate: &Aggregate, rows: &[&Map]| {
            matches!(aggregate, Aggregate::Sum(_) | Aggregate::Avg(_))
                && figure(case.spec.model, *aggregate, rows).is_none()
        };
        match &case.end {
            End::Aggregate(aggregate) => over(aggregate, &rows),
            End::Group(group) => {
                let figures = group.select.iter().chain(group.order.iter().map(|order| &order.by));
                let groups = members(case.spec.model, group, &rows);
                figures.into_iter().any(|aggregate| groups.iter().any(|(_, rows)| over(aggregate, rows)))
            }
            _ => false,
        }
    }

    fn groups(&self, case: &Case, group: &GroupSpec, count: usize) -> Vec<(Vec<Value>, Vec<Option<Value>>)> {
        let model = case.spec.model;
        let rows: Vec<&Map> = self.rows[..count].iter().map(|row| &row.record).collect();
        let mut groups = members(model, group, &rows);
        groups.sort_by(|(a_keys, a_rows), (b_keys, b_rows)| {
            for order in &group.order {
                let (a, b) = (figure(model, order.by, a_rows), figure(model, order.by, b_rows));
                let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
                let place = figure_collation(model, order.by).compare(&a, &b);
                if place.is_ne() {
                    return if order.descending { place.reverse() } else { place };
                }
            }
            let places =
                group.keys.iter().zip(a_keys).zip(b_keys).map(|((key, a), b)| collation(model, key).compare(a, b));
            places.into_iter().find(|place| place.is_ne()).unwrap_or(Ordering::Equal)
        });
        groups.truncate(group.limit.unwrap_or(usize::MAX));
        let figures = |rows: &[&Map]| group.select.iter().map(|one| figure(model, *one, rows)).collect();
        groups.into_iter().map(|(keys, rows)| (keys, figures(&rows))).collect()
    }
}

/// A record that stands where the cursor does.
fn at(model: &'static ModelDef, cursor: &Cursor) -> Map {
    let mut record = Map::new();
    for (field, value) in &cursor.values {
        record.insert(model.stored_name(field), value.clone());
    }
    record.insert(ID, cursor.id.clone());
    record
}

fn members<'r>(model: &'static ModelDef, group: &GroupSpec, rows: &[&'r Map]) -> Vec<(Vec<Value>, Vec<&'r Map>)> {
    let mut groups: Vec<(Vec<Value>, Vec<&Map>)> = Vec::new();
    for row in rows {
        let keys: Vec<Value> = group.keys.iter().map(|key| naive::value(model, key, row).clone()).collect();
        match groups.iter_mut().find(|(other, _)| same_keys(model, group, other, &keys)) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((keys, vec![row])),
        }
    }
    groups
}

fn collation(model: &'static ModelDef, field: &str) -> Collation {
    model.field(field).expect("a case names fields that there are").kind.collation()
}

fn figure_collation(model: &'static ModelDef, aggregate: Aggregate) -> Collation {
    match aggregate {
        Aggregate::Sum(field) | Aggregate::Min(field) | Aggregate::Max(field) => collation(model, field),
        _ => Collation::Plain,
    }
}

fn same_keys(model: &'static ModelDef, group: &GroupSpec, a: &[Value], b: &[Value]) -> bool {
    group.keys.iter().zip(a).zip(b).all(|((key, a), b)| collation(model, key).compare(a, b).is_eq())
}

fn same(model: &'static ModelDef, aggregate: Aggregate, wanted: &Option<Value>, got: &Value) -> bool {
    wanted.as_ref().is_some_and(|wanted| figure_collation(model, aggregate).compare(wanted, got).is_eq())
}

/// A figure over rows; `None`: it does not fit its type.
fn figure(model: &'static ModelDef, aggregate: Aggregate, rows: &[&Map]) -> Option<Value> {
    let of = |field: &str| -> Vec<Value> {
        rows.iter().map(|row| naive::value(model, field, row).clone()).filter(|value| !value.is_null()).collect()
    };
    let numbers = |field: &str| -> Vec<f64> {
        of(field)
            .iter()
            .map(|value| match value {
                Value::Text(text) => text.parse().unwrap_or(0.0),
                other => other.as_number().unwrap_or(0.0),
            })
            .collect()
    };
    match aggregate {
        Aggregate::Count => Some(Value::from(rows.len() as u64)),
        Aggregate::Min(field) => {
            Some(of(field).into_iter().min_by(|a, b| collation(model, field).compare(a, b)).unwrap_or_default())
        }
        Aggregate::Max(field) => {
            Some(of(field).into_iter().max_by(|a, b| collation(model, field).compare(a, b)).unwrap_or_default())
        }
        Aggregate::Sum(field) if collation(model, field) == Collation::Decimal => {
            let add = |sum: Decimal, value: &Value| sum.checked_add(value.as_text()?.parse().ok()?);
            of(field).iter().try_fold(Decimal::ZERO, add).map(|sum| Value::from(sum.to_string()))
        }
        Aggregate::Sum(field) => {
            let ints = of(field).iter().map(Value::as_int).try_fold(0i128, |sum, int| sum.checked_add(int?));
            match ints {
                Some(sum) => Some(Value::Int(sum)),
                None => Some(numbers(field).iter().sum::<f64>()).filter(|sum| sum.is_finite()).map(Value::float),
            }
        }
        Aggregate::Avg(field) => {
            let count = of(field).len();
            if count == 0 {
                return Some(Value::Null);
            }
            let sum = match figure(model, Aggregate::Sum(field), rows)? {
                Value::Text(decimal) => decimal.parse::<Decimal>().ok()?.to_f64()?,
                sum => sum.as_number()?,
            };
            Some(sum / count as f64).filter(|mean| mean.is_finite()).map(Value::float)
        }
    }
}
