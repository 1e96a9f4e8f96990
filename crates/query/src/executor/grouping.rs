//! [`Grouping`]: figures over groups of rows.

use super::topk::TopK;
use crate::{
    Aggregate, GroupRow, GroupSpec, QueryError,
    aggregate::{Accumulator, collation_of},
    evaluate,
    plan::turn,
};
use debros_core::{Collation, Map, ModelDef, Value};
use std::collections::HashMap;

/// Figures over groups of rows, being made. Holds one entry for each group.
pub(super) struct Grouping<'g> {
    model: &'static ModelDef,
    spec: &'g GroupSpec,
    /// The fields that make a group: their stored names, and how they compare.
    keys: Vec<(&'static str, Collation)>,
    /// The figures that are told, and then those that only the order needs.
    figures: Vec<Aggregate>,
    groups: HashMap<Vec<u8>, Group>,
}

struct Group {
    keys: Vec<Value>,
    figures: Vec<Accumulator>,
}

impl<'g> Grouping<'g> {
    pub(super) fn new(model: &'static ModelDef, spec: &'g GroupSpec) -> Result<Grouping<'g>, QueryError> {
        let mut keys = Vec::with_capacity(spec.keys.len());
        for name in &spec.keys {
            let field = evaluate::field(model, name)?;
            keys.push((model.stored_name(field.name), field.kind.collation()));
        }
        let mut figures = spec.select.clone();
        for order in &spec.order {
            if !figures.contains(&order.by) {
                figures.push(order.by);
            }
        }
        for figure in &figures {
            // what is asked in vain is an error, even of no rows
            Accumulator::new(model, *figure)?;
        }
        Ok(Grouping { model, spec, keys, figures, groups: HashMap::new() })
    }

    pub(super) fn add(&mut self, record: &Map) -> Result<(), QueryError> {
        let mut place = Vec::with_capacity(16 * self.keys.len());
        for (stored, collation) in &self.keys {
            collation.encode_whole(record.field(stored), &mut place);
        }
        let group = match self.groups.entry(place) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let figures = self.figures.iter().map(|figure| Accumulator::new(self.model, *figure));
                entry.insert(Group {
                    keys: self.keys.iter().map(|(stored, _)| record.field(stored).clone()).collect(),
                    figures: figures.collect::<Result<_, _>>()?,
                })
            }
        };
        group.figures.iter_mut().try_for_each(|figure| figure.add(record))
    }

    /// The groups, in their order and within their limit.
    pub(super) fn finish(self) -> Result<Vec<GroupRow>, QueryError> {
        let mut order = Vec::with_capacity(self.spec.order.len());
        for column in &self.spec.order {
            let figure = self.figures.iter().position(|figure| *figure == column.by);
            order.push((figure.unwrap_or_default(), collation_of(self.model, column.by), column.descending));
        }
        let mut top = TopK::new(self.spec.limit);
        for (place, group) in self.groups {
            let mut figures = Vec::with_capacity(group.figures.len());
            for figure in group.figures {
                figures.push(figure.finish()?);
            }
            let mut rank = Vec::new();
            for &(figure, collation, descending) in &order {
                let from = rank.len();
                collation.encode_whole(&figures[figure], &mut rank);
                turn(&mut rank[from..], descending);
            }
            rank.extend(place);
            figures.truncate(self.spec.select.len());
            top.add(rank, GroupRow { keys: group.keys, figures });
        }
        Ok(top.into_sorted().collect())
    }
}
