//! What entries wait for is fetched in the background.

use crate::support::{folder, open, open_database, put, record, spec, verify};
use debros_orbit::{
    BlockSource, DatabaseId, Entry, Fetching, Hash, Identity, Node, ReadDocuments, SigningKey, Snapshot,
};
use futures::executor::block_on;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// Another node, which has each block only when it is asked the second time, and first gives something else for it.
struct Slow {
    snapshot: Snapshot,
    asked: Mutex<HashMap<Hash, u32>>,
    withheld: Option<Hash>,
}

impl BlockSource for Slow {
    fn name(&self) -> String {
        "slow".to_owned()
    }

    fn fetch<'f>(&'f self, wanted: &'f [Hash]) -> Fetching<'f> {
        let mut asked = self.asked.lock().unwrap();
        let mut found = Vec::new();
        for hash in wanted.iter().filter(|hash| Some(**hash) != self.withheld) {
            let times = asked.entry(*hash).or_default();
            *times += 1;
            let block = self.snapshot.block(hash).unwrap().unwrap().to_vec();
            found.push((*hash, if *times > 1 { block } else { b"something else".to_vec() }));
        }
        Box::pin(async { found })
    }
}

fn wait_until(what: &str, is: impl Fn() -> bool) {
    for _ in 0..600 {
        if is() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("it never happened that {what}");
}

struct Scene {
    _folders: [tempfile::TempDir; 2],
    ahead: Node,
    behind: Node,
    db: DatabaseId,
    head: Hash,
}

/// A node that has a log of several writers, and another that has its head.
fn scene() -> Scene {
    let folders = [folder(), folder()];
    let (ahead, behind) = (open(folders[0].path()), open(folders[1].path()));
    let key = |n| SigningKey::from_bytes(&[n; 32]).unwrap();
    let spec = spec("d", &["*"]);
    let db = open_database(&ahead, &spec);
    assert_eq!(open_database(&behind, &spec), db);
    for n in 0..12u8 {
        let writer = Identity::new(&key(1 + n % 3), key(101 + n % 3));
        put(&ahead, db, &writer, record(n + 1, [])).unwrap();
    }
    let snapshot = ahead.snapshot().unwrap();
    let head = snapshot.heads(db).unwrap()[0];
    let block = snapshot.block(&head).unwrap().unwrap().to_vec();
    block_on(behind.receive(db, "p", vec![], vec![block])).unwrap();
    Scene { _folders: folders, ahead, behind, db, head }
}

impl Scene {
    fn source(&self, withheld: Option<Hash>) -> Arc<Slow> {
        Arc::new(Slow { snapshot: self.ahead.snapshot().unwrap(), asked: Mutex::default(), withheld })
    }

    fn heads(&self) -> Vec<Hash> {
        self.behind.snapshot().unwrap().heads(self.db).unwrap()
    }
}

#[test]
fn a_head_brings_all_that_lies_behind_it() {
    let s = scene();
    let fetcher = s.behind.fetch_from(s.source(None)).unwrap();
    wait_until("the log is whole", || s.heads() == [s.head]);
    let state = |node: &Node| node.snapshot().unwrap().state_hash(s.db).unwrap();
    assert_eq!(state(&s.ahead), state(&s.behind));
    fetcher.stop();
    verify(&s.behind);
}

#[test]
fn what_nobody_has_holds_up_nothing_else() {
    let s = scene();
    // the entry before the last one
    let block = s.ahead.snapshot().unwrap().block(&s.head).unwrap().unwrap();
    let first = Entry::decode(&block).unwrap().next()[0];
    let fetcher = s.behind.fetch_from(s.source(Some(first))).unwrap();
    // local writes, and heads of others, go on
    let me = s.behind.identity("me").unwrap();
    for n in 100..120u8 {
        put(&s.behind, s.db, &me, record(n, [])).unwrap();
    }
    assert_eq!(s.behind.snapshot().unwrap().count(s.db).unwrap(), 20);
    // and when somebody has it, it comes
    let second = s.behind.fetch_from(s.source(None)).unwrap();
    wait_until("the log is whole", || s.behind.snapshot().unwrap().count(s.db).unwrap() == 32);
    drop((fetcher, second));
    assert!(s.heads().contains(&s.head));
    verify(&s.behind);
}

#[test]
fn it_ends_with_the_node() {
    let s = scene();
    let fetcher = s.behind.fetch_from(s.source(Some(s.head))).unwrap();
    block_on(s.behind.close()).unwrap();
    fetcher.stop();
}
