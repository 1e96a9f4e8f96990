//! The rows that a relation of one row leads to, as the start of a query.

use crate::{
    Loader,
    children::ChildScan,
    commitment::has_ids,
    edge::{Edge, Way, key_values, named_key},
    reference::Referrers,
};
use debros_core::{Compare, Expr, ID, Map, ModelDef};
use debros_query::{Found, FoundRows, KeyRange, QueryError, Reach, Reached, RowRef, encode_key};
use std::rc::Rc;

/// Among so many rows of one key, in different users' stores, the one that a caller holds is looked for.
const NAMESAKES: usize = 1024;

impl Loader<'_> {
    pub(crate) fn reached_from(
        &self,
        from: &'static ModelDef,
        relation: &str,
        record: &Map,
    ) -> Result<Reached<'_>, QueryError> {
        let edge = Edge::new(self.registry, from, relation)?;
        let home = self.home(from, record)?;
        match edge.way {
            Way::Parent => {
                let parent = match (named_key(from, edge.relation.keys, record), &home) {
                    (None, _) => None,
                    (Some(key), Some(home)) => {
                        self.meant(edge.target, &key, self.referrer(edge.target, home.database)?)?
                    }
                    // a row that is gone, or is not written yet, speaks for the asking user
                    (Some(key), None) => self.meant(edge.target, &key, self.user)?,
                };
                Ok(Reached::Rows(Box::new(parent.into_iter().map(|row| Ok(unshared(row))))))
            }
            Way::Children => self.reached_children(edge, home, record),
            Way::Links(table) => {
                let Some(home) = home else { return Ok(Reached::Rows(none())) };
                let rows = self.linked_rows(table, home.database, home.record, false)?;
                Ok(Reached::Rows(Box::new(rows.map(|row| row.map(unshared)))))
            }
        }
    }

    fn reached_children(&self, edge: Edge, home: Option<Found>, record: &Map) -> Result<Reached<'_>, QueryError> {
        let values = key_values(edge.from, record);
        let named =
            edge.relation.keys.iter().zip(values).map(|(field, value)| Expr::Compare { field, op: Compare::Eq, value });
        let named = named.fold(Expr::Always, Expr::and);
        let referrers = match &home {
            Some(home) => self.referrers(edge.from, home.database, &home.record)?,
            // a generated id is nobody else's, even when its row is gone
            None if !edge.from.is_user_scoped() || has_ids(edge.from) => Referrers::Anyone,
            None => self.user.map_or(Referrers::Nobody, Referrers::Only),
        };
        Ok(match (referrers, home) {
            (Referrers::Anyone, _) => Reached::Matching(named, Reach::Everywhere),
            (Referrers::Only(user), _) if Some(user) == self.user && edge.target.is_user_scoped() => {
                Reached::Matching(named, Reach::Own)
            }
            (Referrers::Only(_), Some(home)) => {
                let keys = edge.relation.keys;
                let scan = ChildScan::new(edge.target, keys, &Expr::Always, None, None, Reach::Everywhere)?;
                let rows = self.children(&scan, edge.from, home.database, &home.record)?;
                Reached::Rows(Box::new(rows.map(|row| row.map(unshared))))
            }
            (Referrers::Only(_) | Referrers::Nobody, _) => Reached::Rows(none()),
        })
    }

    /// The stored row that a caller holds: where it stands matters, and the caller's copy does not say. Several users may have
    /// rows of one key: it is the one that says the same, else the asking user's own, else the one that references mean.
    fn home(&self, model: &'static ModelDef, record: &Map) -> Result<Option<Found>, QueryError> {
        let key = record.field(ID);
        if !model.is_user_scoped() {
            return Ok(self.meant(model, key, None)?.map(unshared));
        }
        let range = KeyRange::prefix(encode_key(model, key));
        let mut best: Option<(u8, Found)> = None;
        for row in self.source.scan_everywhere(model, None, &range, false).take(NAMESAKES) {
            let row: RowRef = row?;
            let stored = self.source.load(&row)?;
            let found = Found { database: row.database, key: row.key, record: stored };
            let says_same = model.fields.iter().all(|field| {
                let name = model.stored_name(field.name);
                found.record.field(name) == record.field(name)
            });
            let own = self.owner(found.database)? == self.user;
            let worth = 4 * u8::from(says_same)
                + 2 * u8::from(own)
                + u8::from(self.referrers(model, found.database, &found.record)? == Referrers::Anyone);
            if best.as_ref().is_none_or(|(before, _)| worth > *before) {
                best = Some((worth, found));
            }
        }
        Ok(best.map(|(_, found)| found))
    }
}

fn unshared(row: Rc<Found>) -> Found {
    Rc::try_unwrap(row).unwrap_or_else(|row| (*row).clone())
}

fn none<'l>() -> FoundRows<'l> {
    Box::new(std::iter::empty())
}
