//! [`Bound`]: what a filter says of single fields.

use super::intervals::{Form, Intervals};
use debros_core::{Expr, ID, ModelDef};
use std::collections::BTreeMap;

/// What a filter says of single fields.
#[derive(Debug)]
pub(crate) struct Bound {
    model: &'static ModelDef,
    by_field: BTreeMap<&'static str, Intervals>,
    /// Of the key, as keys are encoded.
    key: Option<Intervals>,
    conjuncts: Vec<Conjunct>,
}

/// A conjunct that is about one field alone.
#[derive(Debug)]
struct Conjunct {
    at: usize,
    field: &'static str,
    /// Do the field's values in an index prove it?
    by_index: bool,
    /// Does the key prove it?
    by_key: bool,
}

impl Bound {
    pub(crate) fn new(model: &'static ModelDef, conjuncts: &[&Expr]) -> Bound {
        let mut bound = Bound { model, by_field: BTreeMap::new(), key: None, conjuncts: Vec::new() };
        for (at, expr) in conjuncts.iter().enumerate() {
            if let Some(conjunct) = bound.add(expr) {
                bound.conjuncts.push(Conjunct { at, ..conjunct });
            }
        }
        bound
    }

    /// Takes in a predicate that holds for every row that is looked for, and need not be checked. Is it about one field
    /// alone?
    pub(crate) fn imply(&mut self, expr: &Expr) -> bool {
        self.add(expr).is_some()
    }

    fn add(&mut self, expr: &Expr) -> Option<Conjunct> {
        let (field, intervals) = Intervals::of(self.model, expr, Form::Cut)?;
        let mut conjunct = Conjunct { at: 0, field, by_index: intervals.exact, by_key: false };
        let joined = match self.by_field.get(field) {
            Some(before) => before.intersect(&intervals),
            None => intervals,
        };
        self.by_field.insert(field, joined);
        if self.model.stored_name(field) == ID
            && let Some((_, whole)) = Intervals::of(self.model, expr, Form::Whole)
        {
            conjunct.by_key = whole.exact;
            self.key = Some(match &self.key {
                Some(before) => before.intersect(&whole),
                None => whole,
            });
        }
        Some(conjunct)
    }

    /// The values of a field, as an index keeps them.
    pub(crate) fn field(&self, field: &str) -> Option<&Intervals> {
        self.by_field.get(field)
    }

    /// The values of the key.
    pub(crate) fn key(&self) -> Option<&Intervals> {
        self.key.as_ref()
    }

    /// The fields that can have one value alone, with that value, as an index keeps it.
    pub(crate) fn constants(&self) -> Vec<(&'static str, Vec<u8>)> {
        let constant = |(field, intervals): (&&'static str, &Intervals)| Some((*field, intervals.constant()?.to_vec()));
        self.by_field.iter().filter_map(constant).collect()
    }

    /// Does it leave nothing?
    pub(crate) fn is_empty(&self) -> bool {
        self.by_field.values().chain(&self.key).any(|intervals| intervals.list.is_empty())
    }

    /// The positions of the conjuncts that need not be checked on rows of a scan by key, or of an index, that reads
    /// only the intervals of the fields for which `scanned` holds.
    pub(crate) fn proved(&self, by_key: bool, scanned: impl Fn(&str) -> bool) -> Vec<usize> {
        let proves =
            |conjunct: &&Conjunct| scanned(conjunct.field) && if by_key { conjunct.by_key } else { conjunct.by_index };
        self.conjuncts.iter().filter(proves).map(|conjunct| conjunct.at).collect()
    }
}
