//! Which row a reference means, and which references mean a row.

use crate::{
    Loader,
    commitment::{commits_to, has_ids},
};
use debros_core::{ID, Map, ModelDef, UserId, Value};
use debros_query::{DatabaseId, Found, KeyRange, QueryError, Reach, encode_key};
use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

/// Whose references to its key mean a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Referrers {
    /// Everybody's.
    Anyone,
    /// This user's, from their own stores.
    Only(UserId),
    /// Nobody's: the key is that of a row whose id commits to its owner.
    Nobody,
}

impl Referrers {
    /// Do references in a store of this owner mean the row?
    pub(crate) fn admit(self, owner: Option<UserId>) -> bool {
        match self {
            Referrers::Anyone => true,
            Referrers::Only(user) => owner == Some(user),
            Referrers::Nobody => false,
        }
    }
}

/// Rows that references mean, by encoded key and by the user in whose store the reference stands.
pub(crate) type Meanings = HashMap<(Vec<u8>, Option<UserId>), Option<Rc<Found>>>;

impl Loader<'_> {
    /// In whose store a reference to a row of `target` stands, where that matters.
    pub(crate) fn referrer(&self, target: &'static ModelDef, from: DatabaseId) -> Result<Option<UserId>, QueryError> {
        Ok(if target.is_user_scoped() { self.owner(from)? } else { None })
    }

    /// The row of `target` that a reference means which stands in a store of the user `from`, or in a global one.
    pub(crate) fn meant(
        &self,
        target: &'static ModelDef,
        key: &Value,
        from: Option<UserId>,
    ) -> Result<Option<Rc<Found>>, QueryError> {
        // what everybody's references mean is kept under nobody's name
        let mut reference = (target.path, encode_key(target, key), None);
        match self.memo.meant.borrow_mut().get(&reference) {
            Some(Some(row)) => return Ok(Some(row)),
            Some(None) if from.is_none() || !target.is_user_scoped() => return Ok(None),
            _ => {}
        }
        if target.is_user_scoped() && from.is_some() {
            reference.2 = from;
            if let Some(row) = self.memo.meant.borrow_mut().get(&reference) {
                return Ok(row);
            }
        }
        let located = self.source.locate(target, &reference.1, Reach::Everywhere, from.as_ref())?;
        let mut row = located.map(|(database, record)| Rc::new(Found { database, key: reference.1.clone(), record }));
        if let Some(found) = &row
            && let Some(owner) = self.owner(found.database)?
        {
            if commits_to(target, &found.record, &owner) {
                reference.2 = None;
            } else if let Some(found) = self.committed(target, &reference.1)? {
                reference.2 = None;
                row = Some(found);
            } else if from.is_none() {
                // nothing global means a row that is its own store's alone
                row = None;
            }
        }
        self.memo.mean(reference, row.clone());
        Ok(row)
    }

    /// The row of this key whose id commits to the owner of its store: beside others of the key, which do not.
    fn committed(&self, target: &'static ModelDef, key: &[u8]) -> Result<Option<Rc<Found>>, QueryError> {
        if !has_ids(target) {
            return Ok(None);
        }
        for row in self.source.scan_everywhere(target, None, &KeyRange::prefix(key.to_vec()), false) {
            let row = row?;
            let record = self.source.load(&row)?;
            if self.owner(row.database)?.is_some_and(|owner| commits_to(target, &record, &owner)) {
                return Ok(Some(Rc::new(Found { database: row.database, key: row.key, record })));
            }
        }
        Ok(None)
    }

    /// The rows that these references mean: one pass over the different ones, in the order of their keys.
    pub(crate) fn meanings(
        &self,
        target: &'static ModelDef,
        references: impl IntoIterator<Item = (Value, Option<UserId>)>,
    ) -> Result<Meanings, QueryError> {
        let different: BTreeMap<_, _> =
            references.into_iter().map(|(key, from)| ((encode_key(target, &key), from), key)).collect();
        let mut meanings = Meanings::with_capacity(different.len());
        for ((bytes, from), key) in different {
            let row = self.meant(target, &key, from)?;
            meanings.insert((bytes, from), row);
        }
        Ok(meanings)
    }

    /// Whose references mean this row.
    pub(crate) fn referrers(
        &self,
        model: &'static ModelDef,
        database: DatabaseId,
        record: &Map,
    ) -> Result<Referrers, QueryError> {
        let Some(owner) = self.owner(database)? else { return Ok(Referrers::Anyone) };
        if commits_to(model, record, &owner) {
            return Ok(Referrers::Anyone);
        }
        if has_ids(model) {
            let key = record.field(ID);
            if self.meant(model, key, None)?.is_some_and(|found| found.database != database) {
                return Ok(Referrers::Nobody);
            }
        }
        Ok(Referrers::Only(owner))
    }
}
