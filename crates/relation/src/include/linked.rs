//! Loading the linked rows of rows.

use crate::{
    LinkTable, Loader,
    children::{Rows, sorted, tied},
    edge::Edge,
    links::{End, Link},
};
use debros_core::{ID, IncludeSpec};
use debros_query::{Found, Order, QueryError, encode_key};
use std::{collections::HashSet, rc::Rc};

/// The row at the other end of a link.
pub(super) enum Lookup {
    /// Not looked up yet.
    Pending,
    /// This, if any.
    Done(Option<Rc<Found>>),
}

impl Loader<'_> {
    /// The links of each of these rows. Unless few of the rows at their other ends are wanted, these are looked up, each once.
    pub(super) fn all_links(
        &self,
        table: LinkTable,
        rows: &[&Found],
        order: &[usize],
        spec: &IncludeSpec,
        keep: Option<usize>,
    ) -> Result<Vec<Vec<(Link, Lookup)>>, QueryError> {
        let mut links: Vec<Vec<(Link, Lookup)>> = (0..rows.len()).map(|_| Vec::new()).collect();
        for &at in order {
            let here = End { database: rows[at].database, record: &rows[at].record };
            for link in self.links(table, here, spec.mine)? {
                links[at].push((link?, Lookup::Pending));
            }
        }
        if keep.is_some() && spec.order.is_empty() {
            return Ok(links);
        }
        let references = links.iter().flatten().map(|(link, _)| (link.there.clone(), self.maker_of(table, link)));
        let meanings = self.meanings(table.there, references)?;
        for (link, lookup) in links.iter_mut().flatten() {
            let reference = (encode_key(table.there, &link.there), self.maker_of(table, link));
            *lookup = Lookup::Done(meanings.get(&reference).cloned().flatten());
        }
        Ok(links)
    }

    /// The rows that these links of a row lead to, as far as they count and the include wants them, in its order.
    pub(super) fn linked_in_order<'l>(
        &'l self,
        edge: Edge,
        table: LinkTable,
        here: &'l Found,
        mut links: Vec<(Link, Lookup)>,
        spec: &'l IncludeSpec,
        keep: Option<usize>,
    ) -> Result<Rows<'l>, QueryError> {
        let by_key = spec.order.is_empty();
        if by_key {
            // links name the keys of the rows, so the rows need not be read to sort them
            links.sort_by_cached_key(|(link, _)| encode_key(table.there, &link.there));
        }
        let end = End { database: here.database, record: &here.record };
        let mut seen = HashSet::new();
        let rows = links.into_iter().filter_map(move |(link, lookup)| {
            let read = || -> Result<Option<Rc<Found>>, QueryError> {
                let there = match lookup {
                    Lookup::Done(row) => row,
                    Lookup::Pending => self.meant(table.there, &link.there, self.maker_of(table, &link))?,
                };
                let Some(row) = self.linked(table, end, &link, there)? else { return Ok(None) };
                if !self.admits(edge, &spec.filter, spec.mine, &row)? {
                    return Ok(None);
                }
                Ok(seen.insert((row.database, row.key.clone())).then_some(row))
            };
            read().transpose()
        });
        let order = Order::new(table.there, &spec.order)?;
        if by_key {
            // one key may name rows of several users' stores
            return Ok(tied(order, vec![(ID, table.there.key_collation())], Box::new(rows)));
        }
        sorted(&order, Box::new(rows), keep)
    }
}
