//! A node takes what others have written, in random order and pieces, so that much is held back and released, while it
//! writes itself, and while those who may write change.

mod expected;
mod schedule;
mod work;

use crate::{
    child::Child,
    kills,
    moment::Moment,
    others::{CHAPTER, Others},
    tidy::Tidy,
};
use debros_ipfs::Step;
use debros_orbit::{
    DatabaseId, DatabaseInfo, Durability, Entry, Hash, Hold, NoSchema, Node, NodeOptions, ReadDocuments as _,
};
use expected::Expected;
use schedule::Schedule;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

/// So many kills happen to one folder.
const KILLS_OF_A_FOLDER: u64 = 20;

/// Small segments and frequent checkpoints, so that every step comes soon; all that may not join is kept.
fn options() -> NodeOptions {
    let mut options = NodeOptions::default();
    options.store.segment_size = 24 << 10;
    options.store.checkpoint_bytes = 16 << 10;
    options.limits.quarantined = 100_000;
    options
}

fn open(folder: &Path, options: NodeOptions) -> Node {
    Node::open(folder, options, Arc::new(NoSchema)).expect("the data folder opens")
}

async fn open_database(node: &Node, others: &Others) -> Arc<DatabaseInfo> {
    let spec = others.spec.clone();
    let id = node.write(Durability::Local, move |w| w.open(&spec)).await.expect("the database opens");
    node.snapshot().expect("a snapshot").info(id).expect("it is open")
}

/// Does this folder learn from elsewhere who may write? Else its own admin grants and revokes.
fn learns_rights(folder: u64) -> bool {
    folder % 2 == 1
}

/// What the parent knows of one folder.
struct Scene {
    number: u64,
    folder: tempfile::TempDir,
    others: Others,
    expected: Expected,
    /// What others wrote.
    chapters: BTreeMap<u64, Vec<Vec<u8>>>,
}

impl Scene {
    fn new(number: u64) -> Scene {
        let folder = tempfile::tempdir().expect("a folder");
        Scene { number, folder, others: Others::new(), expected: Expected::default(), chapters: BTreeMap::new() }
    }

    /// What the last child was interrupted at is there whole or not at all, and what it was answered is there.
    async fn check(&mut self, run: u64, closes: bool) {
        self.chapters.insert(run, self.others.chapter(run));
        let node = open(self.folder.path(), options());
        let data = open_database(&node, &self.others).await;
        node.settle().await;
        let snapshot = node.snapshot().expect("a snapshot");

        let mut rows = BTreeMap::<String, u64>::new();
        for row in snapshot.scan_keys(data.id, &[], None, false) {
            let record = snapshot.load(row.expect("a row").position).expect("a record");
            let id = record.field("_id").as_text().expect("a text").to_owned();
            if let Some(ours) = id.strip_prefix("ours ") {
                assert_eq!(record.field("text").as_text(), Some(&*id.repeat(10)), "a record is whole");
                *rows.entry(ours.rsplit_once(' ').expect("a batch").0.to_owned()).or_default() += 1;
            }
        }
        if rows != self.expected.written {
            let begun = self.expected.begun.iter().find_map(|begun| begun.strip_prefix("write "));
            let (name, size) = begun.and_then(|begun| begun.split_once(' ')).expect("answered records are there");
            self.expected.written.insert(name.to_owned(), size.parse().expect("a number"));
            assert_eq!(rows, self.expected.written, "run {run}: a batch is whole or absent");
        }

        let held: Vec<_> = snapshot.held(Some(data.id)).collect::<Result<_, _>>().expect("what is held back");
        let idle = held.iter().find(|held| held.hold == Hold::Missing && held.missing == 0);
        assert_eq!(idle, None, "run {run}: what waits for nothing was judged");
        let is_here = |hash: &Hash| snapshot.block(hash).expect("the store reads").is_some();
        let mut here = 0;
        for (chapter, entries) in &self.chapters {
            for (at, entry) in entries.iter().enumerate() {
                let found = is_here(&Hash::of(entry));
                here += u64::from(found);
                assert!(found || !self.expected.taken.contains(&(*chapter, at)), "run {run}: entry {chapter}.{at}");
            }
        }
        let ours: u64 = rows.values().sum();
        let entries = snapshot.entries(data.id).expect("a count");
        assert_eq!(entries + held.len() as u64, here + ours, "run {run}: an entry is in the log, or held back");

        let access = data.controller.expect("a controller");
        let capabilities = snapshot.capabilities(access).expect("rights");
        for (who, may) in self.expected.rights.iter_mut().enumerate() {
            let user = self.others.writers[who].id();
            let found = capabilities.holders("write").any(|id| id == user);
            assert!(self.number % 2 == 1 || may.is_none_or(|may| may == found), "run {run}: the right of {user}");
            *may = Some(found);
        }

        let report = node.verify().expect("verify runs");
        assert!(report.is_clean(), "run {run}: {report}");
        // beside entries there are two manifests and lists, and six identities
        let rights = snapshot.entries(access).expect("a count") + snapshot.held(Some(access)).count() as u64;
        assert!(report.blocks <= here + ours + rights + 10, "run {run}: blocks are stored once: {report}");
        drop(snapshot);
        if closes {
            node.close().await.expect("it closes");
            Tidy::of(self.folder.path()).assert(report.block_bytes);
        }
    }

    /// When everything has arrived, the log means what it means to one who gets it at once.
    async fn end(self) {
        let node = open(self.folder.path(), options());
        let data = open_database(&node, &self.others).await;
        let (access, identities) = (data.controller.expect("a controller"), self.others.identities());
        let theirs: Vec<Vec<u8>> = self.chapters.values().flatten().cloned().collect();
        assert_eq!(theirs.len(), self.chapters.len() * CHAPTER);
        let mut grants = self.others.grants();
        let elsewhere = grants.pop().into_iter().collect::<Vec<_>>();
        let grants = if learns_rights(self.number) { grants } else { Vec::new() };
        node.receive(access, "a peer", elsewhere.clone(), grants.clone()).await.expect("it is taken");
        node.receive(data.id, "a peer", identities.clone(), theirs.clone()).await.expect("it is taken");
        node.settle().await;

        let folder = tempfile::tempdir().expect("a folder");
        let fresh = open(folder.path(), options());
        let again = open_database(&fresh, &self.others).await;
        let rights: Vec<Vec<u8>> = entries_of(&node, access).into_iter().map(Entry::into_bytes).collect();
        fresh
            .receive(again.controller.expect("a controller"), "a peer", [&identities[..], &elsewhere].concat(), rights)
            .await
            .expect("it is taken");
        let ours = entries_of(&node, data.id).into_iter().filter(|entry| entry.identity() == self.others.admin.hash());
        let all = theirs.into_iter().chain(ours.map(Entry::into_bytes)).collect();
        let receipt = fresh.receive(again.id, "a peer", identities.clone(), all).await.expect("it is taken");
        assert!(receipt.not_kept.is_empty(), "{receipt:?}");
        fresh.settle().await;
        let (node, fresh) = (node.snapshot().expect("a snapshot"), fresh.snapshot().expect("a snapshot"));
        assert_eq!(fresh.entries(again.id).ok(), node.entries(data.id).ok());
        assert_eq!(fresh.state_hash(again.id).ok(), node.state_hash(data.id).ok(), "replicas agree");
    }
}

/// Everything that leads from the heads of a database to its beginning.
fn entries_of(node: &Node, database: DatabaseId) -> Vec<Entry> {
    let snapshot = node.snapshot().expect("a snapshot");
    let (mut list, mut seen, mut entries) = (snapshot.heads(database).expect("the heads"), BTreeSet::new(), Vec::new());
    while let Some(hash) = list.pop() {
        if seen.insert(hash) {
            let block = snapshot.block(&hash).expect("the store reads").expect("it is here");
            let links = Entry::links_of(&block);
            list.extend(links.iter());
            entries.extend(Entry::decode(&block));
        }
    }
    entries.sort_by_key(Entry::clock);
    entries
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_and_granted_survives_kill_9() {
    let runs = kills() - kills() * 3 / 10;
    let mut schedule = Schedule::new();
    let mut scene = Scene::new(0);
    for run in 0..runs {
        if run > 0 && run % KILLS_OF_A_FOLDER == 0 {
            let number = scene.number + 1;
            std::mem::replace(&mut scene, Scene::new(number)).end().await;
        }
        let moment = schedule.next(run % KILLS_OF_A_FOLDER);
        let is_at = |step: Step| moment.is_at(&step.before()) || moment.is_at(&step.after());
        if [Step::TailCut, Step::TailSync, Step::RecoveryWrite].into_iter().any(is_at) {
            tear(scene.folder.path(), schedule.random().below(300) as usize + 1);
        }
        let closes = u8::from(is_at(Step::StateClose));
        let argument = format!("{} {run} {closes} {}", scene.number, scene.folder.path().display());
        let child = Child::run("joins::work::child", &argument, &moment);
        assert!(child.came_there || !matches!(moment, Moment::At { .. }), "run {run}: it does not come to {moment:?}");
        scene.expected.hear(&child);
        scene.check(run, schedule.random().below(2) == 0).await;
    }
    scene.end().await;
    let (covered, all) = schedule.covered();
    println!("{runs} kills, {covered} of {all} failpoints among them");
    assert!(covered == all || runs < 120, "each failpoint had its turn");
}

/// As if a group was being written: random bytes behind the last one.
fn tear(folder: &Path, bytes: usize) {
    let files =
        std::fs::read_dir(folder.join("segments")).expect("segments").map(|file| file.expect("segments").path());
    // a segment that was being created has no group yet
    let len = |path: &Path| path.metadata().expect("it is there").len();
    let segments = files.filter(|path| path.extension().is_some_and(|e| e == "car") && len(path) >= 58);
    let last = segments.max().expect("a segment");
    let mut file = std::fs::OpenOptions::new().append(true).open(last).expect("the segment");
    std::io::Write::write_all(&mut file, &vec![0x55; bytes]).expect("it can be written");
}
