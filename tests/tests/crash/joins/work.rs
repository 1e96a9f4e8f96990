//! What the killed process does.

use super::{learns_rights, open, open_database, options};
use crate::{child::Child, others::Others, random::Random};
use debros_core::{Map, Value};
use debros_orbit::{CommitError, DatabaseId, DatabaseInfo, Durability, Node, WriteError};
use std::{path::Path, sync::Arc, time::Duration};

/// It closes its folder after so many rounds, where it is to be killed while it does.
const ROUNDS: u64 = 8;

/// Not a test of its own. It says `begin` before and `done` after each operation.
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
    if run % 10 == 7 {
        let node = node.clone();
        tokio::task::spawn_blocking(move || node.verify());
    }
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
