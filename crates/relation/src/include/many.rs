//! Loading the children and the linked rows of rows.

use super::LeftOut;
use crate::{
    Loader,
    children::{ChildScan, Rows},
    edge::{Edge, Way},
    loader::reach,
};
use debros_core::{Expr, IncludeSpec, Included};
use debros_query::{DatabaseId, Found, QueryError};
use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    rc::Rc,
};

/// Of so many rows at once, children are read further where those that were read first were left out.
const OPEN: usize = 256;

impl Loader<'_> {
    pub(super) fn load_many(
        &self,
        edge: Edge,
        rows: &[&Found],
        spec: &IncludeSpec,
        left_out: &mut u64,
    ) -> Result<Vec<Result<Included, LeftOut>>, QueryError> {
        let limit = if edge.is_single() { Some(spec.limit.unwrap_or(1).min(1)) } else { spec.limit };
        let spec = &IncludeSpec { limit, ..spec.clone() };
        let many = self.choose(edge, rows, spec, left_out)?;
        let mut places: HashMap<(DatabaseId, Vec<u8>), usize> = HashMap::new();
        let (mut distinct, mut uses) = (Vec::new(), Vec::new());
        let mut of = Vec::with_capacity(many.len());
        for chosen in many {
            let mut places_of = Vec::with_capacity(chosen.len());
            for row in chosen {
                let place = match places.entry((row.database, row.key.clone())) {
                    Entry::Occupied(entry) => *entry.get(),
                    Entry::Vacant(entry) => {
                        uses.push(0);
                        distinct.push(row);
                        *entry.insert(distinct.len() - 1)
                    }
                };
                uses[place] += 1;
                places_of.push(place);
            }
            of.push(places_of);
        }
        let mut raw = self.raw_rows(edge.target, distinct, uses, &spec.includes, left_out)?;
        let mut found = Vec::with_capacity(of.len());
        for places in of {
            let mut list = Vec::with_capacity(places.len());
            for place in places {
                match raw.take(place) {
                    Ok(row) => list.push(row),
                    Err(LeftOut::Absent) => *left_out += 1,
                    Err(LeftOut::Unwanted) => {}
                }
            }
            found.push(Ok(match edge.is_single() {
                true => Included::One(list.into_iter().next().map(Box::new)),
                false => Included::Many(list),
            }));
        }
        Ok(found)
    }

    /// The children or linked rows to load for each of these rows.
    fn choose(
        &self,
        edge: Edge,
        rows: &[&Found],
        spec: &IncludeSpec,
        left_out: &mut u64,
    ) -> Result<Vec<Vec<Rc<Found>>>, QueryError> {
        let mut chosen: Vec<Vec<Rc<Found>>> = vec![Vec::new(); rows.len()];
        if spec.limit == Some(0) {
            return Ok(chosen);
        }
        // neighbours in the index are read after each other
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|&a, &b| rows[a].key.cmp(&rows[b].key));
        let picky = spec.limit.is_some() && self.requires(edge.target, &spec.includes)?;
        let keep = if picky { None } else { spec.limit };
        match edge.way {
            Way::Links(table) => {
                let mut links = self.all_links(table, rows, &order, spec, keep)?;
                self.pick(edge, &order, spec, picky, &mut chosen, left_out, |at| {
                    self.linked_in_order(edge, table, rows[at], std::mem::take(&mut links[at]), spec, keep)
                })?;
            }
            Way::Parent | Way::Children => {
                let keys = edge.relation.keys;
                let reach = reach(spec.mine);
                let scan = ChildScan::new(edge.target, keys, &spec.filter, Some(&spec.order), spec.limit, reach)?;
                self.pick(edge, &order, spec, picky, &mut chosen, left_out, |at| {
                    let children = self.children(&scan, edge.from, rows[at].database, &rows[at].record)?;
                    scan.in_order(self.passing(edge, children, &spec.filter), keep)
                })?;
            }
        }
        Ok(chosen)
    }

    /// Takes as many rows for each as the include wants; where nested includes can leave rows out, only those count that stay.
    #[expect(clippy::too_many_arguments, reason = "the parts of one include")]
    fn pick<'l>(
        &self,
        edge: Edge,
        order: &[usize],
        spec: &IncludeSpec,
        picky: bool,
        chosen: &mut [Vec<Rc<Found>>],
        left_out: &mut u64,
        mut rows_of: impl FnMut(usize) -> Result<Rows<'l>, QueryError>,
    ) -> Result<(), QueryError> {
        let limit = spec.limit.unwrap_or(usize::MAX);
        if !picky {
            for &at in order {
                chosen[at] = rows_of(at)?.take(limit).collect::<Result<_, _>>()?;
            }
            return Ok(());
        }
        for some in order.chunks(OPEN) {
            let mut open = Vec::with_capacity(some.len());
            for &at in some {
                open.push((at, rows_of(at)?));
            }
            while !open.is_empty() {
                let mut batch: Vec<(usize, Rc<Found>)> = Vec::new();
                for (at, rows) in &mut open {
                    for row in rows.take(limit - chosen[*at].len()) {
                        batch.push((*at, row?));
                    }
                }
                let refs: Vec<&Found> = batch.iter().map(|(_, row)| row.as_ref()).collect();
                let verdicts = self.verdicts(edge.target, &refs, &spec.includes)?;
                let read: HashSet<usize> = batch.iter().map(|(at, _)| *at).collect();
                for ((at, row), verdict) in batch.into_iter().zip(verdicts) {
                    match verdict {
                        None => chosen[at].push(row),
                        Some(LeftOut::Absent) => *left_out += 1,
                        Some(LeftOut::Unwanted) => {}
                    }
                }
                open.retain(|(at, _)| chosen[*at].len() < limit && read.contains(at));
            }
        }
        Ok(())
    }

    /// Those of these rows for which the predicate holds.
    fn passing<'l>(&'l self, edge: Edge, rows: Rows<'l>, filter: &'l Expr) -> Rows<'l> {
        if matches!(filter, Expr::Always) {
            return rows;
        }
        Box::new(rows.filter_map(move |row| {
            let test = |row: Rc<Found>| Ok(self.test(edge.target, filter, &row)?.then_some(row));
            row.and_then(test).transpose()
        }))
    }
}
