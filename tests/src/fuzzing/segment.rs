//! Segment files.

use debros_ipfs::{
    Apply, ApplyError, Cid, Durability, FolderItem, FolderReader, Group, OpenError, Store, StoreOptions, Table,
};
use debros_orbit::Hash;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex, PoisonError},
};
use tempfile::TempDir;

/// A folder whose segment is replaced again and again, and the segment that it had.
struct Scene {
    folder: TempDir,
    original: Vec<u8>,
    lock: Vec<u8>,
}

static SCENE: LazyLock<Mutex<Scene>> = LazyLock::new(|| Mutex::new(Scene::new()));
/// Of the first byte: the file has no header but this one; the machine went down since; the folder is opened to write, too,
/// which takes longer.
const WITHOUT_HEADER: u8 = 1;
const POWER_CUT: u8 = 2;
const OPENED: u8 = 12;

/// Remembers the operations.
struct Remember;

impl Apply for Remember {
    fn fingerprint(&self) -> Vec<u8> {
        b"remember".to_vec()
    }

    fn apply(&self, op: &[u8], group: &mut Group<'_>) -> Result<(), ApplyError> {
        group.put(Table("ops"), op.to_vec(), Vec::new());
        Ok(())
    }
}

fn open(folder: &Path) -> Result<Store, OpenError> {
    Store::open(folder, StoreOptions::default(), Arc::new(Remember))
}

fn block(data: &[u8]) -> (Cid, Vec<u8>) {
    (Hash::of(data).cid(), data.to_vec())
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder");
        let store = open(folder.path()).expect("it opens");
        for number in 0..6u8 {
            let write = store.commit(Durability::Buffered, move |group| {
                for part in 0..number % 3 {
                    let (cid, data) = block(&[number, part, 7, 7, 7, 7, 7, 7]);
                    group.add_block(cid, data);
                }
                group.journal(vec![number; 1 + usize::from(number)])
            });
            futures::executor::block_on(write).expect("it is written");
        }
        drop(store);
        let original = fs::read(segment(folder.path())).expect("a segment");
        let lock = fs::read(folder.path().join("LOCK")).expect("a lock file");
        Scene { folder, original, lock }
    }
}

fn segment(folder: &Path) -> PathBuf {
    folder.join("segments/0000000001.car")
}

/// The length of a segment's header: most of what is interesting lies behind it.
const HEADER: usize = 58;

pub(super) fn corpus() -> Vec<Vec<u8>> {
    let scene = SCENE.lock().unwrap_or_else(PoisonError::into_inner);
    let whole = &scene.original[HEADER..];
    let mut corpus = Vec::new();
    for how in [0, POWER_CUT, OPENED, OPENED | POWER_CUT] {
        corpus.push([&[how | WITHOUT_HEADER][..], &scene.original].concat());
        corpus.extend((1..=6).map(|n| [&[how][..], &whole[..whole.len() * n / 6]].concat()));
    }
    corpus
}

/// Reading a folder ends, gives the same twice, and nothing that is not there; opening it gives an error or a store that
/// is clean.
pub(super) fn check(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let scene = SCENE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = scene.folder.path();
    let header = if how & WITHOUT_HEADER == 0 { &scene.original[..HEADER] } else { &[] };
    let file = [header, bytes].concat();
    let _ = fs::remove_file(folder.join("state.redb"));
    fs::write(segment(folder), &file).expect("it can be written");
    let lock = String::from_utf8_lossy(&scene.lock).into_owned();
    // the name of the machine's run has hyphens
    let lock = if how & POWER_CUT == 0 { lock } else { lock.replace('-', "_") };
    fs::write(folder.join("LOCK"), lock).expect("it can be written");

    let read = || {
        let reader = FolderReader::open(folder).expect("it is a data folder");
        let (mut groups, mut others, mut bytes) = (0, 0, 0);
        for item in reader.items() {
            match item {
                FolderItem::Group(group) => {
                    for index in 0..group.block_count() {
                        let (cid, data, _) = group.block(index).expect("it is counted");
                        assert!(cid.hash().code() != 0x12 || *cid.hash().digest() == *Hash::of(data).digest());
                        bytes += data.len();
                    }
                    bytes += group.ops().iter().map(Vec::len).sum::<usize>();
                    groups += 1;
                }
                FolderItem::Damage(_) | FolderItem::Unfinished(_) => others += 1,
            }
        }
        assert!(bytes <= file.len());
        (groups, others, bytes)
    };
    let (groups, others, content) = read();
    assert_eq!(read(), (groups, others, content));
    if how & OPENED != OPENED {
        return;
    }
    match open(folder) {
        Ok(store) => {
            let report = store.verify().expect("verify runs");
            assert!(report.is_clean(), "{report}");
            assert!(report.groups <= groups as u64);
        }
        Err(OpenError::Damaged(_)) => {
            assert!(others > 0, "who reads it finds the damage, too");
            assert_eq!(fs::read(segment(folder)).expect("it is there"), file, "nothing is cut");
        }
        Err(other) => panic!("{other}"),
    }
}
