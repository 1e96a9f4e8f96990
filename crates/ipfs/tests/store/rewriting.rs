//! Taking blocks out of segments.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    pin::pin,
    task::{Context, Waker},
};

use debros_ipfs::{
    Durability, FolderItem, FolderReader, Position, ReadState, Rewritten, Snapshot, Store, StoreError, StoreOptions,
};
use proptest::prelude::*;

use crate::ledger::*;

fn small_segments() -> StoreOptions {
    let mut options = StoreOptions::default();
    options.segment_size = 4_000;
    options.block_cache = 0;
    options
}

fn segment(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("segments/{number:010}.car"))
}

fn content(key: u16, len: usize) -> Vec<u8> {
    key.to_be_bytes().into_iter().cycle().take(len).chain(key.to_be_bytes()).collect()
}

fn key(key: u16) -> [u8; 2] {
    key.to_be_bytes()
}

/// Stores blocks under keys, in one commit.
fn fill(store: &Store, blocks: Vec<(u16, usize)>) {
    let filled = store.commit(Durability::Local, move |group| {
        blocks.iter().try_for_each(|(n, len)| store_block(group, &key(*n), &content(*n, *len)).map(drop))
    });
    wait(filled).unwrap();
}

/// What is committed next goes into another segment than what was before.
fn end_segment(store: &Store) {
    store.end_segment();
    wait(store.commit(Durability::Local, |group| group.journal(b"iended".to_vec()))).unwrap();
}

fn forget(store: &Store, keys: Vec<u16>) {
    let forgotten = store.commit(Durability::Local, move |group| {
        keys.iter().try_for_each(|n| group.journal([b"f", &key(*n)[..]].concat()))
    });
    wait(forgotten).unwrap();
}

/// Takes what no row says to be there out of all full segments.
fn rewrite(store: &Store) -> Rewritten {
    let snapshot = store.snapshot().unwrap();
    wait(store.checkpoint(&snapshot)).unwrap();
    let mut all = Rewritten::default();
    for number in store.full_segments() {
        let rewritten = wait(store.rewrite(number, |group| {
            let kept = |index: &u32| {
                group.block(*index).is_none_or(|(_, data, position)| {
                    let key = data.last_chunk::<2>().unwrap();
                    position_of(&snapshot, key) == Some(position)
                })
            };
            Ok((0..group.block_count()).filter(|index| !kept(index)).collect())
        }))
        .unwrap();
        all.blocks += rewritten.blocks;
        all.bytes += rewritten.bytes;
    }
    all
}

/// Whether these blocks are there, by every way to them, and the others by none.
fn check(snapshot: &Snapshot, there: &BTreeMap<u16, (usize, Position)>, gone: &BTreeMap<u16, (usize, Position)>) {
    for (n, (len, position)) in there {
        let data = content(*n, *len);
        assert_eq!(position_of(snapshot, &key(*n)), Some(*position));
        assert_eq!(snapshot.block_at(*position).unwrap(), data);
        assert_eq!(snapshot.block(&block(&data).0).unwrap().unwrap(), (*position, data.into()));
    }
    for (n, (len, position)) in gone {
        assert_eq!(snapshot.block(&block(&content(*n, *len)).0).unwrap(), None);
        let error = snapshot.block_at(*position).unwrap_err();
        assert!(matches!(error, StoreError::Gone { .. }), "{error}");
    }
}

fn sizes(dir: &Path) -> u64 {
    (1..).map(|number| segment(dir, number)).map_while(|path| fs::metadata(path).ok()).map(|file| file.len()).sum()
}

#[test]
fn what_is_taken_out_gives_its_room_back_and_all_else_stays() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small_segments());
    for n in 0..41 {
        fill(&store, vec![(n, 500), (n + 100, 500)]);
    }
    let snapshot = store.snapshot().unwrap();
    let positions = |keys: std::ops::Range<u16>| -> BTreeMap<u16, (usize, Position)> {
        keys.map(|n| (n, (500, position_of(&snapshot, &key(n)).unwrap()))).collect()
    };
    let (there, going) = (positions(0..41), positions(100..141));
    let before: Vec<_> = snapshot.groups(None).map(Result::unwrap).collect();
    let in_full = going.values().filter(|(_, position)| store.full_segments().contains(&position.segment)).count();
    forget(&store, (100..141).collect());
    drop(snapshot);
    let size = sizes(dir.path());
    let rewritten = rewrite(&store);
    assert_eq!(rewritten.blocks, in_full as u64);
    assert!(in_full < 41);
    assert!(rewritten.bytes > 360 * rewritten.blocks, "{rewritten:?}");
    assert!(sizes(dir.path()) <= size - rewritten.bytes);
    assert_eq!(rewrite(&store), Rewritten::default(), "there is nothing more to take");
    // the segment that was still written, too
    end_segment(&store);
    assert_eq!(rewrite(&store).blocks, 41 - in_full as u64);
    wait(store.close()).unwrap();
    drop(store);
    for rebuild in [false, true] {
        let folder = FolderReader::open(dir.path()).unwrap();
        assert!(folder.items().all(|item| matches!(item, FolderItem::Group(group) if group.gone_count() <= 1)));
        drop(folder);
        let mut options = small_segments();
        options.rebuild = rebuild;
        let store = open(dir.path(), options);
        let snapshot = store.snapshot().unwrap();
        check(&snapshot, &there, &going);
        // the groups are those that were committed
        let after: Vec<_> = snapshot.groups(None).map(Result::unwrap).take(41).collect();
        for (before, after) in before.iter().zip(&after) {
            assert_eq!((before.ops(), before.digest(), before.end()), (after.ops(), after.digest(), after.end()));
            assert_eq!((after.block_count(), after.gone_count(), after.bytes()), (2, 1, before.bytes()));
            assert_eq!(after.block(0), before.block(0));
            assert!(after.block(1).is_none() && after.is_gone(1) && !after.is_gone(0) && !after.is_gone(2));
        }
        // from every place
        assert_eq!(
            snapshot.groups(Some(before[20].end())).map(Result::unwrap).next().unwrap().digest(),
            before[21].digest()
        );
        let report = store.verify().unwrap();
        assert!(report.is_clean(), "{report}");
        assert_eq!((report.gone, report.blocks), (41, 41));
        assert!(report.to_string().contains("41 more blocks are gone"), "{report}");
        drop(snapshot);
        wait(store.close()).unwrap();
    }
}

#[test]
fn a_block_that_was_stored_again_is_found_where_it_is() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small_segments());
    fill(&store, vec![(1, 500)]);
    let first = position_of(&store.snapshot().unwrap(), &key(1)).unwrap();
    store.end_segment();
    fill(&store, vec![(1, 500)]);
    let second = position_of(&store.snapshot().unwrap(), &key(1)).unwrap();
    assert_eq!((first.segment, second.segment), (1, 2));
    let cid = block(&content(1, 500)).0;
    assert_eq!(rewrite(&store).blocks, 1);
    assert_eq!(store.snapshot().unwrap().block(&cid).unwrap().unwrap().0, second);
    // an older copy is found when the newer one is gone
    let third = |group: &mut debros_ipfs::Group<'_>| store_block(group, &key(1), &content(1, 500));
    store.end_segment();
    wait(store.commit(Durability::Local, third)).unwrap();
    store.end_segment();
    fill(&store, vec![(2, 10)]);
    let newest = store.snapshot().unwrap().block(&cid).unwrap().unwrap().0;
    assert_eq!(newest.segment, 3);
    wait(store.rewrite(3, |group| Ok((0..group.block_count()).collect()))).unwrap();
    assert_eq!(store.snapshot().unwrap().block(&cid).unwrap().unwrap().0, second);
    wait(store.close()).unwrap();
}

#[test]
fn a_snapshot_of_before_can_be_waited_for() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small_segments());
    fill(&store, vec![(1, 500)]);
    let older = store.snapshot().unwrap();
    let mut gone = pin!(store.older_snapshots_gone());
    let mut context = Context::from_waker(Waker::noop());
    assert!(gone.as_mut().poll(&mut context).is_pending());
    fill(&store, vec![(2, 500)]);
    let newer = store.snapshot().unwrap();
    assert!(gone.as_mut().poll(&mut context).is_pending());
    drop(older);
    assert!(gone.as_mut().poll(&mut context).is_ready());
    drop(newer);
    wait(store.close()).unwrap();
}

#[test]
fn what_is_still_written_and_what_is_damaged_stays_as_it_is() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small_segments());
    fill(&store, vec![(1, 500), (2, 500)]);
    let all = |group: &debros_ipfs::CommittedGroup| Ok((0..group.block_count()).collect());
    for number in [0, 1, 2, u32::MAX] {
        assert_eq!(wait(store.rewrite(number, all)).unwrap(), Rewritten::default());
    }
    store.end_segment();
    fill(&store, vec![(3, 10)]);
    let position = position_of(&store.snapshot().unwrap(), &key(2)).unwrap();
    let mut bytes = fs::read(segment(dir.path(), 1)).unwrap();
    bytes[position.offset as usize] ^= 1;
    fs::write(segment(dir.path(), 1), &bytes).unwrap();
    let error = wait(store.rewrite(1, all)).unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)) && error.to_string().contains("0000000001.car"), "{error}");
    assert_eq!(fs::read(segment(dir.path(), 1)).unwrap(), bytes);
    // who decides may fail
    bytes[position.offset as usize] ^= 1;
    fs::write(segment(dir.path(), 1), &bytes).unwrap();
    let refused = wait(store.rewrite(1, |_| Err(StoreError::Closed { path: PathBuf::new() }))).unwrap_err();
    assert!(matches!(refused, StoreError::Closed { .. }));
    assert_eq!(wait(store.rewrite(1, all)).unwrap().blocks, 2);
    wait(store.close()).unwrap();
    assert!(matches!(wait(store.rewrite(1, all)), Err(StoreError::Closed { .. })));
}

#[test]
fn a_state_file_of_before_is_made_anew() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small_segments());
    for n in 0..20 {
        fill(&store, vec![(n, 500)]);
    }
    wait(store.close()).unwrap();
    drop(store);
    let state = dir.path().join("state.redb");
    let older = fs::read(&state).unwrap();
    let store = open(dir.path(), small_segments());
    // replay of it reads what is gone then
    wait(store.commit(Durability::Local, |group| group.journal(b"r".to_vec()))).unwrap();
    forget(&store, (0..10).collect());
    rewrite(&store);
    wait(store.close()).unwrap();
    drop(store);
    fs::write(&state, older).unwrap();
    let store = open(dir.path(), small_segments());
    assert!(store.recovery().rebuilt);
    assert!(store.verify().unwrap().is_clean());
    wait(store.close()).unwrap();
}

#[test]
fn who_verifies_sees_segments_as_they_are() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small_segments());
    for round in 0..20u16 {
        let keys = round * 20..round * 20 + 20;
        for n in keys.clone() {
            fill(&store, vec![(n, 500)]);
        }
        forget(&store, keys.collect());
        let verifying = {
            let store = store.clone();
            std::thread::spawn(move || store.verify().unwrap())
        };
        rewrite(&store);
        let report = verifying.join().unwrap();
        assert!(report.is_clean(), "{report}");
    }
    wait(store.close()).unwrap();
}

#[test]
fn blocks_are_found_while_segments_are_rewritten() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small_segments());
    for n in 0..60 {
        fill(&store, vec![(n, 300), (n + 1000, 300)]);
    }
    end_segment(&store);
    let ended = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let reader = {
        let (store, ended) = (store.clone(), ended.clone());
        std::thread::spawn(move || {
            let mut found = 0;
            while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                for n in 0..60 {
                    let data = content(n, 300);
                    let (_, block) = store.snapshot().unwrap().block(&block(&data).0).unwrap().unwrap();
                    assert_eq!(block, data);
                    found += 1;
                }
            }
            found
        })
    };
    for n in 0..60 {
        forget(&store, vec![n + 1000]);
        rewrite(&store);
    }
    ended.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(reader.join().unwrap() > 0);
    wait(store.close()).unwrap();
}

#[test]
fn every_byte_of_a_rewritten_segment_is_covered() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small_segments());
    fill(&store, vec![(1, 40), (2, 40), (3, 40)]);
    fill(&store, vec![(4, 40), (5, 40)]);
    store.end_segment();
    fill(&store, vec![(6, 10)]);
    forget(&store, vec![2, 4, 5]);
    assert_eq!(rewrite(&store).blocks, 3);
    wait(store.close()).unwrap();
    drop(store);
    let path = segment(dir.path(), 1);
    let bytes = fs::read(&path).unwrap();
    let clean = |dir: &Path| {
        let folder = FolderReader::open(dir).unwrap();
        folder.items().all(|item| matches!(item, FolderItem::Group(_)))
    };
    assert!(clean(dir.path()));
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 1;
        fs::write(&path, broken).unwrap();
        assert!(!clean(dir.path()), "byte {at} of {}", bytes.len());
    }
    fs::write(&path, bytes).unwrap();
    assert!(clean(dir.path()));
}

#[test]
fn a_block_that_would_pass_for_a_gap_is_refused() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small_segments());
    let mark = fs::read_to_string(dir.path().join("format")).unwrap();
    let mark = mark.lines().nth(1).unwrap();
    let mark: Vec<u8> = (0..16).map(|n| u8::from_str_radix(&mark[2 * n..2 * n + 2], 16).unwrap()).collect();
    for magic in [b"\x84\x6bdebros-gaps\x01\x50", b"\x84\x6bdebros-gone\x01\x50"] {
        let data = [&magic[..], &mark, b"\x5a\0\0\0\0"].concat();
        let refused = wait(store.commit(Durability::Local, move |group| store_block(group, b"k", &data))).unwrap_err();
        assert!(refused.to_string().contains("reserved"), "{refused}");
    }
    wait(store.close()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_blocks_can_be_taken_out_in_any_order(
        groups in prop::collection::vec(prop::collection::vec(0..1500_usize, 1..8), 1..25),
        rounds in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 1..40), 1..5),
        rebuild: bool,
    ) {
        let dir = temporary().unwrap();
        let store = open(dir.path(), small_segments());
        let mut lens = BTreeMap::new();
        for group in groups {
            let blocks: Vec<_> = (lens.len() as u16..).zip(group).collect();
            lens.extend(blocks.iter().copied());
            fill(&store, blocks);
        }
        let snapshot = store.snapshot().unwrap();
        let mut there: BTreeMap<_, _> =
            lens.iter().map(|(n, len)| (*n, (*len, position_of(&snapshot, &key(*n)).unwrap()))).collect();
        drop(snapshot);
        let mut gone = BTreeMap::new();
        for round in rounds {
            let keys: BTreeSet<u16> = round.iter().map(|index| index.index(lens.len()) as u16).collect();
            for n in &keys {
                gone.extend(there.remove(n).map(|block| (*n, block)));
            }
            forget(&store, keys.into_iter().collect());
            end_segment(&store);
            rewrite(&store);
            check(&store.snapshot().unwrap(), &there, &gone);
            let report = store.verify().unwrap();
            prop_assert!(report.is_clean(), "{report}");
            prop_assert_eq!(report.gone as usize, gone.len());
        }
        wait(store.close()).unwrap();
        drop(store);
        let mut options = small_segments();
        options.rebuild = rebuild;
        let store = open(dir.path(), options);
        check(&store.snapshot().unwrap(), &there, &gone);
        wait(store.close()).unwrap();
    }
}
