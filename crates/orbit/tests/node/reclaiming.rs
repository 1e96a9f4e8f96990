//! The room of databases that were dropped is given back.

use crate::support::{Words, close, del, folder, key, open, open_database, put, record, spec, verify, write};
use debros_orbit::{
    DatabaseId, DatabaseSpec, Entry, Identity, Inspection, Node, NodeOptions, Payload, ReadDocuments, Reclaimed,
};
use futures::executor::block_on;
use proptest::prelude::*;
use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

fn small_segments(folder: &Path, rebuild: bool) -> Node {
    let mut options = NodeOptions::default();
    options.store.segment_size = 8 << 10;
    options.store.checkpoint_bytes = 4 << 10;
    options.store.rebuild = rebuild;
    Node::open(folder, options, Arc::new(Words)).unwrap()
}

fn segments_len(folder: &Path) -> u64 {
    let files = fs::read_dir(folder.join("segments")).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|is| is == "car")).map(|path| path.metadata().unwrap().len()).sum()
}

fn fill(node: &Node, database: DatabaseId, who: &Identity, keys: std::ops::Range<u32>) {
    for n in keys {
        put(node, database, who, record(n + 1, [("w", format!("word {n:0100}").into())])).unwrap();
    }
}

/// The entries of a database, in the order of their times.
fn entries(node: &Node, database: DatabaseId) -> Vec<Vec<u8>> {
    let snapshot = node.snapshot().unwrap();
    let mut list = snapshot.heads(database).unwrap();
    let mut all = std::collections::BTreeMap::new();
    while let Some(hash) = list.pop() {
        let block = snapshot.block(&hash).unwrap().unwrap().to_vec();
        let entry = Entry::decode(&block).unwrap();
        list.extend(entry.next());
        all.insert((entry.clock().time, hash), block);
    }
    all.into_values().collect()
}

fn in_order(folder: &Path) -> Inspection {
    let inspection = Inspection::checked(folder).unwrap();
    assert!(inspection.is_clean(), "{inspection:?}");
    inspection
}

#[test]
fn what_was_dropped_leaves_the_disk_and_all_else_stays() {
    let folder = folder();
    let node = small_segments(folder.path(), false);
    let me = node.identity("me").unwrap();
    let [one, two] = ["one", "two"].map(|name| spec(name, &["*"]));
    let (dropped, kept) = (open_database(&node, &one), open_database(&node, &two));
    for n in 0..50 {
        // side by side, so that no segment is of one alone
        fill(&node, dropped, &me, n * 4..n * 4 + 4);
        fill(&node, kept, &me, n..n + 1);
    }
    assert_eq!(block_on(node.reclaim()).unwrap(), Reclaimed::default());
    let all = entries(&node, dropped);
    let bytes: usize = all.iter().map(Vec::len).sum();
    let hash = node.snapshot().unwrap().state_hash(kept).unwrap();
    let before = segments_len(folder.path());
    block_on(node.drop_database(dropped)).unwrap();
    block_on(node.reclaim()).unwrap();
    let freed = before - segments_len(folder.path());
    assert!(freed as usize > bytes * 8 / 10, "{freed} of {bytes} bytes");
    // nothing is done twice
    assert_eq!(block_on(node.reclaim()).unwrap(), Reclaimed::default());
    assert_eq!(node.snapshot().unwrap().state_hash(kept).unwrap(), hash);
    verify(&node);
    close(&node);
    drop(node);
    assert_eq!(in_order(folder.path()).gone_blocks, 200);
    // whether state is kept or made anew
    for rebuild in [false, true] {
        let node = small_segments(folder.path(), rebuild);
        let snapshot = node.snapshot().unwrap();
        assert_eq!(snapshot.state_hash(kept).unwrap(), hash);
        assert_eq!(entries(&node, kept).len(), 50);
        let gone = Entry::decode(&all[7]).unwrap().hash();
        assert!(snapshot.block(&gone).unwrap().is_none());
        drop(snapshot);
        verify(&node);
        close(&node);
    }
    // and it comes again from others
    let node = small_segments(folder.path(), false);
    assert_eq!(open_database(&node, &one), dropped);
    block_on(node.receive(dropped, "a peer", Vec::new(), all.clone())).unwrap();
    block_on(node.settle());
    assert_eq!(entries(&node, dropped), all);
    verify(&node);
    block_on(node.drop_database(dropped)).unwrap();
    block_on(node.reclaim()).unwrap();
    assert_eq!(node.snapshot().unwrap().state_hash(kept).unwrap(), hash);
    verify(&node);
    close(&node);
    drop(node);
    assert_eq!(in_order(folder.path()).gone_blocks, 400);
}

#[test]
fn a_good_part_of_a_segment_is_given_back_without_being_asked_for() {
    let folder = folder();
    let node = small_segments(folder.path(), false);
    let me = node.identity("me").unwrap();
    let [one, two] = ["one", "two"].map(|name| spec(name, &["*"]));
    let (dropped, kept) = (open_database(&node, &one), open_database(&node, &two));
    fill(&node, dropped, &me, 0..200);
    fill(&node, kept, &me, 0..50);
    let before = segments_len(folder.path());
    block_on(node.drop_database(dropped)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while segments_len(folder.path()) > before * 2 / 3 {
        assert!(Instant::now() < deadline, "{} of {before} bytes are left", segments_len(folder.path()));
        std::thread::sleep(Duration::from_millis(5));
    }
    verify(&node);
    close(&node);
}

#[test]
fn who_reads_what_was_before_reads_on() {
    let folder = folder();
    let node = small_segments(folder.path(), false);
    let me = node.identity("me").unwrap();
    let one = spec("one", &["*"]);
    let dropped = open_database(&node, &one);
    fill(&node, dropped, &me, 0..100);
    let snapshot = node.snapshot().unwrap();
    block_on(node.drop_database(dropped)).unwrap();
    let reclaiming = {
        let node = node.clone();
        std::thread::spawn(move || block_on(node.reclaim()))
    };
    for n in 0..100 {
        let row = snapshot.get(dropped, &key(n + 1)).unwrap().unwrap();
        assert_eq!(row.record.field("_id").as_int(), Some(i128::from(n) + 1));
    }
    assert!(!reclaiming.is_finished());
    drop(snapshot);
    reclaiming.join().unwrap().unwrap();
    assert_eq!(node.verify().unwrap().gone, 100);
    verify(&node);
    // one that is never let go of holds nobody up who closes
    let held = node.snapshot().unwrap();
    open_database(&node, &one);
    fill(&node, dropped, &me, 0..10);
    block_on(node.drop_database(dropped)).unwrap();
    let reclaiming = {
        let node = node.clone();
        std::thread::spawn(move || block_on(node.reclaim()))
    };
    close(&node);
    let error = reclaiming.join().unwrap().unwrap_err();
    assert!(error.to_string().contains("closed"), "{error}");
    drop(held);
}

#[test]
fn what_is_held_back_goes_with_its_database() {
    let folders = [folder(), folder()];
    let (here, there) = (small_segments(folders[0].path(), false), open(folders[1].path()));
    let [one, two] = ["one", "two"].map(|name| spec(name, &["*"]));
    let (mine, theirs) = (open_database(&here, &one), open_database(&there, &one));
    let kept = open_database(&here, &two);
    let (me, who) = (here.identity("me").unwrap(), there.identity("somebody").unwrap());
    fill(&there, theirs, &who, 0..60);
    let all = entries(&there, theirs);
    // every other one: none but the first can join
    let some = all.iter().step_by(2).cloned().collect();
    let receipt = block_on(here.receive(mine, "a peer", vec![who.bytes().to_vec()], some)).unwrap();
    assert_eq!((receipt.joined, receipt.held.len()), (1, 29));
    fill(&here, kept, &me, 0..5);
    block_on(here.drop_database(mine)).unwrap();
    block_on(here.reclaim()).unwrap();
    assert_eq!(here.verify().unwrap().gone, 30);
    verify(&here);
    // now some of them are held back, others released, and then all are dropped
    open_database(&here, &one);
    let late = all[30..].to_vec();
    assert_eq!(block_on(here.receive(mine, "a peer", Vec::new(), late)).unwrap().joined, 0);
    block_on(here.receive(mine, "a peer", Vec::new(), all[..45].to_vec())).unwrap();
    block_on(here.settle());
    assert_eq!(here.snapshot().unwrap().entries(mine).unwrap(), 60);
    block_on(here.drop_database(mine)).unwrap();
    block_on(here.reclaim()).unwrap();
    verify(&here);
    assert_eq!(here.snapshot().unwrap().count(kept).unwrap(), 5);
    close(&here);
    drop(here);
    in_order(folders[0].path());
    let here = small_segments(folders[0].path(), true);
    assert_eq!(here.snapshot().unwrap().count(kept).unwrap(), 5);
    verify(&here);
    close(&here);
}

#[test]
fn what_is_encrypted_as_a_whole_goes_too() {
    let folders = [folder(), folder()];
    let key = std::sync::Arc::new(debros_orbit::XChaCha20Cipher::new(&[7; 32]));
    let encryption = || debros_orbit::Encryption { replication: Some(key.clone()), ..Default::default() };
    let (here, there) = (small_segments(folders[0].path(), false), open(folders[1].path()));
    let one = spec("one", &["*"]);
    let (mine, theirs) = (open_database(&here, &one), open_database(&there, &one));
    for (node, database) in [(&here, mine), (&there, theirs)] {
        block_on(node.set_encryption(database, encryption())).unwrap();
    }
    let who = there.identity("somebody").unwrap();
    fill(&there, theirs, &who, 0..30);
    let mut all = Vec::new();
    let snapshot = there.snapshot().unwrap();
    let mut next = snapshot.heads(theirs).unwrap();
    while let Some(hash) = next.pop() {
        let block = snapshot.block(&hash).unwrap().unwrap().to_vec();
        next.extend(Entry::decode(&encryption().open_block(&block).unwrap()).unwrap().next());
        all.insert(0, block);
    }
    let receive =
        |entries: &[Vec<u8>]| block_on(here.receive(mine, "a peer", vec![who.bytes().to_vec()], entries.to_vec()));
    for begins in [0, 1] {
        // in the second round the first is missing, so that all others are held back
        open_database(&here, &one);
        let receipt = receive(&all[begins..]).unwrap();
        assert_eq!((receipt.joined, receipt.held.len()), if begins == 0 { (30, 0) } else { (0, 29) });
        block_on(here.drop_database(mine)).unwrap();
        verify(&here);
        block_on(here.reclaim()).unwrap();
        verify(&here);
    }
    assert_eq!(here.verify().unwrap().gone, 59);
    close(&here);
}

#[test]
fn of_two_lives_the_first_is_given_back_while_the_second_ends() {
    let folder = folder();
    let node = small_segments(folder.path(), false);
    let me = node.identity("me").unwrap();
    let specs = ["one", "two"].map(|name| spec(name, &["*"]));
    let [one, two] = [0, 1].map(|n: usize| open_database(&node, &specs[n]));
    // side by side in few segments, too little of them to be given back by itself
    fill(&node, one, &me, 0..3);
    fill(&node, two, &me, 0..3);
    block_on(node.drop_database(one)).unwrap();
    block_on(node.drop_database(two)).unwrap();
    open_database(&node, &specs[0]);
    fill(&node, one, &me, 0..3);
    let dead_of_all = 9;
    let racing = {
        let node = node.clone();
        std::thread::spawn(move || block_on(node.reclaim()))
    };
    block_on(node.drop_database(one)).unwrap();
    racing.join().unwrap().unwrap();
    block_on(node.reclaim()).unwrap();
    assert_eq!(node.verify().unwrap().gone, dead_of_all);
    verify(&node);
    close(&node);
}

#[test]
fn a_feed_passes_over_what_is_gone() {
    let folder = folder();
    let node = small_segments(folder.path(), false);
    let me = node.identity("me").unwrap();
    let [one, two] = ["one", "two"].map(|name| spec(name, &["*"]));
    let (dropped, kept) = (open_database(&node, &one), open_database(&node, &two));
    let start = node.feed_start().unwrap();
    fill(&node, dropped, &me, 0..50);
    fill(&node, dropped, &me, 0..1);
    fill(&node, kept, &me, 0..5);
    let mut feed = node.feed(&start).unwrap();
    let changes = feed.read(usize::MAX, |_, _| Ok(true)).unwrap().changes;
    assert_eq!(changes.len(), 56);
    let updated = changes[50].clone();
    assert!(feed.former(&updated).unwrap().is_some());
    let middle = changes[20].position;
    block_on(node.drop_database(dropped)).unwrap();
    block_on(node.reclaim()).unwrap();
    assert_eq!(feed.former(&updated).unwrap(), None);
    open_database(&node, &one);
    fill(&node, dropped, &me, 7..8);
    for from in [start, middle] {
        let mut feed = node.feed(&from).unwrap();
        let mut told = Vec::new();
        loop {
            let batch = feed.read(3, |_, _| Ok(true)).unwrap();
            told.extend(batch.changes.iter().map(|change| change.database));
            if !batch.more {
                break;
            }
        }
        assert_eq!(told, [vec![kept; 5], vec![dropped]].concat());
    }
    close(&node);
}

#[derive(Clone, Debug)]
enum Act {
    Put {
        database: usize,
        key: u32,
    },
    Del {
        database: usize,
        key: u32,
    },
    /// Somebody else writes.
    There {
        database: usize,
        key: u32,
    },
    /// Some of what is there comes, in some order.
    Deliver {
        database: usize,
        seed: u64,
    },
    Drop {
        database: usize,
    },
    Reclaim,
    Reopen {
        rebuild: bool,
    },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let database = || 0..3_usize;
    let act = prop_oneof![
        6 => (database(), 1..20_u32).prop_map(|(database, key)| Act::Put { database, key }),
        2 => (database(), 1..20_u32).prop_map(|(database, key)| Act::Del { database, key }),
        4 => (database(), 1..20_u32).prop_map(|(database, key)| Act::There { database, key }),
        4 => (database(), any::<u64>()).prop_map(|(database, seed)| Act::Deliver { database, seed }),
        2 => database().prop_map(|database| Act::Drop { database }),
        2 => Just(Act::Reclaim),
        1 => any::<bool>().prop_map(|rebuild| Act::Reopen { rebuild }),
    ];
    prop::collection::vec(act, 1..80)
}

fn specs() -> [DatabaseSpec; 3] {
    let other = |name| DatabaseSpec { family: "other".to_owned(), ..spec(name, &["*"]) };
    [spec("a", &["*"]), spec("b", &["*"]), other("c")]
}

fn some_of(all: &[Vec<u8>], mut seed: u64) -> Vec<Vec<u8>> {
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below.max(1)
    };
    let mut some: Vec<_> = all.iter().filter(|_| random(4) > 0).cloned().collect();
    for at in (1..some.len()).rev() {
        some.swap(at, random(at + 1));
    }
    some
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn state_is_what_the_segments_give_whatever_is_taken_out_of_them(acts in acts()) {
        // in memory, where there is such a place: each checkpoint is synced
        let folders = [(), ()].map(|()| tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| folder()));
        let there = open(folders[1].path());
        let theirs = specs().map(|spec| open_database(&there, &spec));
        let who = there.identity("somebody").unwrap();
        let mut here = small_segments(folders[0].path(), false);
        let me = here.identity("me").unwrap();
        let hashes = |node: &Node| {
            let snapshot = node.snapshot().unwrap();
            specs().map(|spec| snapshot.find(&spec).unwrap().map(|info| snapshot.state_hash(info.id).unwrap()))
        };
        for act in acts.into_iter().chain([Act::Reclaim, Act::Reopen { rebuild: true }]) {
            match act {
                Act::Put { database, key } => {
                    let mine = open_database(&here, &specs()[database]);
                    put(&here, mine, &me, record(key, [("w", format!("{key:0150}").into())])).unwrap();
                }
                Act::Del { database, key } => {
                    let mine = open_database(&here, &specs()[database]);
                    // what is not there cannot be deleted
                    let _ = del(&here, mine, &me, key);
                }
                Act::There { database, key } => {
                    put(&there, theirs[database], &who, record(key, [("n", 1.into()), ("w", "theirs".into())])).unwrap();
                }
                Act::Deliver { database, seed } => {
                    let mine = open_database(&here, &specs()[database]);
                    let some = some_of(&entries(&there, theirs[database]), seed);
                    block_on(here.receive(mine, "a peer", vec![who.bytes().to_vec()], some)).unwrap();
                    block_on(here.settle());
                }
                Act::Drop { database } => {
                    let info = here.snapshot().unwrap().find(&specs()[database]).unwrap();
                    if let Some(info) = info {
                        block_on(here.drop_database(info.id)).unwrap();
                    }
                }
                Act::Reclaim => {
                    let before = hashes(&here);
                    block_on(here.reclaim()).unwrap();
                    prop_assert_eq!(hashes(&here), before);
                    verify(&here);
                }
                Act::Reopen { rebuild } => {
                    let before = hashes(&here);
                    close(&here);
                    drop(here);
                    in_order(folders[0].path());
                    here = small_segments(folders[0].path(), rebuild);
                    prop_assert_eq!(hashes(&here), before);
                    verify(&here);
                }
            }
        }
        close(&here);
        close(&there);
    }
}

#[test]
fn what_says_who_may_write_goes_last() {
    let folder = folder();
    let node = small_segments(folder.path(), false);
    let me = node.identity("me").unwrap();
    let protected = spec("protected", &[]).with_access(debros_orbit::AccessSpec::orbitdb("access", [me.id()]));
    let database = open_database(&node, &protected);
    let access = node.snapshot().unwrap().info(database).unwrap().controller.unwrap();
    let grant = {
        let me = me.clone();
        write(&node, move |w| w.append(access, &me, Payload::put("write".into(), vec![me.id().into()].into())))
    };
    grant.unwrap();
    fill(&node, database, &me, 0..50);
    block_on(node.drop_database(database)).unwrap();
    block_on(node.drop_database(access)).unwrap();
    block_on(node.reclaim()).unwrap();
    assert_eq!(node.verify().unwrap().gone, 51);
    verify(&node);
    let reopened = open_database(&node, &protected);
    fill(&node, reopened, &me, 0..5);
    verify(&node);
    close(&node);
    drop(node);
    in_order(folder.path());
    let node = small_segments(folder.path(), true);
    assert_eq!(node.snapshot().unwrap().count(reopened).unwrap(), 5);
    verify(&node);
    close(&node);
}
