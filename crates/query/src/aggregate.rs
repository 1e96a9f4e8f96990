//! [`Aggregate`]: a figure over rows, and how it is made.

use crate::QueryError;
use debros_core::{Collation, Map, ModelDef, Value};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use std::{cmp::Ordering, str::FromStr as _};

/// A figure over rows. Absent values are skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// How many rows.
    Count,
    /// The sum of a field; 0 of nothing.
    Sum(&'static str),
    /// The mean of a field; null of nothing.
    Avg(&'static str),
    /// The smallest value of a field; null of nothing.
    Min(&'static str),
    /// The largest value of a field; null of nothing.
    Max(&'static str),
}

impl Aggregate {
    /// The field that it looks at.
    pub fn field(self) -> Option<&'static str> {
        match self {
            Aggregate::Count => None,
            Aggregate::Sum(field) | Aggregate::Avg(field) | Aggregate::Min(field) | Aggregate::Max(field) => {
                Some(field)
            }
        }
    }
}

/// How the figures of an aggregate compare.
pub(crate) fn collation_of(model: &'static ModelDef, aggregate: Aggregate) -> Collation {
    match aggregate {
        Aggregate::Count | Aggregate::Avg(_) => Collation::Plain,
        Aggregate::Sum(field) | Aggregate::Min(field) | Aggregate::Max(field) => {
            model.field(field).map_or(Collation::Plain, |field| field.kind.collation())
        }
    }
}

/// An [`Aggregate`] being made, row by row.
#[derive(Clone, Debug)]
pub(crate) struct Accumulator {
    model: &'static ModelDef,
    aggregate: Aggregate,
    field: &'static str,
    stored: &'static str,
    collation: Collation,
    count: u64,
    sum: Sum,
    best: Option<Value>,
}

impl Accumulator {
    pub(crate) fn new(model: &'static ModelDef, aggregate: Aggregate) -> Result<Accumulator, QueryError> {
        let (field, stored, collation) = match aggregate.field() {
            None => ("", "", Collation::Plain),
            Some(name) => {
                let field = model
                    .field(name)
                    .ok_or_else(|| QueryError::UnknownField { model: model.name, field: name.to_owned() })?;
                (field.name, model.stored_name(field.name), field.kind.collation())
            }
        };
        Ok(Accumulator { model, aggregate, field, stored, collation, count: 0, sum: Sum::default(), best: None })
    }

    pub(crate) fn add(&mut self, record: &Map) -> Result<(), QueryError> {
        if self.aggregate == Aggregate::Count {
            self.count += 1;
            return Ok(());
        }
        let value = record.field(self.stored);
        if value.is_null() {
            return Ok(());
        }
        self.count += 1;
        match self.aggregate {
            Aggregate::Sum(_) | Aggregate::Avg(_) => match self.sum.add(value, self.collation) {
                Ok(()) => Ok(()),
                Err(SumError::Overflow) => Err(self.overflow()),
                Err(SumError::NotANumber) => {
                    Err(QueryError::NotANumber { model: self.model.name, field: self.field, found: value.kind() })
                }
            },
            Aggregate::Min(_) => {
                self.keep(value, Ordering::Less);
                Ok(())
            }
            Aggregate::Max(_) => {
                self.keep(value, Ordering::Greater);
                Ok(())
            }
            Aggregate::Count => Ok(()),
        }
    }

    fn keep(&mut self, value: &Value, better: Ordering) {
        if self.best.as_ref().is_none_or(|best| self.collation.compare(value, best) == better) {
            self.best = Some(value.clone());
        }
    }

    fn overflow(&self) -> QueryError {
        QueryError::Overflow { model: self.model.name, field: self.field }
    }

    pub(crate) fn finish(self) -> Result<Value, QueryError> {
        match self.aggregate {
            Aggregate::Count => Ok(Value::from(self.count)),
            Aggregate::Sum(_) => self.sum.total(self.collation).ok_or_else(|| self.overflow()),
            Aggregate::Avg(_) if self.count == 0 => Ok(Value::Null),
            Aggregate::Avg(_) => {
                let mean = self.sum.float() / self.count as f64;
                if mean.is_finite() { Ok(Value::float(mean)) } else { Err(self.overflow()) }
            }
            Aggregate::Min(_) | Aggregate::Max(_) => Ok(self.best.unwrap_or_default()),
        }
    }
}

/// Integers add up exactly, floats with the error of each addition carried along, decimals as decimals.
#[derive(Clone, Debug, Default)]
struct Sum {
    ints: i128,
    floats: f64,
    lost: f64,
    any_float: bool,
    decimals: Decimal,
}

enum SumError {
    Overflow,
    NotANumber,
}

impl Sum {
    fn add(&mut self, value: &Value, collation: Collation) -> Result<(), SumError> {
        match value {
            Value::Int(int) => self.ints = self.ints.checked_add(*int).ok_or(SumError::Overflow)?,
            Value::Float(float) => {
                self.any_float = true;
                let next = self.floats + float;
                self.lost += if self.floats.abs() >= float.abs() {
                    (self.floats - next) + float
                } else {
                    (float - next) + self.floats
                };
                self.floats = next;
            }
            Value::Text(text) if collation == Collation::Decimal => {
                let decimal = Decimal::from_str(text).map_err(|_| SumError::NotANumber)?;
                self.decimals = self.decimals.checked_add(decimal).ok_or(SumError::Overflow)?;
            }
            _ => return Err(SumError::NotANumber),
        }
        Ok(())
    }

    fn float(&self) -> f64 {
        self.ints as f64 + self.floats + self.lost + self.decimals.to_f64().unwrap_or(0.0)
    }

    fn total(&self, collation: Collation) -> Option<Value> {
        if collation == Collation::Decimal {
            return Some(Value::from(self.decimals.to_string()));
        }
        if !self.any_float {
            return Some(Value::Int(self.ints));
        }
        let total = self.float();
        total.is_finite().then(|| Value::float(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{Columns, model};
    use debros_core::Kind;

    fn figure(kind: Kind, aggregate: Aggregate, values: &[Value]) -> Result<Value, QueryError> {
        let model = model(&Columns::new("id", Kind::Text).field("f", kind));
        let mut accumulator = Accumulator::new(model, aggregate)?;
        for value in values {
            accumulator.add(&[("f", value.clone())].into_iter().collect())?;
        }
        accumulator.finish()
    }
    fn texts(values: &[&str]) -> Vec<Value> {
        values.iter().map(|text| Value::from(*text)).collect()
    }

    #[test]
    fn floats_add_up_without_losing_the_small_ones() {
        let values: Vec<Value> = [1e16, 0.5, 0.25, -1e16, 0.25].map(Value::from).into();
        assert_eq!(figure(Kind::Float, Aggregate::Sum("f"), &values).unwrap(), Value::Int(1));
        assert_eq!(figure(Kind::Float, Aggregate::Avg("f"), &values).unwrap(), Value::from(0.2));
    }

    #[test]
    fn decimals_stay_decimals() {
        let values = texts(&["0.1", "0.2", "10"]);
        assert_eq!(figure(Kind::Decimal, Aggregate::Sum("f"), &values).unwrap(), Value::from("10.3"));
        assert_eq!(figure(Kind::Decimal, Aggregate::Max("f"), &values).unwrap(), Value::from("10"));
        assert_eq!(figure(Kind::Decimal, Aggregate::Sum("f"), &[]).unwrap(), Value::from("0"));
    }

    #[test]
    fn what_leaves_the_range_is_an_error() {
        let largest = texts(&["79228162514264337593543950335", "1"]);
        assert!(matches!(figure(Kind::Decimal, Aggregate::Sum("f"), &largest), Err(QueryError::Overflow { .. })));
        let floats = [Value::Float(f64::MAX), Value::Float(f64::MAX)];
        assert!(matches!(figure(Kind::Float, Aggregate::Sum("f"), &floats), Err(QueryError::Overflow { .. })));
        assert!(matches!(figure(Kind::Float, Aggregate::Avg("f"), &floats), Err(QueryError::Overflow { .. })));
    }

    #[test]
    fn absent_values_are_skipped() {
        let values = [Value::Null, Value::from(4), Value::Null, Value::from(2)];
        for (aggregate, wanted) in [
            (Aggregate::Sum("f"), 6),
            (Aggregate::Avg("f"), 3),
            (Aggregate::Min("f"), 2),
            (Aggregate::Max("f"), 4),
            (Aggregate::Count, 4),
        ] {
            assert_eq!(figure(Kind::Float, aggregate, &values).unwrap(), Value::from(wanted), "{aggregate:?}");
        }
    }

    #[test]
    fn text_does_not_add_up() {
        let error = figure(Kind::Text, Aggregate::Sum("f"), &texts(&["a"])).unwrap_err();
        assert_eq!(error.to_string(), "`Row.f` holds text, which cannot be added up");
    }
}
