use crate::{DatabaseId, Hash, shipping::Shipment};
use std::collections::{BTreeMap, BTreeSet};

/// What of a data folder a Kubo daemon has confirmed to hold and pin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InspectedDaemon {
    /// Its peer id.
    pub peer: String,
    /// So many entries, from the first on, were shipped.
    pub entries: u64,
    /// The pins that hold them: root, database and blocks below the root.
    pub pins: Vec<(Hash, DatabaseId, u64)>,
    /// Databases of which it lost something, which is being shipped once more.
    pub lost: Vec<DatabaseId>,
}

/// The same, while the journal is read.
#[derive(Debug, Default)]
pub(super) struct Daemon {
    entries: u64,
    shipments: BTreeMap<u64, Shipment>,
    lost: BTreeSet<DatabaseId>,
}

impl Daemon {
    pub(super) fn shipped(&mut self, entries: Option<u64>, added: &[Shipment], replaced: &[u64]) {
        self.entries = entries.unwrap_or(self.entries);
        for number in replaced {
            self.shipments.remove(number);
        }
        self.add(added);
    }

    pub(super) fn lost(&mut self, databases: &[DatabaseId]) {
        self.lost.extend(databases);
        self.shipments.retain(|_, shipment| !self.lost.contains(&shipment.database));
    }

    pub(super) fn shipped_again(&mut self, all: bool, added: &[Shipment]) {
        self.add(added);
        if all {
            self.lost.clear();
        }
    }

    pub(super) fn unpinned(&mut self, databases: &[DatabaseId]) {
        self.shipments.retain(|_, shipment| !databases.contains(&shipment.database));
    }

    fn add(&mut self, added: &[Shipment]) {
        self.shipments.extend(added.iter().map(|shipment| (shipment.number, *shipment)));
    }

    pub(super) fn into_inspected(self, peer: String) -> InspectedDaemon {
        let pins = self.shipments.into_values().map(|shipment| (shipment.root, shipment.database, shipment.blocks));
        InspectedDaemon { peer, entries: self.entries, pins: pins.collect(), lost: self.lost.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipment(number: u64, database: u32) -> Shipment {
        let root = Hash::of(&number.to_be_bytes());
        Shipment { database: DatabaseId(database), number, level: 0, first: number, root, depth: 0, blocks: 10 }
    }

    #[test]
    fn merged_and_lost_shipments_are_gone_and_come_back() {
        let mut daemon = Daemon::default();
        daemon.shipped(Some(20), &[shipment(0, 1), shipment(1, 2)], &[]);
        daemon.shipped(Some(30), &[shipment(2, 1)], &[]);
        daemon.shipped(None, &[shipment(3, 1)], &[0, 2]);
        let roots = |daemon: &Daemon| daemon.shipments.keys().copied().collect::<Vec<_>>();
        assert_eq!((roots(&daemon), daemon.entries), (vec![1, 3], 30));
        daemon.lost(&[DatabaseId(1)]);
        assert_eq!(roots(&daemon), [1]);
        daemon.shipped_again(false, &[shipment(4, 1)]);
        assert_eq!(daemon.lost, BTreeSet::from([DatabaseId(1)]));
        daemon.shipped_again(true, &[]);
        daemon.shipped(Some(40), &[shipment(5, 3)], &[]);
        daemon.unpinned(&[DatabaseId(3)]);
        let inspected = daemon.into_inspected("peer".to_owned());
        assert_eq!((inspected.lost, inspected.pins.len(), inspected.pins[1].2), (vec![], 2, 10));
    }
}
