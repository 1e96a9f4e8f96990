//! An application writes through models: single records, batches, updates, deletions.

use crate::{child::Child, kills, moment::Moment, random::Random, tidy::Tidy};
use debros::prelude::*;
use std::{collections::BTreeMap, path::Path, time::Duration};

/// What the child writes.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub(crate) struct Note {
    /// Its key.
    #[field(key)]
    pub id: Id<Note>,
    /// Its name, told to the parent process.
    #[field(unique)]
    pub name: String,
    /// Counts its updates.
    #[field(index, default = 0)]
    pub edits: i64,
    /// Ballast.
    pub text: String,
}

/// So many kills happen to one folder.
const KILLS_OF_A_FOLDER: u64 = 25;
const BATCH: usize = 7;

async fn open(dir: &Path) -> Db {
    Db::open(dir, "crash", models![Note]).await.expect("the data folder opens")
}

fn note(name: String) -> NewNote {
    NewNote { text: name.repeat(20), name }
}

/// Not a test of its own: what the killed process does. It says `begin` before and `done` after each operation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(argument) = Child::argument() else { return };
    let (run, dir) = argument.split_once(' ').expect("run and folder");
    let db = open(Path::new(dir)).await;
    let identity = db.identity("writer").await.expect("an identity");
    let me = db.session(&identity);
    let say = |line: String| Child::say(&line);
    say("open".into());
    let mut mine: Vec<Note> = Vec::new();
    for step in 0..100_000 {
        match step % 5 {
            0 | 1 => {
                let name = format!("{run}.{step}");
                say(format!("begin create {name}"));
                mine.push(me.create(note(name.clone())).await.expect("create"));
                say(format!("done create {name}"));
            }
            2 => {
                let name = format!("{run}.{step}");
                say(format!("begin batch {name}"));
                let new = (0..BATCH).map(|n| note(format!("{name}-{n}")));
                mine.extend(me.batch().create_all(new).await.expect("batch"));
                say(format!("done batch {name}"));
            }
            3 => {
                let at = step * 7 % mine.len();
                let (name, edits) = (mine[at].name.clone(), mine[at].edits + 1);
                say(format!("begin update {name} {edits}"));
                mine[at] = me.update(&mine[at]).set(|n| n.edits, edits).await.expect("update");
                say(format!("done update {name} {edits}"));
            }
            _ => {
                let gone = mine.swap_remove(step * 11 % mine.len());
                say(format!("begin delete {}", gone.name));
                me.delete(&gone).await.expect("delete");
                say(format!("done delete {}", gone.name));
            }
        }
    }
}

type State = BTreeMap<String, i64>;

fn apply(state: &mut State, operation: &str) {
    let words: Vec<&str> = operation.split(' ').collect();
    match words[..] {
        ["create", name] => {
            state.insert(name.into(), 0);
        }
        ["batch", name] => state.extend((0..BATCH).map(|n| (format!("{name}-{n}"), 0))),
        ["update", name, edits] => {
            state.insert(name.into(), edits.parse().expect("a number"));
        }
        ["delete", name] => {
            state.remove(name);
        }
        _ => panic!("what is `{operation}`?"),
    }
}

async fn stored(db: &Db) -> State {
    let notes = Note::query().fetch(db).await.expect("the notes");
    for note in &notes {
        assert_eq!(note.text, note.name.repeat(20), "a row is whole");
    }
    notes.into_iter().map(|note| (note.name, note.edits)).collect()
}

/// Somebody who follows what changes, from where the last process was killed.
#[derive(Default)]
struct Follower {
    position: Option<String>,
    state: State,
}

impl Follower {
    async fn follow(&mut self, db: &Db) {
        let changes = match &self.position {
            None => Note::changes().from_beginning(),
            Some(position) => Note::changes().from(&position.parse().expect("a position")),
        };
        let mut stream = changes.until_now().stream(db);
        while let Some(change) = stream.next().await {
            let RowChange { row, before, .. } = change.expect("the position is there");
            if let Some(note) = before {
                assert_eq!(self.state.remove(&note.name), Some(note.edits), "what was before is what was told");
            }
            self.state.extend(row.map(|note| (note.name, note.edits)));
        }
        self.position = stream.position().map(|position| position.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answered_writes_survive_kill_9() {
    let runs = kills() * 3 / 10;
    let mut random = Random::of_this_run();
    let mut dir = tempfile::tempdir().expect("a folder");
    let (mut expected, mut follower) = (State::new(), Follower::default());
    let (mut answered, mut torn) = (0, 0);
    for run in 0..runs {
        if run % KILLS_OF_A_FOLDER == 0 {
            (dir, expected) = (tempfile::tempdir().expect("a folder"), State::new());
            follower = Follower::default();
        }
        // one in eight dies while it opens the folder, the others after some writes
        let moment = match random.below(8) {
            0 => Moment::Opening(Duration::from_millis(random.below(30))),
            _ => Moment::Open(Duration::from_micros(random.below(60_000))),
        };
        let child = Child::run("models::child", &format!("{run} {}", dir.path().display()), &moment);

        let mut open_operation = None;
        for line in &child.said {
            let (word, operation) = line.split_once(' ').expect("two words");
            match word {
                "begin" => open_operation = Some(operation.to_owned()),
                _ => {
                    apply(&mut expected, operation);
                    open_operation = None;
                    answered += 1;
                }
            }
        }

        let db = open(dir.path()).await;
        let found = stored(&db).await;
        if found != expected {
            // then the operation that was not answered is there, and whole
            let operation = open_operation.unwrap_or_else(|| panic!("run {run}: answered writes are lost or changed"));
            apply(&mut expected, &operation);
            torn += 1;
            let differ: Vec<_> = expected.iter().filter(|(k, v)| found.get(*k) != Some(v)).collect();
            assert_eq!(found, expected, "run {run}: after `{operation}`, differing: {differ:?}");
        }
        follower.follow(&db).await;
        assert_eq!(follower.state, expected, "run {run}: what was told is what is there");
        let report = db.verify().await.expect("verify runs");
        assert!(report.is_clean(), "run {run}: {report}");
        // what was killed while it wrote its keys goes on with them
        db.identity("writer").await.expect("the keys are whole or absent");
        db.close().await.expect("it closes");
        Tidy::of(dir.path()).assert(report.block_bytes);
    }
    println!("{runs} kills, {answered} answered operations, {torn} durable though not answered");
    assert!(answered > runs, "the child got to write");
}
