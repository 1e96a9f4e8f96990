use std::{path::Path, process::Command};

use debros_ipfs::{CommitError, DiskError, Durability, ReadState, StoreError};

use crate::ledger::*;

const FOLDER: &str = "DEBROS_IPFS_POISON_FOLDER";

/// Not a test by itself: it runs in a process that may not write files of more than 200 KiB.
#[test]
fn child() {
    let Some(dir) = std::env::var_os(FOLDER) else { return };
    let store = open(Path::new(&dir), no_checkpoints());
    let mut written = 0u32;
    let error = loop {
        let answer = wait(store.commit(Durability::Local, move |group| {
            store_block(group, &written.to_be_bytes(), &[written.to_be_bytes(); 500].concat())
        }));
        match answer {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    let CommitError::Poisoned(poison) = error else { panic!("{error}") };
    assert!(matches!(poison.cause(), StoreError::Disk(DiskError::Full { .. })), "{poison}");
    assert!(poison.to_string().contains("0000000001.car"), "{poison}");
    // Writing has ended, reading goes on, and the write that failed is not seen.
    let again = wait(store.commit(Durability::Local, |group| group.journal(put_op(b"a", b"1")))).unwrap_err();
    assert!(matches!(again, CommitError::Poisoned(_)), "{again}");
    let snapshot = store.snapshot().unwrap();
    assert!(written > 10);
    for i in 0..written {
        let position = position_of(&snapshot, &i.to_be_bytes()).unwrap();
        assert_eq!(snapshot.block_at(position).unwrap(), [i.to_be_bytes(); 500].concat());
    }
    assert!(position_of(&snapshot, &written.to_be_bytes()).is_none());
    let closed = wait(store.close()).unwrap_err();
    assert!(matches!(closed, StoreError::Poisoned(_)), "{closed}");
    println!("written {written}.");
}

#[cfg(unix)]
#[test]
fn a_failed_write_ends_writing_until_the_store_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("store");
    drop(open(&folder, no_checkpoints()));
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 400; exec \"$0\" poison::child --exact --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, &folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let (_, written) = text.split_once("written ").expect(&text);
    let written: u32 = written.split_once('.').unwrap().0.parse().unwrap();
    let store = open(&folder, no_checkpoints());
    let snapshot = store.snapshot().unwrap();
    // What failed was told so, and may be there or not: here a part of it was cut.
    assert_eq!(snapshot.scan(BLOCKS, b"", None, false).count() as u32, written);
    assert!(store.recovery().cut > 0);
    put(&store, "a", "1");
    assert_clean(&store);
}
