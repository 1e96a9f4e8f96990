use crate::{
    DatabaseId, Hash,
    state::{FieldReader, Fields},
};

/// Blocks of one database that a daemon holds, pinned by one root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shipment {
    pub(crate) database: DatabaseId,
    /// Counts the shipments to a daemon; part of the name of the pin.
    pub(crate) number: u64,
    /// How often it was merged out of others.
    pub(crate) level: u8,
    /// The number of the first group that is in it: shipments sort by it as the log does.
    pub(crate) first: u64,
    pub(crate) root: Hash,
    /// Levels of lists below the root.
    pub(crate) depth: u8,
    /// Blocks below the root, without the lists.
    pub(crate) blocks: u64,
}

impl Shipment {
    /// The row of state under its number.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let row = Fields::with_capacity(48).number(self.database.0.into()).byte(self.level).byte(self.depth);
        row.number(self.first).number(self.blocks).bytes(self.root.digest()).finish()
    }

    pub(crate) fn from_bytes(number: u64, row: &[u8]) -> Option<Shipment> {
        let mut row = FieldReader::new(row);
        let database = DatabaseId(row.number32()?);
        let (level, depth, first, blocks) = (row.byte()?, row.byte()?, row.number()?, row.number()?);
        Some(Shipment { database, number, level, first, depth, blocks, root: Hash::from_digest(row.array()?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_survive() {
        let (database, root) = (DatabaseId(70_000), Hash::of(b"x"));
        let shipment = Shipment { database, number: 3, level: 2, first: 1 << 33, root, depth: 1, blocks: 1 << 40 };
        assert_eq!(Shipment::from_bytes(3, &shipment.to_bytes()), Some(shipment));
        assert_eq!(Shipment::from_bytes(3, &[1]), None);
    }
}
