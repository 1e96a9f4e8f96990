use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use debros_ipfs::{Damage, Durability, OpenError, ReadState, Store, StoreError, StoreOptions};

use crate::ledger::*;

/// A store of a few groups whose state file knows none of them, and the length of the segment after each.
fn unsaved(dir: &Path, groups: u8, durability: Durability) -> Vec<u64> {
    let store = open(dir, no_checkpoints());
    let mut lengths = vec![segment_len(dir)];
    for i in 0..groups {
        wait(store.commit(durability, move |group| {
            group.journal(put_op(&[b'a' + i], &[b'0' + i; 10]))?;
            store_block(group, &[i], &[i; 60])?;
            store_block(group, &[i, i], &[i; 7])
        }))
        .unwrap();
        lengths.push(segment_len(dir));
    }
    drop(store);
    lengths
}

fn segment(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("segments/{number:010}.car"))
}

fn segment_len(dir: &Path) -> u64 {
    fs::metadata(segment(dir, 1)).unwrap().len()
}

fn try_open(dir: &Path, options: StoreOptions) -> Result<Store, OpenError> {
    Store::open(dir, options, Arc::new(Ledger::default()))
}

/// As if the machine had gone down since the folder was last open.
fn power_cut(dir: &Path) {
    let lock = fs::read_to_string(dir.join("LOCK")).unwrap();
    let lines: Vec<_> = lock.lines().collect();
    fs::write(dir.join("LOCK"), format!("{}\nanother run of the machine\n{}\n", lines[0], lines[2])).unwrap();
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

fn damaged(result: Result<Store, OpenError>) -> Damage {
    match result {
        Err(OpenError::Damaged(damage)) => damage,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the damage was not noticed"),
    }
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_and_nothing_else_is_lost() {
    let dir = temporary().unwrap();
    let original = dir.path().join("original");
    let lengths = unsaved(&original, 3, Durability::Local);
    let whole = fs::read(segment(&original, 1)).unwrap();
    let (before, len) = (lengths[2], lengths[3]);
    for cut in before..len {
        for power_cut_too in [false, true] {
            let folder = dir.path().join(format!("{cut}-{power_cut_too}"));
            copy(&original, &folder);
            fs::write(segment(&folder, 1), &whole[..cut as usize]).unwrap();
            if power_cut_too {
                power_cut(&folder);
            }
            let store = open(&folder, no_checkpoints());
            assert_eq!((store.recovery().cut, store.recovery().replayed), (cut - before, 2));
            assert_eq!(store.recovery().set_aside, None);
            let snapshot = store.snapshot().unwrap();
            assert_eq!(rows(&snapshot).len(), 2);
            assert!(position_of(&snapshot, &[2]).is_none());
            wait(store.commit(Durability::Local, |group| store_block(group, b"new", b"after the cut"))).unwrap();
            assert_clean(&store);
            drop(store);
            let store = open(&folder, no_checkpoints());
            assert_eq!((store.recovery().cut, store.recovery().replayed), (0, 3));
            fs::remove_dir_all(&folder).unwrap();
        }
    }
}

#[test]
fn zeros_behind_the_last_group_are_a_torn_tail() {
    let dir = temporary().unwrap();
    let lengths = unsaved(dir.path(), 2, Durability::Local);
    let mut bytes = fs::read(segment(dir.path(), 1)).unwrap();
    bytes.resize(bytes.len() + 5000, 0);
    fs::write(segment(dir.path(), 1), bytes).unwrap();
    let store = open(dir.path(), no_checkpoints());
    assert_eq!(store.recovery().cut, 5000);
    assert_eq!(segment_len(dir.path()), lengths[2]);
    assert_clean(&store);
}

#[test]
fn a_segment_whose_creation_was_interrupted_is_created_again() {
    let dir = temporary().unwrap();
    let original = dir.path().join("original");
    drop(open(&original, no_checkpoints()));
    for content in [vec![], vec![0x39], vec![0; 58]] {
        let folder = dir.path().join(content.len().to_string());
        copy(&original, &folder);
        fs::write(segment(&folder, 1), &content).unwrap();
        let store = open(&folder, no_checkpoints());
        put(&store, "a", "1");
        assert_clean(&store);
    }
    // The same of a later one.
    let folder = dir.path().join("later");
    let mut options = small();
    options.segment_size = 200;
    let store = open(&folder, options.clone());
    put(&store, "a", &"1".repeat(200));
    wait(store.close()).unwrap();
    fs::write(segment(&folder, 2), [0x39, 0xa2]).unwrap();
    let store = open(&folder, options);
    put(&store, "b", "2");
    assert!(segment(&folder, 2).metadata().unwrap().len() > 100);
    assert_clean(&store);
}

/// Every byte of the groups that the state file does not know yet.
#[test]
fn a_flipped_byte_that_must_be_replayed_is_damage_and_nothing_is_cut() {
    let dir = temporary().unwrap();
    let original = dir.path().join("original");
    let lengths = unsaved(&original, 3, Durability::Local);
    let whole = fs::read(segment(&original, 1)).unwrap();
    for at in 0..whole.len() {
        let folder = dir.path().join(at.to_string());
        copy(&original, &folder);
        flip(&segment(&folder, 1), at);
        let group = lengths.partition_point(|len| *len <= at as u64);
        // A broken record at the very end has nothing behind it that tells it from an interrupted write.
        match try_open(&folder, no_checkpoints()) {
            Ok(store) => {
                assert_eq!(group, 3, "byte {at}");
                assert_eq!(store.recovery().replayed, 2);
                assert_eq!(rows(&store.snapshot().unwrap()).len(), 2);
                assert_clean(&store);
            }
            Err(OpenError::Damaged(damage)) => {
                assert_eq!(damage.file, segment(&folder, 1), "byte {at}");
                assert!(damage.offset <= at as u64, "byte {at}: {damage}");
                assert!(group == 0 || damage.offset >= lengths[group - 1], "byte {at}: {damage}");
                assert_eq!(fs::read(segment(&folder, 1)).unwrap().len(), whole.len(), "nothing is cut");
            }
            Err(other) => panic!("byte {at}: {other}"),
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

/// Synced groups are damage even after a power cut; only the last group may be an interrupted write.
#[test]
fn after_a_power_cut_a_broken_group_that_was_synced_is_damage() {
    let dir = temporary().unwrap();
    let original = dir.path().join("original");
    let lengths = unsaved(&original, 3, Durability::Local);
    power_cut(&original);
    for at in lengths[0]..lengths[3] {
        let folder = dir.path().join(at.to_string());
        copy(&original, &folder);
        flip(&segment(&folder, 1), at as usize);
        match try_open(&folder, no_checkpoints()) {
            Ok(store) => {
                assert!(at >= lengths[2], "byte {at}");
                assert_eq!(rows(&store.snapshot().unwrap()).len(), 2);
            }
            Err(OpenError::Damaged(damage)) => assert!(at < lengths[2] && damage.offset <= at, "byte {at}: {damage}"),
            Err(other) => panic!("byte {at}: {other}"),
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn after_a_power_cut_unsynced_groups_behind_a_hole_are_set_aside() {
    let dir = temporary().unwrap();
    let original = dir.path().join("original");
    let lengths = unsaved(&original, 4, Durability::Buffered);
    let folder = dir.path().join("power");
    copy(&original, &folder);
    let file = segment(&folder, 1);
    let mut bytes = fs::read(&file).unwrap();
    bytes[lengths[1] as usize..lengths[1] as usize + 20].fill(0);
    fs::write(&file, &bytes).unwrap();
    copy(&folder, &dir.path().join("kill"));

    // The same machine still runs: it cannot have lost what was written.
    let damage = damaged(try_open(&dir.path().join("kill"), no_checkpoints()));
    assert_eq!(damage.offset, lengths[1]);
    assert!(damage.to_string().contains("no interrupted write"), "{damage}");

    power_cut(&folder);
    let store = open(&folder, no_checkpoints());
    let aside = store.recovery().set_aside.clone().unwrap();
    assert_eq!(fs::read(aside).unwrap(), bytes[lengths[1] as usize..]);
    assert_eq!(store.recovery().cut, lengths[4] - lengths[1]);
    assert_eq!(rows(&store.snapshot().unwrap()).len(), 1);
    put(&store, "z", "1");
    assert_clean(&store);
    drop(store);
    assert_clean(&open(&folder, no_checkpoints()));
}

#[test]
fn a_later_synced_group_proves_that_buffered_ones_were_on_the_disk() {
    let dir = temporary().unwrap();
    let lengths = unsaved(dir.path(), 3, Durability::Buffered);
    let store = open(dir.path(), no_checkpoints());
    put(&store, "x", "1");
    put(&store, "y", "2");
    drop(store);
    power_cut(dir.path());
    flip(&segment(dir.path(), 1), lengths[1] as usize + 50);
    let damage = damaged(try_open(dir.path(), no_checkpoints()));
    assert_eq!(damage.offset, lengths[1]);
}

/// Every byte of a store that was closed: it opens, the rest is readable, and verify names the place.
#[test]
fn a_flipped_byte_in_a_closed_store_is_found_by_verify_and_the_rest_stays_readable() {
    let dir = temporary().unwrap();
    let original = dir.path().join("original");
    let mut options = no_checkpoints();
    options.segment_size = 500;
    let store = open(&original, options.clone());
    for i in 0..6u8 {
        wait(store.commit(Durability::Local, move |group| {
            group.journal(put_op(&[b'a' + i], b"row"))?;
            store_block(group, &[i], &[i; 80])
        }))
        .unwrap();
    }
    wait(store.close()).unwrap();
    assert!(segment(&original, 2).exists() && original.join("segments/0000000001.index").exists());
    for number in [1, 2] {
        let len = fs::metadata(segment(&original, number)).unwrap().len() as usize;
        for at in 0..len {
            let folder = dir.path().join(format!("{number}-{at}"));
            copy(&original, &folder);
            flip(&segment(&folder, number), at);
            let store = open(&folder, options.clone());
            let report = store.verify().unwrap();
            assert!(!report.is_clean(), "segment {number}, byte {at}");
            let damage = &report.damage[0];
            assert_eq!(damage.file, segment(&folder, number));
            assert!(damage.offset <= at as u64 && at as u64 - damage.offset < 400, "byte {at}: {damage}");
            assert!(report.to_string().contains(&format!("byte {}", damage.offset)), "{report}");
            let snapshot = store.snapshot().unwrap();
            assert_eq!(rows(&snapshot).len(), 6);
            let mut broken = 0;
            for i in 0..6u8 {
                match snapshot.block_at(position_of(&snapshot, &[i]).unwrap()) {
                    Ok(data) => assert_eq!(data, [i; 80].as_slice()),
                    Err(StoreError::Damaged(damage)) => {
                        assert_eq!(damage.file, segment(&folder, number));
                        broken += 1;
                    }
                    Err(other) => panic!("{other}"),
                }
                // By its CID, a block is either right, or damage, never silently something else.
                match snapshot.block(&block(&[i; 80]).0) {
                    Ok(Some((_, data))) => assert_eq!(data, [i; 80].as_slice()),
                    Ok(None) => panic!("byte {at}: block {i} is not found"),
                    Err(StoreError::Damaged(_)) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            assert!(broken <= 1, "byte {at}");
            // Writing goes on.
            put(&store, "z", "1");
            drop(snapshot);
            drop(store);
            fs::remove_dir_all(&folder).unwrap();
        }
    }
}

#[test]
fn an_index_file_that_is_lost_or_damaged_is_made_anew() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small());
    for i in 0..30u8 {
        wait(store.commit(Durability::Local, move |group| store_block(group, &[i], &[i; 150]))).unwrap();
    }
    wait(store.close()).unwrap();
    let index = |n: u32| dir.path().join(format!("segments/{n:010}.index"));
    let good = fs::read(index(1)).unwrap();
    fs::remove_file(index(1)).unwrap();
    flip(&index(2), 1100);
    let store = open(dir.path(), small());
    let find_all = |store: &Store| {
        let snapshot = store.snapshot().unwrap();
        for i in 0..30u8 {
            assert_eq!(snapshot.block(&block(&[i; 150]).0).unwrap().unwrap().1, [i; 150].as_slice());
        }
        assert!(snapshot.block(&block(b"nowhere").0).unwrap().is_none());
    };
    find_all(&store);
    let report = store.verify().unwrap();
    assert!(report.damage.iter().any(|damage| damage.file == index(2)), "{report}");
    wait(store.close()).unwrap();
    assert_eq!(fs::read(index(1)).unwrap(), good);
    fs::remove_file(index(2)).unwrap();
    let store = open(dir.path(), small());
    find_all(&store);
    assert_clean(&store);
}

#[test]
fn a_damaged_segment_without_an_index_hides_no_other_block() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small());
    for i in 0..30u8 {
        wait(store.commit(Durability::Local, move |group| store_block(group, &[i], &[i; 150]))).unwrap();
    }
    let positions: Vec<_> = {
        let snapshot = store.snapshot().unwrap();
        (0..30u8).map(|i| position_of(&snapshot, &[i]).unwrap()).collect()
    };
    wait(store.close()).unwrap();
    // The content of one block, and the length of another.
    flip(&segment(dir.path(), positions[1].segment), positions[1].offset as usize + 7);
    flip(&segment(dir.path(), positions[10].segment), positions[10].offset as usize - 38);
    for i in [1, 10] {
        let _ = fs::remove_file(segment(dir.path(), positions[i].segment).with_extension("index"));
    }
    assert_ne!(positions[1].segment, positions[10].segment);
    let store = open(dir.path(), small());
    let snapshot = store.snapshot().unwrap();
    for (i, position) in (0..30u8).zip(&positions) {
        let found = snapshot.block(&block(&[i; 150]).0);
        match i {
            1 | 10 => assert!(matches!(found, Err(StoreError::Damaged(_))), "{i}: {found:?}"),
            _ => assert_eq!(found.unwrap().unwrap().0, *position),
        }
    }
    // What is nowhere might be what was damaged.
    assert!(matches!(snapshot.block(&block(b"nowhere").0), Err(StoreError::Damaged(_))));
}

#[test]
fn segments_that_are_missing_swapped_or_cut_short_are_damage() {
    let dir = temporary().unwrap();
    let original = dir.path().join("original");
    let store = open(&original, small());
    for i in 0..30u8 {
        wait(store.commit(Durability::Local, move |group| store_block(group, &[i], &[i; 150]))).unwrap();
    }
    wait(store.close()).unwrap();
    let last = (1..).take_while(|n| segment(&original, *n).exists()).last().unwrap();
    assert!(last > 3);

    let folder = dir.path().join("missing");
    copy(&original, &folder);
    fs::remove_file(segment(&folder, 2)).unwrap();
    assert_eq!(damaged(try_open(&folder, small())).file, segment(&folder, 2));

    let folder = dir.path().join("last missing");
    copy(&original, &folder);
    fs::remove_file(segment(&folder, last)).unwrap();
    assert_eq!(damaged(try_open(&folder, small())).file, segment(&folder, last));

    let folder = dir.path().join("short");
    copy(&original, &folder);
    let len = fs::metadata(segment(&folder, last)).unwrap().len();
    fs::OpenOptions::new().write(true).open(segment(&folder, last)).unwrap().set_len(len - 1).unwrap();
    let damage = damaged(try_open(&folder, small()));
    assert_eq!((damage.file, damage.offset), (segment(&folder, last), len - 1));

    let folder = dir.path().join("swapped");
    copy(&original, &folder);
    fs::rename(segment(&folder, 1), segment(&folder, 9999)).unwrap();
    fs::rename(segment(&folder, 2), segment(&folder, 1)).unwrap();
    fs::rename(segment(&folder, 9999), segment(&folder, 2)).unwrap();
    fs::remove_file(folder.join("state.redb")).unwrap();
    let damage = damaged(try_open(&folder, small()));
    assert_eq!((damage.file, damage.offset), (segment(&folder, 1), 0));

    // The state of another store, put over another's segments, is not taken for this one's.
    let folder = dir.path().join("foreign");
    let lengths = unsaved(&folder, 6, Durability::Local);
    fs::copy(original.join("state.redb"), folder.join("state.redb")).unwrap();
    assert!(try_open(&folder, small()).is_err());
    assert_eq!(segment_len(&folder), lengths[6], "nothing is cut");
}

#[test]
fn bytes_that_look_like_a_record_inside_a_block_change_nothing() {
    let dir = temporary().unwrap();
    let lengths = unsaved(dir.path(), 2, Durability::Local);
    // A record of this very store, as only its owner could know it, is refused.
    let bytes = fs::read(segment(dir.path(), 1)).unwrap();
    let at = bytes.windows(14).position(|w| w == b"debros-journal").unwrap() - 2;
    let record = bytes[at..lengths[1] as usize].to_vec();
    let store = open(dir.path(), no_checkpoints());
    let raw = debros_ipfs::Cid::new_v1(0x55, *block(&record).0.hash());
    let reserved = record.clone();
    let error = wait(store.commit(Durability::Local, move |group| {
        group.add_block(raw, reserved);
        Ok::<_, debros_ipfs::ApplyError>(())
    }))
    .unwrap_err();
    assert!(error.to_string().contains("reserved"), "{error}");
    // Of another store, or inside of a block, it is content like other content.
    let mut foreign = record.clone();
    foreign[20] ^= 1;
    wait(store.commit(Durability::Local, move |group| {
        group.add_block(debros_ipfs::Cid::new_v1(0x55, *block(&foreign).0.hash()), foreign);
        store_block(group, b"record", &[b"before", &record[..]].concat())
    }))
    .unwrap();
    assert_clean(&store);
    drop(store);
    assert_clean(&open(dir.path(), no_checkpoints()));
}

#[test]
fn a_folder_of_a_newer_format_is_refused() {
    let dir = temporary().unwrap();
    drop(open(dir.path(), no_checkpoints()));
    let format = fs::read_to_string(dir.path().join("format")).unwrap();
    fs::write(dir.path().join("format"), format.replacen('1', "2", 1)).unwrap();
    assert!(matches!(try_open(dir.path(), no_checkpoints()), Err(OpenError::NewerFormat { found: 2, .. })));
}
