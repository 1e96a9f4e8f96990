use super::Shipment;
use crate::{
    DatabaseId,
    state::{FieldReader, Fields, Job, SHIPMENTS, SHIPPED, StateError, past, shipment_key},
};
use debros_ipfs::{Place, ReadState};
use std::collections::BTreeSet;

/// What a daemon has been sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shipped {
    /// Everything before this place.
    pub(crate) until: Option<Place>,
    /// How many entries that are.
    pub(crate) entries: u64,
    /// The number of the next shipment.
    pub(crate) next: u64,
    /// But for what it lost.
    pub(crate) again: Option<Again>,
}

/// What a daemon lost and is sent once more: what these databases have between two places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Again {
    pub(crate) from: Option<Place>,
    pub(crate) until: Place,
    pub(crate) databases: BTreeSet<DatabaseId>,
}

impl Shipped {
    /// What this daemon, by its peer id, has been sent.
    pub(crate) fn of(state: &dyn ReadState, daemon: &str) -> Result<Shipped, StateError> {
        match state.get(SHIPPED, daemon.as_bytes())? {
            None => Ok(Shipped::default()),
            Some(row) => Shipped::from_bytes(&row)
                .ok_or_else(|| StateError::Broken(format!("what was shipped to {daemon} is unreadable"))),
        }
    }

    /// How far the daemon that was sent most has come: the place, and the entries before it.
    #[cfg(feature = "kubo")]
    pub(crate) fn furthest(state: &dyn ReadState) -> Result<(Option<Place>, u64), StateError> {
        let mut furthest = Shipped::default();
        for row in state.scan(SHIPPED, &[], None, false) {
            let (_, row) = row?;
            let broken = || StateError::Broken("what was shipped is unreadable".to_owned());
            let shipped = Shipped::from_bytes(&row).ok_or_else(broken)?;
            if shipped.entries > furthest.entries {
                furthest = shipped;
            }
        }
        Ok((furthest.until, furthest.entries))
    }

    /// The shipments that a daemon holds, in the order in which they were made.
    pub(crate) fn shipments(state: &dyn ReadState, daemon: &str) -> Result<Vec<Shipment>, StateError> {
        let prefix = shipment_key(daemon, None);
        let rows = state.scan(SHIPMENTS, &prefix, past(&prefix).as_deref(), false);
        let shipment = |key: &[u8], row: &[u8]| {
            let number = u64::from_be_bytes(key.get(prefix.len()..)?.try_into().ok()?);
            Shipment::from_bytes(number, row)
        };
        rows.map(|row| {
            let (key, row) = row?;
            shipment(&key, &row).ok_or_else(|| StateError::Broken(format!("a shipment to {daemon} is unreadable")))
        })
        .collect()
    }

    /// It has `added`, which stand for `replaced`, or for everything before `until`.
    pub(crate) fn shipped(
        daemon: &str,
        until: Option<(Place, u64)>,
        added: &[Shipment],
        replaced: &[u64],
        job: &mut dyn Job,
    ) -> Result<(), StateError> {
        let mut shipped = Shipped::of(job.as_state(), daemon)?;
        if let Some((place, entries)) = until {
            (shipped.until, shipped.entries) = (Some(place), entries);
        }
        for number in replaced {
            job.delete(SHIPMENTS, shipment_key(daemon, Some(*number)));
        }
        shipped.add(daemon, added, job);
        Ok(())
    }

    /// It has lost shipments of these databases.
    pub(crate) fn lost(
        daemon: &str,
        databases: &[DatabaseId],
        until: Place,
        job: &mut dyn Job,
    ) -> Result<(), StateError> {
        let mut shipped = Shipped::of(job.as_state(), daemon)?;
        // what is being sent once more begins anew, together with what was lost since
        let again = shipped.again.take().map(|again| again.databases).unwrap_or_default();
        let databases: BTreeSet<DatabaseId> = databases.iter().copied().chain(again).collect();
        for shipment in Shipped::shipments(job.as_state(), daemon)? {
            if databases.contains(&shipment.database) {
                job.delete(SHIPMENTS, shipment_key(daemon, Some(shipment.number)));
            }
        }
        shipped.again = Some(Again { from: None, until, databases });
        shipped.add(daemon, &[], job);
        Ok(())
    }

    /// Of what it lost it has everything before `until` again; everything, without one.
    pub(crate) fn shipped_again(
        daemon: &str,
        until: Option<Place>,
        added: &[Shipment],
        job: &mut dyn Job,
    ) -> Result<(), StateError> {
        let mut shipped = Shipped::of(job.as_state(), daemon)?;
        match (&mut shipped.again, until) {
            (Some(again), Some(place)) => again.from = Some(place),
            (again, _) => *again = None,
        }
        shipped.add(daemon, added, job);
        Ok(())
    }

    /// It pins nothing of these databases any more.
    pub(crate) fn unpinned(daemon: &str, databases: &[DatabaseId], job: &mut dyn Job) -> Result<(), StateError> {
        for shipment in Shipped::shipments(job.as_state(), daemon)? {
            if databases.contains(&shipment.database) {
                job.delete(SHIPMENTS, shipment_key(daemon, Some(shipment.number)));
            }
        }
        Ok(())
    }

    fn add(mut self, daemon: &str, added: &[Shipment], job: &mut dyn Job) {
        for shipment in added {
            job.put(SHIPMENTS, shipment_key(daemon, Some(shipment.number)), shipment.to_bytes());
            self.next = self.next.max(shipment.number + 1);
        }
        job.put(SHIPPED, daemon.as_bytes().to_vec(), self.to_bytes());
    }

    fn to_bytes(&self) -> Vec<u8> {
        let place = |row: Fields, place: Option<Place>| match place {
            None => row.byte(0),
            Some(place) => row.byte(1).bytes(&place.to_bytes()),
        };
        let mut row = place(Fields::with_capacity(128), self.until).number(self.entries).number(self.next);
        if let Some(again) = &self.again {
            row = place(place(row, again.from), Some(again.until)).number(again.databases.len() as u64);
            for database in &again.databases {
                row = row.number(database.0.into());
            }
        }
        row.finish()
    }

    fn from_bytes(row: &[u8]) -> Option<Shipped> {
        let mut row = FieldReader::new(row);
        fn place(row: &mut FieldReader<'_>) -> Option<Option<Place>> {
            match row.byte()? {
                0 => Some(None),
                _ => Place::from_bytes(&row.array::<48>()?).map(Some),
            }
        }
        let mut shipped = Shipped { until: place(&mut row)?, entries: row.number()?, next: row.number()?, again: None };
        if row.is_empty() {
            return Some(shipped);
        }
        let (from, until) = (place(&mut row)?, place(&mut row)??);
        let mut databases = BTreeSet::new();
        for _ in 0..row.number()? {
            databases.insert(DatabaseId(row.number32()?));
        }
        shipped.again = Some(Again { from, until, databases });
        Some(shipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_survive() {
        let place = Place::from_bytes(&[3; 48]);
        let databases = [DatabaseId(1), DatabaseId(1 << 20)].into_iter().collect();
        let until = place.expect("48 bytes are a place");
        let again = Some(Again { from: None, until, databases });
        for again in [None, again] {
            let shipped = Shipped { until: place, entries: 12_345, next: 9, again };
            assert_eq!(Shipped::from_bytes(&shipped.to_bytes()), Some(shipped));
        }
        assert_eq!(Shipped::from_bytes(&Shipped::default().to_bytes()), Some(Shipped::default()));
        assert_eq!(Shipped::from_bytes(&[1, 2]), None);
    }
}
