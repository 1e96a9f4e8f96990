//! Reading a folder at rest, damaged or not, without changing it.
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use debros_ipfs::{Damage, Durability, FolderItem, FolderReader, FolderState, OpenError, StoreOptions, Unfinished};

use crate::ledger::*;

/// A closed store of ten groups in several segments, each with one block.
fn ten_groups(dir: &Path) {
    let store = open(dir, small_segments());
    for i in 0..10u8 {
        wait(store.commit(Durability::Local, move |group| store_block(group, &[i], &[i; 300]))).unwrap();
    }
    wait(store.close()).unwrap();
    drop(store);
    assert!(segment(dir, 2).exists() && segment(dir, 3).exists());
}

fn small_segments() -> StoreOptions {
    let mut options = no_checkpoints();
    options.segment_size = 1_500;
    options
}

fn segment(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("segments/{number:010}.car"))
}

/// The blocks that were read, by their first byte, the damage, and what was unfinished.
fn read(dir: &Path) -> (Vec<u8>, Vec<Damage>, Vec<Unfinished>) {
    let folder = FolderReader::open(dir).unwrap();
    let (mut blocks, mut damage, mut unfinished) = (Vec::new(), Vec::new(), Vec::new());
    for item in folder.items() {
        match item {
            FolderItem::Group(group) => {
                let (cid, data, _) = group.block(0).unwrap();
                assert_eq!(*cid, block(data).0);
                assert_eq!(group.ops(), [block_op(0, &data[..1])]);
                blocks.push(data[0]);
            }
            FolderItem::Damage(found) => damage.push(found),
            FolderItem::Unfinished(found) => unfinished.push(found),
        }
    }
    (blocks, damage, unfinished)
}

/// Every file but the lock.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if !path.ends_with("LOCK") {
            all.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    all
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, bytes: u64) {
    let len = fs::metadata(path).unwrap().len();
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(len - bytes).unwrap();
}

#[test]
fn everything_is_read_in_order_and_nothing_is_changed() {
    let dir = temporary().unwrap();
    ten_groups(dir.path());
    let before = files(dir.path());
    assert_eq!(read(dir.path()), ((0..10).collect(), vec![], vec![]));
    assert_eq!(files(dir.path()), before);
    let folder = FolderReader::open(dir.path()).unwrap();
    assert_eq!(folder.state(), FolderState::Present);
    let sizes = folder.sizes().unwrap();
    let sum = |end: &str| -> u64 {
        before
            .iter()
            .filter(|(path, _)| path.to_str().unwrap().ends_with(end))
            .map(|(_, bytes)| bytes.len() as u64)
            .sum()
    };
    assert_eq!((sizes.segments, sizes.indexes, sizes.state), (sum(".car"), sum(".index"), sum("state.redb")));
    assert!(sizes.segments > 3_000 && sizes.indexes > 0 && sizes.state > 0 && sizes.set_aside.is_empty());
}

#[test]
fn a_folder_in_use_names_its_holder_and_a_reader_keeps_others_out() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    let error = FolderReader::open(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::Locked { holder: Some(_), .. }));
    assert!(error.to_string().contains("this process itself"), "{error}");
    drop(store);
    let reader = FolderReader::open(dir.path()).unwrap();
    assert!(FolderReader::open(dir.path()).is_err());
    drop(reader);
    open(dir.path(), no_checkpoints());
}

#[test]
fn what_is_no_data_folder_is_told_and_left_as_it_is() {
    let dir = temporary().unwrap();
    fs::write(dir.path().join("letter.txt"), "x").unwrap();
    let error = FolderReader::open(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::NoFormat { .. }), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    for path in [dir.path().join("missing"), dir.path().join("letter.txt")] {
        let error = FolderReader::open(&path).unwrap_err();
        assert!(matches!(error, OpenError::Disk(_)) && error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert!(!dir.path().join("missing").exists());
    }
    fs::write(dir.path().join("format"), "2\nx\n").unwrap();
    assert!(matches!(FolderReader::open(dir.path()).unwrap_err(), OpenError::NewerFormat { found: 2, .. }));
    assert!(!dir.path().join("LOCK").exists());
}

/// Every byte of every segment: the damage is named with its place, and at most one group is lost (two where the record
/// that ends one is what is broken).
#[test]
fn a_flipped_byte_is_damage_with_its_place_and_the_rest_is_read() {
    let dir = temporary().unwrap();
    ten_groups(dir.path());
    for number in 1..=3 {
        let path = segment(dir.path(), number);
        let len = fs::metadata(&path).unwrap().len() as usize;
        for at in 0..len {
            flip(&path, at);
            let (blocks, damage, unfinished) = read(dir.path());
            assert_eq!(unfinished, [], "segment {number}, byte {at}");
            assert_eq!(damage[0].file, path, "segment {number}, byte {at}: {damage:?}");
            let place = damage[0].offset;
            assert!(place <= at as u64 && at as u64 - place < 620, "segment {number}, byte {at}: {damage:?}");
            assert_eq!(damage.len(), 1, "segment {number}, byte {at}: {damage:?}");
            assert!(blocks.len() >= 8 && blocks.is_sorted(), "segment {number}, byte {at}: {blocks:?}");
            flip(&path, at);
        }
    }
}

#[test]
fn a_cut_tail_is_damage_where_the_state_knows_more_and_an_interrupted_write_where_not() {
    let dir = temporary().unwrap();
    ten_groups(dir.path());
    let store = open(dir.path(), small_segments());
    for i in 10..12u8 {
        wait(store.commit(Durability::Local, move |group| store_block(group, &[i], &[i; 300]))).unwrap();
    }
    // without the last checkpoint, as after a kill: the state file is that of before
    let killed = dir.path().join("killed");
    let state = fs::read(dir.path().join("state.redb")).unwrap();
    wait(store.close()).unwrap();
    drop(store);
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).unwrap();
    for to in [&killed, &closed] {
        copy(&dir.path().join("segments"), &to.join("segments"));
        for name in ["format", "LOCK", "state.redb"] {
            fs::copy(dir.path().join(name), to.join(name)).unwrap();
        }
    }
    fs::write(killed.join("state.redb"), state).unwrap();
    let last = (1..).take_while(|number| segment(&closed, *number).exists()).last().unwrap();
    for bytes in [1, 50, 300] {
        cut(&segment(&closed, last), bytes);
        let (blocks, damage, unfinished) = read(&closed);
        assert_eq!((blocks.len(), damage.len(), unfinished.len()), (11, 1, 0), "{damage:?} {unfinished:?}");
        assert_eq!(damage[0].file, segment(&closed, last));
        cut(&segment(&killed, last), bytes);
        let (blocks, damage, unfinished) = read(&killed);
        assert_eq!((blocks.len(), damage.len(), unfinished.len()), (11, 0, 1), "{damage:?}");
        let text = unfinished[0].to_string();
        assert!(text.contains("interrupted write") && text.contains("cuts them off"), "{text}");
        assert_eq!(unfinished[0].offset + unfinished[0].bytes, fs::metadata(segment(&killed, last)).unwrap().len());
    }
    // opening does what was said
    let (_, _, unfinished) = read(&killed);
    let store = open(&killed, small_segments());
    assert_eq!(store.recovery().cut, unfinished[0].bytes);
    // exactly between two groups nothing is broken, but something is missing
    let (_, damage, _) = read(&closed);
    let len = fs::metadata(segment(&closed, last)).unwrap().len();
    let end = unfinished[0].offset;
    cut(&segment(&closed, last), len - end);
    let (blocks, missing, _) = read(&closed);
    assert_eq!((blocks.len(), missing.len()), (11, 1), "{missing:?} after {damage:?}");
    assert!(missing[0].what.contains("the state was made from the first"), "{missing:?}");
}

#[test]
fn missing_swapped_and_emptied_segments_are_damage_and_the_others_are_read() {
    let dir = temporary().unwrap();
    ten_groups(dir.path());
    let all = files(dir.path());
    let in_second = {
        fs::remove_file(segment(dir.path(), 2)).unwrap();
        let (blocks, damage, _) = read(dir.path());
        assert_eq!(damage.len(), 1, "{damage:?}");
        assert!(
            damage[0].file.ends_with("segments/0000000002.car") && damage[0].what.contains("missing"),
            "{damage:?}"
        );
        10 - blocks.len()
    };
    assert!(in_second > 1);
    for content in [&b""[..], b"short", &[0; 5_000]] {
        fs::write(segment(dir.path(), 2), content).unwrap();
        let (blocks, damage, _) = read(dir.path());
        assert_eq!(blocks.len(), 10 - in_second);
        assert!(damage.iter().all(|damage| damage.file == segment(dir.path(), 2)), "{damage:?}");
        assert!(!damage.is_empty());
    }
    // longer than any: a hole in the file takes no space
    let file = fs::OpenOptions::new().write(true).open(segment(dir.path(), 2)).unwrap();
    file.set_len(5 << 30).unwrap();
    let (blocks, damage, _) = read(dir.path());
    assert!(blocks.len() == 10 - in_second && damage[0].what.contains("4 GiB"), "{damage:?}");
    // the third in the place of the second is none of it
    fs::write(segment(dir.path(), 2), &all[&segment(dir.path(), 3)]).unwrap();
    let (_, damage, _) = read(dir.path());
    assert!(damage[0].file == segment(dir.path(), 2) && damage[0].what.contains("header of segment 2"), "{damage:?}");
}

#[test]
fn an_index_that_does_not_agree_is_damage_and_a_missing_one_or_a_missing_state_is_not() {
    let dir = temporary().unwrap();
    ten_groups(dir.path());
    let index = dir.path().join("segments/0000000001.index");
    flip(&index, 1_100);
    let (blocks, damage, _) = read(dir.path());
    assert_eq!((blocks.len(), damage.len(), &damage[0].file), (10, 1, &index));
    fs::remove_file(&index).unwrap();
    fs::remove_file(dir.path().join("state.redb")).unwrap();
    assert_eq!(read(dir.path()), ((0..10).collect(), vec![], vec![]));
    assert_eq!(FolderReader::open(dir.path()).unwrap().state(), FolderState::Missing);
    fs::write(dir.path().join("state.redb"), [7; 10_000]).unwrap();
    assert_eq!(FolderReader::open(dir.path()).unwrap().state(), FolderState::Unusable);
    assert_eq!(read(dir.path()).1, []);
}
