//! The children of a row: those whose reference means it.

mod child_scan;
mod merged;
mod sorted;

pub(crate) use child_scan::ChildScan;
pub(crate) use sorted::{sorted, tied};

use crate::{
    Loader,
    edge::{collation_of, key_values, same},
    reference::Referrers,
};
use child_scan::Sorted;
use debros_core::{Map, ModelDef, Value};
use debros_query::{DatabaseId, Found, QueryError, Reach, RowRef, RowRefs};
use merged::merged;
use std::rc::Rc;

/// Rows, one by one, read as they are asked for.
pub(crate) type Rows<'l> = Box<dyn Iterator<Item = Result<Rc<Found>, QueryError>> + 'l>;

impl Loader<'_> {
    /// The rows of `scan` that are children of a row of `parent`, in the order of the scan, read as they are asked for.
    pub(crate) fn children(
        &self,
        scan: &ChildScan,
        parent: &'static ModelDef,
        database: DatabaseId,
        record: &Map,
    ) -> Result<Rows<'_>, QueryError> {
        let referrers = self.referrers(parent, database, record)?;
        if referrers == Referrers::Nobody {
            return Ok(Box::new(std::iter::empty()));
        }
        let (child, keys, values) = (scan.child, scan.keys, key_values(parent, record));
        let refs = self.child_refs(scan, referrers, &values)?;
        let collations: Vec<_> = keys.iter().map(|name| collation_of(child, name)).collect();
        let rows = refs.filter_map(move |row| {
            let read = || -> Result<Option<Rc<Found>>, QueryError> {
                let row = row?;
                if !referrers.admit(self.owner(row.database)?) {
                    return Ok(None);
                }
                let record = self.source.load(&row)?;
                // an index cuts long texts, and may have only some of the key's fields
                let named = keys.iter().zip(&values).zip(&collations).all(|((name, value), collation)| {
                    let held = record.field(child.stored_name(name));
                    !held.is_null() && same(*collation, held, value)
                });
                Ok(named.then(|| Rc::new(Found { database: row.database, key: row.key, record })))
            };
            read().transpose()
        });
        Ok(Box::new(rows))
    }

    fn child_refs(&self, scan: &ChildScan, referrers: Referrers, values: &[Value]) -> Result<RowRefs<'_>, QueryError> {
        let (child, range) = (scan.child, scan.range(values));
        let own = matches!(referrers, Referrers::Only(user) if Some(user) == self.user);
        let reach = if own { Reach::Own } else { scan.reach };
        let refs: RowRefs<'_> = if reach == Reach::Everywhere && child.is_user_scoped() {
            self.source.scan_everywhere(child, scan.index, &range, scan.reverse)
        } else {
            let databases = match scan.shard(values) {
                Some(value) => self.source.shard_of(child, reach, value)?,
                None => None,
            };
            let databases = match databases {
                Some(some) => Rc::from(some),
                None => self.databases(child, reach)?,
            };
            let scans = databases.iter().map(|&database| match scan.index {
                Some(index) => self.source.scan_index(database, child, index, &range, scan.reverse),
                None => self.source.scan_keys(database, &range, scan.reverse),
            });
            merged(scans.collect(), scan.reverse)
        };
        if scan.sorted != Sorted::ByKeyFirst {
            return Ok(refs);
        }
        // the order is that of the key, which is known before a row is read
        let mut refs = refs.collect::<Result<Vec<RowRef>, _>>()?;
        refs.sort_unstable_by(|a, b| (&a.key, a.database).cmp(&(&b.key, b.database)));
        if scan.reverse {
            refs.reverse();
        }
        Ok(Box::new(refs.into_iter().map(Ok)))
    }
}
