//! Reading groups as they were committed, across segments and openings.

use debros_ipfs::{Durability, Place, ReadState, StoreOptions};

use crate::ledger::*;

fn small_segments() -> StoreOptions {
    let mut options = StoreOptions::default();
    options.segment_size = 2_000;
    options
}

#[test]
fn groups_are_read_in_order_from_any_place_across_segments() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small_segments());
    for i in 0..30u8 {
        wait(store.commit(Durability::Local, move |group| store_block(group, &[i], &[i; 300]))).unwrap();
    }
    let snapshot = store.snapshot().unwrap();
    let all: Vec<_> = snapshot.groups(None).map(Result::unwrap).collect();
    assert_eq!(all.len(), 30);
    for (i, group) in (0..30u8).zip(&all) {
        let (cid, data, position) = group.block(0).unwrap();
        assert_eq!((*cid, data), (block(&[i; 300]).0, [i; 300].as_slice()));
        assert_eq!((group.block_count(), group.ops()), (1, [block_op(0, &[i])].as_slice()));
        assert_eq!(snapshot.block_at(position).unwrap(), data);
    }
    assert!(all[29].block(0).unwrap().2.segment > 3);
    assert_eq!(all[29].end(), snapshot.end());
    // from each place, after the folder was opened again; the places come back from bytes
    wait(store.close()).unwrap();
    drop((store, snapshot));
    let store = open(dir.path(), small_segments());
    let snapshot = store.snapshot().unwrap();
    for (at, group) in all.iter().enumerate() {
        let place = Place::from_bytes(&group.end().to_bytes()).unwrap();
        assert_eq!(snapshot.groups(Some(place)).map(Result::unwrap).count(), 29 - at);
    }
    assert_eq!(snapshot.bytes_behind(Some(snapshot.end())).unwrap(), 0);
    let halves = snapshot.bytes_behind(None).unwrap() - snapshot.bytes_behind(Some(all[14].end())).unwrap();
    assert!(halves > 15 * 300 && halves < snapshot.bytes_behind(None).unwrap());
}

#[test]
fn a_snapshot_gives_its_own_groups_and_none_that_came_later() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small_segments());
    let mut commits = store.commits();
    assert_eq!(*commits.borrow_and_update(), 0);
    wait(store.commit(Durability::Local, |group| store_block(group, b"a", b"a"))).unwrap();
    let snapshot = store.snapshot().unwrap();
    wait(store.commit(Durability::Local, |group| store_block(group, b"b", b"b"))).unwrap();
    assert_eq!(snapshot.groups(None).count(), 1);
    assert_eq!(store.snapshot().unwrap().groups(Some(snapshot.end())).count(), 1);
    assert!(commits.has_changed().unwrap());
    assert_eq!(*commits.borrow_and_update(), 2);
    // whoever waits for a commit learns that there will be none
    wait(store.close()).unwrap();
    assert!(commits.has_changed().unwrap() && *commits.borrow() == 2);
}

#[test]
fn a_damaged_group_is_an_error_that_names_the_place_and_ends_the_reading() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small_segments());
    for i in 0..3u8 {
        wait(store.commit(Durability::Local, move |group| store_block(group, &[i], &[i; 300]))).unwrap();
    }
    let position = position_of(&store.snapshot().unwrap(), &[1]).unwrap();
    let file = dir.path().join("segments/0000000001.car");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[position.offset as usize + 7] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let mut groups = store.snapshot().unwrap().groups(None);
    assert!(groups.next().unwrap().is_ok());
    let error = groups.next().unwrap().unwrap_err();
    assert!(error.to_string().contains("0000000001.car"), "{error}");
    assert!(groups.next().is_none());
}

#[test]
fn the_tag_of_a_store_stays_and_is_no_other_ones() {
    let (dir, other) = (temporary().unwrap(), temporary().unwrap());
    let tag = open(dir.path(), small_segments()).tag();
    assert_eq!(open(dir.path(), small_segments()).tag(), tag);
    assert_ne!(open(other.path(), small_segments()).tag(), tag);
}
