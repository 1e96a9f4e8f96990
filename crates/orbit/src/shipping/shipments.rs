use super::Shipment;
use crate::DatabaseId;
use std::collections::{BTreeMap, BTreeSet};

/// The shipments that a daemon holds, by database and level.
#[derive(Debug, Default)]
pub(crate) struct Shipments {
    levels: BTreeMap<(DatabaseId, u8), Vec<Shipment>>,
    /// Levels by how many there are: where there are most comes last.
    sizes: BTreeSet<(usize, DatabaseId, u8)>,
    last: Option<Shipment>,
}

impl Shipments {
    pub(crate) fn new(all: impl IntoIterator<Item = Shipment>) -> Shipments {
        let mut shipments = Shipments::default();
        shipments.add(all);
        shipments
    }

    pub(crate) fn add(&mut self, added: impl IntoIterator<Item = Shipment>) {
        for shipment in added {
            self.change((shipment.database, shipment.level), |level| {
                let at = level.partition_point(|other| (other.first, other.number) < (shipment.first, shipment.number));
                level.insert(at, shipment);
            });
            if self.last.is_none_or(|last| last.number < shipment.number) {
                self.last = Some(shipment);
            }
        }
    }

    /// The `count` of a level that are earliest in the log, of a level that has at least `at`.
    pub(crate) fn to_merge(&self, at: usize, count: usize) -> Option<Vec<Shipment>> {
        let (size, database, level) = self.sizes.last()?;
        let shipments = self.levels.get(&(*database, *level)).filter(|_| *size >= at)?;
        Some(shipments.iter().take(count).copied().collect())
    }

    /// One stands for these now.
    pub(crate) fn replace(&mut self, merged: &[Shipment], by: Shipment) {
        for shipment in merged {
            self.change((shipment.database, shipment.level), |level| {
                level.retain(|other| other.number != shipment.number);
            });
        }
        self.add([by]);
    }

    /// There is nothing of these databases any more.
    pub(crate) fn forget(&mut self, databases: &[DatabaseId]) {
        for database in databases {
            let levels: Vec<u8> =
                self.levels.range((*database, 0)..=(*database, u8::MAX)).map(|((_, n), _)| *n).collect();
            for level in levels {
                self.change((*database, level), Vec::clear);
            }
        }
        self.last = self.all().max_by_key(|shipment| shipment.number).copied();
    }

    fn change(&mut self, key: (DatabaseId, u8), change: impl FnOnce(&mut Vec<Shipment>)) {
        let level = self.levels.entry(key).or_default();
        self.sizes.remove(&(level.len(), key.0, key.1));
        change(level);
        if level.is_empty() {
            self.levels.remove(&key);
        } else {
            self.sizes.insert((level.len(), key.0, key.1));
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Shipment> {
        self.levels.values().flatten()
    }

    pub(crate) fn of(&self, database: DatabaseId) -> impl Iterator<Item = &Shipment> {
        self.levels.range((database, 0)..=(database, u8::MAX)).flat_map(|(_, level)| level)
    }

    pub(crate) fn count(&self) -> u64 {
        self.sizes.iter().map(|(size, ..)| *size as u64).sum()
    }

    /// The one that was made last.
    pub(crate) fn last(&self) -> Option<Shipment> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hash;

    #[test]
    fn so_many_of_a_level_become_one_of_the_next() {
        let mut shipments = Shipments::default();
        for number in 0..1_000u64 {
            let (database, root) = (DatabaseId((number % 2) as u32), Hash::of(&number.to_be_bytes()));
            let made = number * 100;
            shipments.add([Shipment { database, number: made, level: 0, first: number, root, depth: 0, blocks: 1 }]);
            let mut steps = 0;
            while let Some(children) = shipments.to_merge(8, 8) {
                steps += 1;
                assert!(children.iter().all(|child| child.database == children[0].database));
                assert!(children.is_sorted_by_key(|child| child.first));
                let blocks = children.iter().map(|child| child.blocks).sum();
                let by = Shipment { number: made + steps, level: children[0].level + 1, blocks, ..children[0] };
                shipments.replace(&children, by);
                assert_eq!(shipments.last(), Some(by));
            }
        }
        // 500 of each are 7 * 64 + 6 * 8 + 4
        assert_eq!(shipments.count(), 2 * (7 + 6 + 4));
        assert_eq!(shipments.all().map(|shipment| shipment.blocks).sum::<u64>(), 1_000);
        assert_eq!(shipments.to_merge(8, 8), None);
        let one = shipments.of(DatabaseId(1)).count();
        shipments.forget(&[DatabaseId(1)]);
        assert_eq!(shipments.of(DatabaseId(1)).count(), 0);
        assert_eq!(shipments.count(), shipments.all().count() as u64);
        assert_eq!((one, shipments.count()), (7 + 6 + 4, 7 + 6 + 4));
        assert_eq!(shipments.last().map(|last| last.database), Some(DatabaseId(0)));
    }
}
