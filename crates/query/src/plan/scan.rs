//! [`Scan`]: one index, and the parts of it that are read.

use super::{bound::Bound, intervals::Intervals};
use crate::{DatabaseId, KeyRange, RowRefs, Source};
use debros_core::{Collation, ID, ModelDef};

/// At most this many parts of an index are read.
pub(crate) const MAX_SPANS: usize = 1024;

/// One index, and the parts of it that are read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scan {
    /// A position in [`ModelDef::indexes`]; `None`: by key.
    pub(crate) index: Option<usize>,
    /// In the order of the index, and apart from each other.
    pub(crate) spans: Vec<KeyRange>,
    /// How many of its leading fields have one value in a span.
    pub(crate) points: usize,
    /// Has the field after these a range?
    pub(crate) ranged: bool,
    /// The fields of the index; of the key, if the key is one field.
    fields: Vec<&'static str>,
}

impl Scan {
    /// One scan by key, and one for each index.
    pub(crate) fn all(model: &'static ModelDef, bound: &Bound) -> Vec<Scan> {
        let key = model.key_fields().map(|field| field.name).filter(|name| model.stored_name(name) == ID).collect();
        let mut scans = vec![Scan::new(None, key, |_| bound.key())];
        scans.extend(
            model
                .indexes
                .iter()
                .enumerate()
                .map(|(at, index)| Scan::new(Some(at), index.fields.to_vec(), |field| bound.field(field))),
        );
        scans
    }

    fn new<'b>(index: Option<usize>, fields: Vec<&'static str>, bound: impl Fn(&str) -> Option<&'b Intervals>) -> Scan {
        let mut scan = Scan { index, spans: Vec::new(), points: 0, ranged: false, fields };
        let mut prefixes: Vec<Vec<u8>> = vec![Vec::new()];
        for field in &scan.fields {
            let Some(intervals) = bound(field) else { break };
            if prefixes.len() * intervals.list.len() > MAX_SPANS {
                break;
            }
            if !intervals.all_points() {
                scan.ranged = true;
                for prefix in &prefixes {
                    for interval in &intervals.list {
                        let start = [&prefix[..], &interval.start].concat();
                        let end = match &interval.end {
                            Some(end) => Some([&prefix[..], end].concat()),
                            None => KeyRange::prefix(prefix.clone()).end,
                        };
                        scan.spans.push(KeyRange { start, end });
                    }
                }
                return scan;
            }
            scan.points += 1;
            prefixes = prefixes
                .iter()
                .flat_map(|prefix| intervals.list.iter().map(move |point| [&prefix[..], &point.start].concat()))
                .collect();
        }
        scan.spans = prefixes.into_iter().map(KeyRange::prefix).collect();
        scan
    }

    /// The fields of the index, in order; none in a scan by key.
    pub(crate) fn fields(&self, model: &'static ModelDef) -> &'static [&'static str] {
        self.index.map_or(&[], |at| model.indexes[at].fields)
    }

    /// How the fields of the index compare.
    pub(crate) fn collations(&self, model: &'static ModelDef) -> Vec<Collation> {
        let collation = |name: &&str| model.field(name).map_or(Collation::Plain, |field| field.kind.collation());
        self.fields(model).iter().map(collation).collect()
    }

    /// Does it read less than the whole index?
    pub(crate) fn is_restricted(&self) -> bool {
        self.points > 0 || self.ranged
    }

    /// Is it sure to find few rows: one at most for each span?
    pub(crate) fn is_lookup(&self, model: &'static ModelDef) -> bool {
        let whole = !self.fields.is_empty() && self.points == self.fields.len();
        whole && self.index.is_none_or(|at| model.indexes[at].unique)
    }

    /// Are the intervals of this field what the spans are made of?
    pub(crate) fn decides(&self, field: &str) -> bool {
        self.bound_fields().contains(&field)
    }

    /// The names of the fields whose values or ranges the spans are made of.
    pub(crate) fn bound_fields(&self) -> &[&'static str] {
        &self.fields[..self.points + usize::from(self.ranged)]
    }

    /// The rows of a part of the index, in one database or in all of them.
    pub(crate) fn rows<'s>(
        &self,
        source: &'s dyn Source,
        model: &'static ModelDef,
        database: Option<DatabaseId>,
        range: &KeyRange,
        reverse: bool,
    ) -> RowRefs<'s> {
        match (database, self.index) {
            (Some(database), Some(index)) => source.scan_index(database, model, index, range, reverse),
            (Some(database), None) => source.scan_keys(database, range, reverse),
            (None, index) => source.scan_everywhere(model, index, range, reverse),
        }
    }
}
