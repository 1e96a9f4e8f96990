use crate::{DatabaseId, Hash};
use std::collections::HashMap;

/// The entries that were read so far: what later ones may follow. Half of a hash stands for it: 128 bits that nobody
/// finds a second entry for.
#[derive(Debug, Default)]
pub(super) struct Ancestors {
    entries: HashMap<[u8; 16], Mark>,
}

/// Database and time in 12 bytes.
#[derive(Debug, Clone, Copy)]
struct Mark {
    database: u32,
    time: [u32; 2],
}

impl Ancestors {
    /// False if it is there already.
    pub(super) fn insert(&mut self, hash: &Hash, database: DatabaseId, time: u64) -> bool {
        let mark = Mark { database: database.0, time: [(time >> 32) as u32, time as u32] };
        self.entries.insert(half(hash), mark).is_none()
    }

    /// Forgets those of a database.
    pub(super) fn forget(&mut self, database: DatabaseId) {
        self.entries.retain(|_, mark| mark.database != database.0);
    }

    /// The time of an entry of this database.
    pub(super) fn time(&self, hash: &Hash, database: DatabaseId) -> Option<u64> {
        let mark = self.entries.get(&half(hash)).filter(|mark| mark.database == database.0)?;
        Some(u64::from(mark.time[0]) << 32 | u64::from(mark.time[1]))
    }
}

fn half(hash: &Hash) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.digest()[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_by_database() {
        let mut ancestors = Ancestors::default();
        let (hash, time) = (Hash::of(b"x"), (1 << 52) + 7);
        assert!(ancestors.insert(&hash, DatabaseId(3), time));
        assert_eq!(ancestors.time(&hash, DatabaseId(3)), Some(time));
        assert_eq!(ancestors.time(&hash, DatabaseId(4)), None);
        assert_eq!(ancestors.time(&Hash::of(b"y"), DatabaseId(3)), None);
        assert!(!ancestors.insert(&hash, DatabaseId(3), time));
    }

    #[test]
    fn an_entry_takes_less_than_thirty_bytes_of_the_table() {
        assert_eq!(size_of::<([u8; 16], Mark)>(), 28);
    }
}
