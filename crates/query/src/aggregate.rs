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
            Aggregate::Sum(field) | Aggregate::Avg(field) | Aggregate::Min(field) | Aggregate::Max(field) => Some(field),
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
