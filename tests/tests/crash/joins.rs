//! A node takes what others have written, in random order and pieces, so that much is held back and released, while it
//! writes itself, and while those who may write change.

use crate::{
    child::Child,
    kills,
    moment::Moment,
    others::{CHAPTER, Others},
    random::Random,
    tidy::Tidy,
};
use debros_core::{Map, Value};
use debros_ipfs::Step;
use debros_orbit::{
    CommitError, DatabaseId, DatabaseInfo, Durability, Entry, Hash, Hold, NoSchema, Node, NodeOptions,
    ReadDocuments as _, WriteError,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

/// So many kills happen to one folder.
const KILLS_OF_A_FOLDER: u64 = 20;
/// The child closes its folder after so many rounds, where it is to be killed while it does.
const ROUNDS: u64 = 8;

/// Small segments and frequent checkpoints, so that every step comes soon.
fn options() -> NodeOptions {
    let mut options = NodeOptions::default();
    options.store.segment_size = 24 << 10;
    options.store.checkpoint_bytes = 16 << 10;
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

/// Not a test of its own: what the killed process does. It says `begin` before and `done` after each operation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(argument) = Child::argument() else { return };
    let mut words = argument.splitn(4, ' ');
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok()).expect("a number");
    let (folder, run, closes) = (number(), number(), number() > 0);
    let mut options = options();
    options.store.rebuild = std::env::var("DEBROS_CRASH_POINT").is_ok_and(|point| point.ends_with("StateRemove"));
    let node = open(Path::new(words.next().expect("a folder")), options);
    let others = Arc::new(Others::new());
    let data = open_database(&node, &others).await;
    Child::say("open");
    let receives = tokio::spawn(receive(node.clone(), others.clone(), data.clone(), folder, run, closes));
    let rules =
        (!learns_rights(folder)).then(|| tokio::spawn(rule(node.clone(), others.clone(), data.clone(), run, closes)));
    write(&node, &others, data.id, run, closes).await;
    receives.await.expect("the receiver does not fail");
    if let Some(rules) = rules {
        rules.await.expect("the admin does not fail");
    }
    node.close().await.expect("it closes");
    // killed only now, if it did not come to where it was to end
    std::future::pending::<()>().await;
}

fn rounds(closes: bool) -> std::ops::Range<u64> {
    0..if closes { ROUNDS } else { u64::MAX }
}

/// Writes some records at a time, whole or not at all.
async fn write(node: &Node, others: &Others, data: DatabaseId, run: u64, closes: bool) {
    for n in rounds(closes) {
        let size = 1 + n % 4;
        let admin = others.admin.clone();
        Child::say(&format!("begin write {run}.{n} {size}"));
        // a process that is killed takes nothing from the system's memory, so what is only buffered survives, too
        let durability = if n % 5 == 4 { Durability::Buffered } else { Durability::Local };
        let written = node.write(durability, move |w| {
            for record in 0..size {
                let id = format!("ours {run}.{n} {record}");
                let text = Value::from(id.repeat(10));
                w.put(data, &admin, Map::from_iter([("_id", Value::from(id)), ("text", text)]))?;
            }
            Ok::<_, WriteError>(())
        });
        written.await.expect("the records are written");
        Child::say(&format!("done write {run}.{n} {size}"));
    }
}

/// Takes what others wrote in this chapter and the one before, again and again.
async fn receive(node: Node, others: Arc<Others>, data: Arc<DatabaseInfo>, folder: u64, run: u64, closes: bool) {
    let mut random = Random::new(run << 8 | 1);
    let mut identities = others.identities();
    random.shuffle(&mut identities);
    let grants = others.grants();
    let mut entries: Vec<(u64, usize, Vec<u8>)> = Vec::new();
    for chapter in [run.saturating_sub(1), run] {
        entries.extend(others.chapter(chapter).into_iter().enumerate().map(|(at, entry)| (chapter, at, entry)));
    }
    let mut rest = Vec::new();
    for n in rounds(closes) {
        if rest.is_empty() {
            rest = entries.clone();
            random.shuffle(&mut rest);
        }
        let piece = rest.split_off(rest.len().saturating_sub(1 + random.below(6) as usize));
        let told: Vec<String> = piece.iter().map(|(chapter, at, _)| format!("{chapter}.{at}")).collect();
        let identity = identities[n as usize % identities.len()].clone();
        Child::say(&format!("begin receive {}", told.join(" ")));
        let piece = piece.into_iter().map(|(_, _, entry)| entry).collect();
        let receipt = node.receive(data.id, "a peer", vec![identity], piece).await.expect("it is taken");
        assert!(receipt.not_kept.is_empty(), "{receipt:?}");
        Child::say(&format!("done receive {}", told.join(" ")));
        if learns_rights(folder) && random.below(4) == 0 {
            let access = data.controller.expect("a controller");
            let (grant, identity) = (random.below(3) as usize, grants[3].clone());
            node.receive(access, "a peer", vec![identity], vec![grants[grant].clone()]).await.expect("it is taken");
        }
    }
}

/// Grants and revokes.
async fn rule(node: Node, others: Arc<Others>, data: Arc<DatabaseInfo>, run: u64, closes: bool) {
    let mut random = Random::new(run << 8 | 2);
    let access = data.controller.expect("a controller");
    for _ in rounds(closes) {
        let (who, grant) = (random.below(3) as usize, random.below(3) > 0);
        let (admin, user) = (others.admin.clone(), others.writers[who].id().to_owned());
        let word = if grant { "grant" } else { "revoke" };
        Child::say(&format!("begin {word} {who}"));
        let ruled = node.write(Durability::Local, move |w| {
            if grant { w.grant(access, &admin, "write", &user) } else { w.revoke(access, &admin, "write", &user) }
        });
        ruled.await.map_err(|error: CommitError<WriteError>| error).expect("the rights are changed");
        Child::say(&format!("done {word} {who}"));
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
}

/// What must be in a folder.
#[derive(Default)]
struct Expected {
    /// Written records: of each batch, how many.
    written: BTreeMap<String, u64>,
    /// Entries that were taken, by chapter and place.
    taken: BTreeSet<(u64, usize)>,
    /// Who may write, as far as it is known.
    rights: [Option<bool>; 3],
    /// What was begun and not answered.
    begun: Vec<String>,
}

impl Expected {
    fn hear(&mut self, child: &Child) {
        self.begun.clear();
        for line in &child.said {
            let (word, operation) = line.split_once(' ').expect("two words");
            if word == "begin" {
                self.begun.push(operation.to_owned());
                continue;
            }
            self.begun.retain(|begun| begun != operation);
            let (what, with) = operation.split_once(' ').expect("an operation");
            match what {
                "write" => {
                    let (name, size) = with.split_once(' ').expect("a batch and its size");
                    self.written.insert(name.to_owned(), size.parse().expect("a number"));
                }
                "receive" => self.taken.extend(with.split(' ').map(entry_named)),
                right => self.rights[with.parse::<usize>().expect("a number")] = Some(right == "grant"),
            }
        }
        for begun in &self.begun {
            if let Some((_, who)) = begun.split_once(' ').filter(|(what, _)| ["grant", "revoke"].contains(what)) {
                self.rights[who.parse::<usize>().expect("a number")] = None;
            }
        }
    }
}

fn entry_named(name: &str) -> (u64, usize) {
    let (chapter, at) = name.split_once('.').expect("chapter and place");
    (chapter.parse().expect("a number"), at.parse().expect("a number"))
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
        node.settle();
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
        // two manifests and lists, six identities, at most two rows for each change of rights
        let rights = snapshot.entries(access).expect("a count");
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
        node.settle();

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
        let receipt = fresh.receive(again.id, "a peer", vec![], all).await.expect("it is taken");
        assert!(receipt.not_kept.is_empty(), "{receipt:?}");
        fresh.settle();
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
    let mut random = Random::of_this_run();
    let first = [Step::FormatWrite, Step::FormatRename].map(|step| [step.before(), step.after()]).concat();
    let points: Vec<String> = Moment::points().into_iter().filter(|point| !first.contains(point)).collect();
    let mut come = BTreeMap::<String, u64>::new();
    let (mut next_first, mut next_point) = (0, 0);
    let mut scene = Scene::new(0);
    for run in 0..runs {
        if run > 0 && run % KILLS_OF_A_FOLDER == 0 {
            let number = scene.number + 1;
            std::mem::replace(&mut scene, Scene::new(number)).end().await;
        }
        let of_folder = run % KILLS_OF_A_FOLDER;
        let moment = if of_folder == 0 {
            // these steps are taken once
            next_first += 1;
            Moment::At { point: first[(next_first - 1) % first.len()].clone(), times: 1 }
        } else if of_folder % 3 == 2 {
            match random.below(6) {
                0 => Moment::Opening(Duration::from_millis(random.below(20))),
                _ => Moment::Open(Duration::from_micros(random.below(60_000))),
            }
        } else {
            next_point += 1;
            let point = points[(next_point - 1) % points.len()].clone();
            let is_of_writing = ["Append", "SegmentSync", "StateCommit", "IndexSync", "IndexRename"]
                .iter()
                .any(|word| point.contains(word));
            Moment::At { times: if is_of_writing { 1 + random.below(6) } else { 1 }, point }
        };
        let mut closes = false;
        if let Moment::At { point, .. } = &moment {
            closes = point.ends_with("StateClose");
            if point.ends_with("TailCut") || point.ends_with("TailSync") {
                tear(scene.folder.path(), random.below(300) as usize + 1);
            }
        }
        let argument = format!("{} {run} {} {}", scene.number, u8::from(closes), scene.folder.path().display());
        let child = Child::run("joins::child", &argument, &moment);
        if let Moment::At { point, .. } = &moment {
            assert!(child.came_there, "run {run}: the child does not come to `{point}`");
            *come.entry(point.clone()).or_default() += 1;
        }
        scene.expected.hear(&child);
        scene.check(run, random.below(2) == 0).await;
    }
    scene.end().await;
    println!("{runs} kills, at {} of {} failpoints", come.len(), points.len() + first.len());
    if next_point >= points.len() && next_first >= first.len() {
        assert_eq!(come.len(), points.len() + first.len(), "a child came to each failpoint: {come:?}");
    }
}

/// As if a group was being written: random bytes behind the last one.
fn tear(folder: &Path, bytes: usize) {
    let last = std::fs::read_dir(folder.join("segments")).expect("segments");
    let last = last
        .map(|entry| entry.expect("segments").path())
        .filter(|path| path.extension().is_some_and(|e| e == "car"))
        .max();
    let mut file = std::fs::OpenOptions::new().append(true).open(last.expect("a segment")).expect("the segment");
    std::io::Write::write_all(&mut file, &vec![0x55; bytes]).expect("it can be written");
}
