//! A small application of the store, whose operations are a letter and its arguments.
use std::{path::Path, sync::Arc, time::Duration};

use cid::multihash::Multihash;
use debros_ipfs::{
    Apply, ApplyError, Cid, CommitError, Durability, Group, Position, ReadState, Snapshot, Store, StoreOptions, Table,
};
use sha2::{Digest, Sha256};

pub(crate) const ROWS: Table = Table("rows");
pub(crate) const BLOCKS: Table = Table("blocks");
pub(crate) const COUNTS: Table = Table("counts");

#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) version: u8,
}

impl Apply for Ledger {
    fn fingerprint(&self) -> Vec<u8> {
        vec![b'l', self.version]
    }

    fn apply(&self, op: &[u8], group: &mut Group<'_>) -> Result<(), ApplyError> {
        let (letter, rest) = op.split_first().ok_or_else(|| ApplyError::refused("an empty operation"))?;
        match letter {
            b'p' => {
                let (key, value) = rest[1..].split_at(usize::from(rest[0]));
                group.put(ROWS, key.to_vec(), value.to_vec());
            }
            b'd' => group.delete(ROWS, rest.to_vec()),
            b'b' => {
                let index = u32::from_be_bytes(rest[..4].try_into().map_err(ApplyError::refused)?);
                // only blocks that are forgotten since are taken out
                if group.gone_block(index).is_some() {
                    return Ok(());
                }
                let (cid, data, position) =
                    group.group_block(index).ok_or_else(|| ApplyError::refused("no such block in the group"))?;
                let value = [&position.to_bytes()[..], &cid.to_bytes(), &[data.len() as u8]].concat();
                group.put(BLOCKS, rest[4..].to_vec(), value);
            }
            // what it reads is there, or was taken out
            b'r' => {
                let rows: Vec<_> = group.scan(BLOCKS, b"", None, false).collect::<Result<_, _>>()?;
                for (_, value) in rows {
                    let position =
                        Position::from_bytes(&value[..12]).ok_or_else(|| ApplyError::refused("no position"))?;
                    group.block_at(position)?;
                }
            }
            b'f' => group.delete(BLOCKS, rest.to_vec()),
            b'i' => {
                let count = count(group, rest)?;
                group.put(COUNTS, rest.to_vec(), (count + 1).to_be_bytes().to_vec());
            }
            // What it writes depends on rows and blocks that others left.
            b's' => {
                let mut hash = Sha256::new();
                for row in group.scan(ROWS, b"", None, true) {
                    let (key, value) = row?;
                    hash.update(&key);
                    hash.update(&value);
                }
                let cid = block(rest).0;
                if let Some((position, data)) = group.block(&cid)? {
                    assert_eq!(data, rest);
                    hash.update(position.to_bytes());
                }
                let version = self.version;
                group.put(COUNTS, b"sum".to_vec(), [&hash.finalize()[..], &[version]].concat());
            }
            b'j' => group.journal(b"iinner".to_vec())?,
            b'a' => {
                let (cid, data) = block(b"from apply");
                group.add_block(cid, data);
            }
            b'c' => group.put(Table("\u{1}meta"), b"end".to_vec(), vec![]),
            b'!' => panic!("the ledger panicked"),
            _ => return Err(ApplyError::refused(format!("no such operation: {}", op.escape_ascii()))),
        }
        Ok(())
    }
}

pub(crate) fn count(state: &dyn ReadState, key: &[u8]) -> Result<u64, ApplyError> {
    let value = state.get(COUNTS, key)?;
    Ok(value.map_or(0, |v| u64::from_be_bytes(v.try_into().unwrap())))
}

pub(crate) fn put_op(key: &[u8], value: &[u8]) -> Vec<u8> {
    [b"p", &[key.len() as u8][..], key, value].concat()
}

pub(crate) fn block_op(index: u32, key: &[u8]) -> Vec<u8> {
    [b"b", &index.to_be_bytes()[..], key].concat()
}

pub(crate) fn block(data: &[u8]) -> (Cid, Vec<u8>) {
    let hash = Multihash::wrap(0x12, &Sha256::digest(data)).unwrap();
    (Cid::new_v1(0x71, hash), data.to_vec())
}

/// A job that stores a block under a key and says what was stored.
pub(crate) fn store_block(group: &mut Group<'_>, key: &[u8], data: &[u8]) -> Result<Position, ApplyError> {
    let (cid, data) = block(data);
    let index = group.add_block(cid, data);
    group.journal(block_op(index, key))?;
    Ok(group.group_block(index).unwrap().2)
}

/// Where `BLOCKS` says that a block lies.
pub(crate) fn position_of(state: &dyn ReadState, key: &[u8]) -> Option<Position> {
    state.get(BLOCKS, key).unwrap().map(|value| Position::from_bytes(&value[..12]).unwrap())
}

/// Checkpoints only at close: the state file stays as it was opened.
pub(crate) fn no_checkpoints() -> StoreOptions {
    let mut options = StoreOptions::default();
    options.checkpoint_bytes = 1 << 40;
    options.checkpoint_idle = Duration::from_secs(3600);
    options
}

/// Small segments, and a checkpoint after almost every write.
pub(crate) fn small() -> StoreOptions {
    let mut options = StoreOptions::default();
    options.segment_size = 1500;
    options.checkpoint_bytes = 300;
    options
}

pub(crate) fn open(dir: &Path, options: StoreOptions) -> Store {
    Store::open(dir, options, Arc::new(Ledger::default())).unwrap()
}

pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn journal(store: &Store, ops: &[Vec<u8>]) -> Result<(), CommitError<ApplyError>> {
    let ops = ops.to_vec();
    wait(store.commit(Durability::Local, move |group| ops.into_iter().try_for_each(|op| group.journal(op))))
}

pub(crate) fn put(store: &Store, key: &str, value: &str) {
    journal(store, &[put_op(key.as_bytes(), value.as_bytes())]).unwrap();
}

pub(crate) fn get(store: &Store, key: &str) -> Option<String> {
    let value = store.snapshot().unwrap().get(ROWS, key.as_bytes()).unwrap();
    value.map(|value| String::from_utf8(value).unwrap())
}

pub(crate) fn rows(snapshot: &Snapshot) -> Vec<(String, String)> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    snapshot.scan(ROWS, b"", None, false).map(|row| row.map(|(k, v)| (text(k), text(v))).unwrap()).collect()
}

pub(crate) fn assert_clean(store: &Store) {
    let report = store.verify().unwrap();
    assert!(report.is_clean(), "{report}");
}

/// In memory, where the system has a place for that: most tests ask what is in the files, not how it gets to the disk.
pub(crate) fn temporary() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

/// Copies a data folder that nobody holds.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
