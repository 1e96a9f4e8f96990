use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use debros_ipfs::{ApplyError, Durability, ReadState};

use crate::ledger::*;

const FOLDER: &str = "DEBROS_IPFS_CRASH_FOLDER";
const BATCH: u8 = 20;

/// The number of the last write that `rows` holds, each of which is a counter, a block and a batch of rows.
fn check(dir: &Path) -> u64 {
    let store = open(dir, small());
    let snapshot = store.snapshot().unwrap();
    let writes = count(&snapshot, b"n").unwrap();
    for n in 1..=writes {
        let position = position_of(&snapshot, &n.to_be_bytes()).unwrap();
        assert_eq!(snapshot.block_at(position).unwrap(), format!("block {n}").as_bytes());
    }
    assert_eq!(snapshot.scan(BLOCKS, b"", None, false).count() as u64, writes);
    // A batch is whole or absent.
    let mut per_write = std::collections::BTreeMap::<Vec<u8>, u8>::new();
    for row in snapshot.scan(ROWS, b"", None, false) {
        *per_write.entry(row.unwrap().0[..8].to_vec()).or_default() += 1;
    }
    assert!(per_write.values().all(|rows| *rows == BATCH));
    assert_eq!(per_write.len() as u64, writes);
    assert_clean(&store);
    if writes.is_multiple_of(2) {
        wait(store.close()).unwrap();
    }
    writes
}

/// Not a test by itself: what the other one kills.
#[test]
fn child() {
    let Some(dir) = std::env::var_os(FOLDER) else { return };
    let store = open(Path::new(&dir), small());
    let mut out = std::io::stdout();
    let mut answers = std::collections::VecDeque::new();
    for i in 0u64.. {
        let durability = if i % 5 == 4 { Durability::Buffered } else { Durability::Local };
        answers.push_back(store.commit(durability, |group| {
            let n = count(group, b"n")? + 1;
            group.journal(b"in".to_vec())?;
            store_block(group, &n.to_be_bytes(), format!("block {n}").as_bytes())?;
            for row in 0..BATCH {
                group.journal(put_op(&[&n.to_be_bytes()[..], &[row]].concat(), &[row; 20]))?;
            }
            Ok::<_, ApplyError>(n)
        }));
        // A few at a time, so that groups overlap.
        if answers.len() > 3 {
            let n = wait(answers.pop_front().unwrap()).unwrap();
            writeln!(out, "answered {n}").unwrap();
            out.flush().unwrap();
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_that_was_answered() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = 0x2545_f491_4f6c_dd1du64;
    for round in 0..25 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["crash::child", "--exact", "--nocapture"])
            .env(FOLDER, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let enough = random >> 33 & 31;
        let pause = Duration::from_micros(random >> 40 & 4095);
        let mut answered = 0;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines
            .map_while(Result::ok)
            .filter_map(|line| line.rsplit_once("answered ").and_then(|(_, n)| n.parse::<u64>().ok()));
        for _ in 0..=enough {
            answered = lines.next().expect("the child runs until it is killed");
        }
        std::thread::sleep(pause);
        child.kill().unwrap();
        child.wait().unwrap();
        answered = lines.last().unwrap_or(answered);
        let there = check(dir.path());
        assert!(there >= answered, "round {round}: {answered} were answered, {there} are there");
    }
}
