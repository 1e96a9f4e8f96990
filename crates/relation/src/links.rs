//! The links of rows, and which of them count.

use crate::{
    LinkTable, Loader, Side, children::Rows, commitment::commits_to, edge::same, loader::reach, reference::Referrers,
};
use debros_core::{ID, Map, Scope, UserId, Value, Writers};
use debros_query::{DatabaseId, Found, KeyRange, QueryError, RowRef, RowRefs, encode_key};
use std::{collections::HashSet, rc::Rc};

/// One end of links: a row of the model `here` of a [`LinkTable`].
#[derive(Clone, Copy)]
pub(crate) struct End<'r> {
    pub(crate) database: DatabaseId,
    pub(crate) record: &'r Map,
}

/// A link of a row: the key at the other end, and who made it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) there: Value,
    pub(crate) maker: UserId,
}

/// Which users' links of one row may count, as far as the row itself tells.
#[derive(Clone, Copy)]
enum Makers {
    /// Those of this user.
    Only(UserId),
    /// Those of admins.
    Admins,
    /// Anyone's: the other end may tell.
    Anyone,
}

impl Makers {
    fn of(loader: &Loader<'_>, table: LinkTable, here: End<'_>) -> Result<Makers, QueryError> {
        Ok(match (table.here.scope, table.there.scope) {
            // both owners may link, and who owns the other end is not known yet
            (_, Scope::User) => Makers::Anyone,
            (Scope::User, Scope::Global(_)) => match loader.owner(here.database)? {
                Some(owner) => Makers::Only(owner),
                None => Makers::Anyone,
            },
            (Scope::Global(_), Scope::Global(_)) => match table.left().scope {
                Scope::Global(Writers::Admins) => Makers::Admins,
                _ => Makers::Anyone,
            },
        })
    }
}

/// The links in one scan, as they are read.
type Scanned<'l> = Box<dyn Iterator<Item = Result<Link, QueryError>> + 'l>;

impl Loader<'_> {
    /// The links of a row, as far as they may count, in any order. One pair may come more than once, from several users.
    pub(crate) fn links(&self, table: LinkTable, here: End<'_>, mine: bool) -> Result<Scanned<'_>, QueryError> {
        let referrers = self.referrers(table.here, here.database, here.record)?;
        let makers = Makers::of(self, table, here)?;
        let key = here.record.field(ID).clone();
        // `writers = owner`: only the user to whom the left row's id commits, which this end tells if it is the left one
        let left =
            matches!(table.side, Side::Left) && is_global(table) && table.left().scope == Scope::Global(Writers::Owner);
        let left = left.then(|| here.record.clone());
        let only = match (makers, referrers) {
            (_, Referrers::Nobody) => return Ok(Box::new(std::iter::empty())),
            (Makers::Only(user), _) | (_, Referrers::Only(user)) => Some(user),
            _ => None,
        };
        let mine = mine || (only.is_some() && only == self.user);
        let refs = self.link_refs(table, &key, mine)?;
        let collation = table.here.key_collation();
        let links = refs.filter_map(move |row| {
            let read = || -> Result<Option<Link>, QueryError> {
                let row = row?;
                let Some(maker) = self.owner(row.database)? else { return Ok(None) };
                if !referrers.admit(Some(maker)) || !self.admits_maker(makers, &maker)? {
                    return Ok(None);
                }
                if left.as_ref().is_some_and(|record| !commits_to(table.here, record, &maker)) {
                    return Ok(None);
                }
                let link = self.source.load(&row)?;
                let same = same(collation, table.here(&link), &key);
                Ok(same.then(|| Link { there: table.there(&link).clone(), maker }))
            };
            read().transpose()
        });
        Ok(Box::new(links))
    }

    fn admits_maker(&self, makers: Makers, maker: &UserId) -> Result<bool, QueryError> {
        Ok(match makers {
            Makers::Only(user) => user == *maker,
            Makers::Admins => self.is_admin(maker)?,
            Makers::Anyone => true,
        })
    }

    /// The link rows of a row, or of a key.
    pub(crate) fn link_refs(&self, table: LinkTable, key: &Value, mine: bool) -> Result<RowRefs<'_>, QueryError> {
        let mut prefix = Vec::new();
        table.here.key_collation().encode(key, &mut prefix);
        let (index, range) = match table.index() {
            Some(index) => (Some(index), KeyRange::prefix(prefix)),
            None => (None, KeyRange::ALL),
        };
        if !mine {
            return Ok(self.source.scan_everywhere(table.links, index, &range, false));
        }
        let own = self.databases(table.links, reach(mine))?;
        let scans: Vec<RowRefs<'_>> = own
            .iter()
            .map(|&database| match index {
                Some(index) => self.source.scan_index(database, table.links, index, &range, false),
                None => self.source.scan_keys(database, &range, false),
            })
            .collect();
        Ok(Box::new(scans.into_iter().flatten()))
    }

    /// Does a link of these two rows count that this user made?
    pub(crate) fn counts(
        &self,
        table: LinkTable,
        here: End<'_>,
        there: End<'_>,
        maker: &UserId,
    ) -> Result<bool, QueryError> {
        if !is_global(table) {
            // the owner of a global row is nobody
            return Ok(self.owner(here.database)? == Some(*maker) || self.owner(there.database)? == Some(*maker));
        }
        let left = match table.side {
            Side::Left => here,
            Side::Right => there,
        };
        Ok(match table.left().scope {
            Scope::Global(Writers::Admins) => self.is_admin(maker)?,
            Scope::Global(Writers::Owner) => commits_to(table.left(), left.record, maker),
            Scope::Global(Writers::Anyone) | Scope::User => true,
        })
    }

    /// The row at the other end of a link, if it is here and the link counts.
    pub(crate) fn linked(
        &self,
        table: LinkTable,
        here: End<'_>,
        link: &Link,
        there: Option<Rc<Found>>,
    ) -> Result<Option<Rc<Found>>, QueryError> {
        let Some(row) = there else { return Ok(None) };
        let end = End { database: row.database, record: &row.record };
        Ok(self.counts(table, here, end, &link.maker)?.then_some(row))
    }

    /// The rows that links of a row lead to, in any order, read as they are asked for; a row that several users linked comes once.
    pub(crate) fn linked_rows(
        &self,
        table: LinkTable,
        database: DatabaseId,
        record: Map,
        mine: bool,
    ) -> Result<Rows<'_>, QueryError> {
        let links = self.links(table, End { database, record: &record }, mine)?;
        let mut seen = HashSet::new();
        let rows = links.filter_map(move |link| {
            let read = || -> Result<Option<Rc<Found>>, QueryError> {
                let link = link?;
                let there = self.meant(table.there, &link.there, self.maker_of(table, &link))?;
                let Some(row) = self.linked(table, End { database, record: &record }, &link, there)? else {
                    return Ok(None);
                };
                if mine && !self.is_mine(row.database)? {
                    return Ok(None);
                }
                Ok(seen.insert((row.database, row.key.clone())).then_some(row))
            };
            read().transpose()
        });
        Ok(Box::new(rows))
    }

    /// In whose store a link stands, as a reference to its other end.
    pub(crate) fn maker_of(&self, table: LinkTable, link: &Link) -> Option<UserId> {
        table.there.is_user_scoped().then_some(link.maker)
    }

    /// Are these two rows linked, by whomever? `here` and `there` are rows of the table's models.
    ///
    /// # Errors
    /// If the links cannot be read.
    pub fn are_linked(&self, table: LinkTable, here: &Found, there: &Found) -> Result<bool, QueryError> {
        let ends = [here, there].map(|row| End { database: row.database, record: &row.record });
        let keys = ends.map(|end| end.record.field(ID));
        let id = table.key(keys[0], keys[1]);
        let from_here = self.referrers(table.here, here.database, &here.record)?;
        let from_there = self.referrers(table.there, there.database, &there.record)?;
        let range = KeyRange::prefix(encode_key(table.links, &id));
        for row in self.source.scan_everywhere(table.links, None, &range, false) {
            let row: RowRef = row?;
            let Some(maker) = self.owner(row.database)? else { continue };
            if from_here.admit(Some(maker))
                && from_there.admit(Some(maker))
                && self.counts(table, ends[0], ends[1], &maker)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn is_global(table: LinkTable) -> bool {
    !table.here.is_user_scoped() && !table.there.is_user_scoped()
}
