//! [`Others`]: who writes beside the node that is killed, and what they have written.

use crate::random::Random;
use debros_core::{Map, Value};
use debros_orbit::{AccessSpec, Address, DatabaseSpec, Entry, Hash, Identity, Payload, SigningKey};

/// Entries of one chapter of what others write.
pub(crate) const CHAPTER: usize = 60;

/// Who writes beside the node that is killed, and what they have written. Parent and child make the same.
pub(crate) struct Others {
    /// Writes on the node itself, and says who else may write.
    pub(crate) admin: Identity,
    /// Who may write while the admin lets them.
    pub(crate) writers: Vec<Identity>,
    /// May never write.
    pub(crate) mallory: Identity,
    /// The database.
    pub(crate) spec: DatabaseSpec,
    /// Its log.
    log: Address,
    /// The log of the rights.
    rights: Address,
}

impl Others {
    pub(crate) fn new() -> Others {
        let key = |n| SigningKey::from_bytes(&[n; 32]).expect("a key");
        let identity = |n| Identity::new(&key(n), key(100 + n));
        let admin = identity(1);
        let spec = DatabaseSpec::documents("data", [""; 0]).with_access(AccessSpec::orbitdb("rights", [admin.id()]));
        let log = spec.address().expect("an address");
        let rights = spec.access.controller().expect("a controller").address().expect("an address");
        Others { admin, writers: (2..5).map(identity).collect(), mallory: identity(5), spec, log, rights }
    }

    /// The identities, as they are sent.
    pub(crate) fn identities(&self) -> Vec<Vec<u8>> {
        let everybody = self.writers.iter().chain([&self.mallory, &self.admin]);
        everybody.map(|identity| identity.bytes().to_vec()).collect()
    }

    /// What they write in one chapter: a graph of entries, in causal order. Some are by one who may not write, some are
    /// forged.
    pub(crate) fn chapter(&self, number: u64) -> Vec<Vec<u8>> {
        let mut random = Random::new(number);
        let mut made: Vec<(Hash, u64, Vec<u8>)> = Vec::new();
        for n in 0..CHAPTER {
            let mut follows: Vec<usize> = (0..random.below(3))
                .filter(|_| n > 0)
                .map(|_| n - 1 - random.below(n.min(6) as u64) as usize)
                .collect();
            follows.sort_unstable();
            follows.dedup();
            let next: Vec<Hash> = follows.iter().map(|&at| made[at].0).collect();
            let time = follows.iter().map(|&at| made[at].1).max().unwrap_or(0) + 1;
            let by = match random.below(10) {
                0 => &self.mallory,
                n => &self.writers[n as usize % 3],
            };
            let id = format!("theirs {}", random.below(20));
            let fields = [("_id", Value::from(id.as_str())), ("text", format!("{number}.{n} ").repeat(20).into())];
            let payload = Payload::put(id.as_str().into(), Map::from_iter(fields).into()).into_value();
            let entry = Entry::create(by, self.log, payload, &next, &[], time).expect("an entry");
            let mut bytes = entry.into_bytes();
            if random.below(12) == 0 {
                // another digit of the signature, which stays a well-formed text
                let at = 41 + bytes.windows(3).position(|window| window == b"sig").expect("a signature");
                bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            }
            made.push((Hash::of(&bytes), time, bytes));
        }
        made.into_iter().map(|(_, _, bytes)| bytes).collect()
    }

    /// The admin lets the writers in, one after the other, on another device: entries of the log of rights.
    pub(crate) fn grants(&self) -> Vec<Vec<u8>> {
        let root = SigningKey::from_bytes(&[1; 32]).expect("a key");
        let elsewhere = Identity::new(&root, SigningKey::from_bytes(&[99; 32]).expect("a key"));
        let (mut granted, mut next, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for (time, writer) in (1..).zip(&self.writers) {
            granted.push(Value::from(writer.id()));
            let payload = Payload::put("write".into(), granted.clone().into()).into_value();
            let entry = Entry::create(&elsewhere, self.rights, payload, &next, &[], time).expect("an entry");
            next = vec![entry.hash()];
            entries.push(entry.into_bytes());
        }
        entries.push(elsewhere.bytes().to_vec());
        entries
    }
}
