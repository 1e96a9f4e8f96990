use std::sync::{Arc, mpsc};

use debros_ipfs::{CommitError, Durability, OpenError, ReadState, Store, StoreError};

use crate::ledger::*;

fn fill(store: &Store, n: u8) {
    for i in 0..n {
        wait(store.commit(Durability::Local, move |group| {
            group.journal(put_op(format!("key {i:03}").as_bytes(), &[b'v'; 50]))?;
            group.journal(b"in".to_vec())?;
            store_block(group, &[i], &[i; 150])
        }))
        .unwrap();
    }
    journal(store, &[b"s".to_vec()]).unwrap();
}

fn check(store: &Store, n: u8) {
    let snapshot = store.snapshot().unwrap();
    assert_eq!(rows(&snapshot).len(), usize::from(n));
    assert_eq!(count(&snapshot, b"n").unwrap(), u64::from(n));
    for i in 0..n {
        let position = position_of(&snapshot, &[i]).unwrap();
        assert_eq!(snapshot.block_at(position).unwrap(), [i; 150].as_slice());
        assert_eq!(snapshot.block(&block(&[i; 150]).0).unwrap().unwrap().0, position);
    }
    assert_clean(store);
}

#[test]
fn what_was_answered_is_there_after_close_and_after_drop() {
    for options in [no_checkpoints(), small()] {
        let dir = temporary().unwrap();
        let store = open(dir.path(), options.clone());
        assert!(!store.recovery().rebuilt);
        fill(&store, 20);
        check(&store, 20);
        wait(store.close()).unwrap();
        let store = open(dir.path(), options.clone());
        assert_eq!((store.recovery().replayed, store.recovery().rebuilt), (0, false));
        check(&store, 20);
        put(&store, "one more", "x");
        journal(&store, &[b"done more".to_vec()]).unwrap();
        drop(store);
        let store = open(dir.path(), options);
        check(&store, 20);
        fill(&store, 0);
        check(&store, 20);
    }
}

#[test]
fn without_a_checkpoint_everything_is_replayed() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    fill(&store, 20);
    drop(store);
    let store = open(dir.path(), no_checkpoints());
    assert_eq!(store.recovery().replayed, 21);
    check(&store, 20);
}

#[test]
fn buffered_writes_are_there_too_and_a_local_job_without_changes_syncs_them() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    for i in 0..10u8 {
        wait(store.commit(Durability::Buffered, move |group| group.journal(put_op(&[b'a' + i], b"1")))).unwrap();
    }
    wait(store.commit(Durability::Local, |_| Ok::<_, ()>(()))).unwrap();
    drop(store);
    let store = open(dir.path(), no_checkpoints());
    assert_eq!(rows(&store.snapshot().unwrap()).len(), 10);
    assert_eq!(store.recovery().replayed, 10, "a job without changes writes no group");
}

#[test]
fn after_close_everything_says_closed() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    fill(&store, 3);
    let other = store.clone();
    let snapshot = store.snapshot().unwrap();
    let position = position_of(&snapshot, &[1]).unwrap();
    let mut scan = snapshot.scan(ROWS, b"", None, false);
    scan.next().unwrap().unwrap();
    wait(store.close()).unwrap();
    assert!(matches!(scan.next(), Some(Err(StoreError::Closed { .. }))));
    assert!(scan.next().is_none());
    assert!(matches!(snapshot.get(ROWS, b"key 001"), Err(StoreError::Closed { .. })));
    assert!(matches!(snapshot.block_at(position), Err(StoreError::Closed { .. })));
    assert!(matches!(snapshot.block(&block(b"x").0), Err(StoreError::Closed { .. })));
    assert!(matches!(other.snapshot(), Err(StoreError::Closed { .. })));
    assert!(matches!(other.verify(), Err(StoreError::Closed { .. })));
    let error = wait(other.commit(Durability::Local, |_| Ok::<_, ()>(()))).unwrap_err();
    assert!(matches!(error, CommitError::Closed { .. }), "{error:?}");
    wait(other.close()).unwrap();
    // The folder is free though handles and snapshots live.
    check(&open(dir.path(), no_checkpoints()), 3);
}

#[test]
fn closing_runs_what_is_queued_and_several_may_close_at_once() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    let (go, gate) = mpsc::channel::<()>();
    let first = store.commit(Durability::Local, move |_| gate.recv().map_err(|_| ()));
    let second = store.commit(Durability::Local, |group| group.journal(put_op(b"a", b"1")));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let closing: Vec<_> =
            (0..3).map(|_| store.clone()).map(|s| tokio::spawn(async move { s.close().await })).collect();
        go.send(()).unwrap();
        for close in closing {
            close.await.unwrap().unwrap();
        }
        first.await.unwrap();
        second.await.unwrap();
    });
    assert_eq!(get(&open(dir.path(), no_checkpoints()), "a").as_deref(), Some("1"));
}

#[test]
fn a_close_that_nobody_waits_for_happens_all_the_same() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    fill(&store, 2);
    let mut close = Box::pin(store.close());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let _ = close.as_mut().poll(&mut context);
    drop(close);
    wait(store.close()).unwrap();
    check(&open(dir.path(), no_checkpoints()), 2);
}

#[test]
fn dropping_the_last_handle_ends_snapshots_and_lets_the_folder_go() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    fill(&store, 2);
    let snapshot = store.snapshot().unwrap();
    drop(store);
    assert!(matches!(snapshot.get(ROWS, b"key 001"), Err(StoreError::Closed { .. })));
    check(&open(dir.path(), no_checkpoints()), 2);
}

#[test]
fn the_last_handle_may_go_with_a_job() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    let inner = store.clone();
    let (go, gate) = mpsc::channel::<()>();
    let answer = store.commit(Durability::Local, move |group| {
        gate.recv().map_err(debros_ipfs::ApplyError::refused)?;
        group.journal(put_op(b"a", b"1"))?;
        drop(inner);
        Ok::<_, debros_ipfs::ApplyError>(())
    });
    drop(store);
    go.send(()).unwrap();
    wait(answer).unwrap();
    // The threads end by themselves, soon.
    let store = loop {
        match Store::open(dir.path(), no_checkpoints(), Arc::new(Ledger::default())) {
            Ok(store) => break store,
            Err(OpenError::Locked { .. }) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(get(&store, "a").as_deref(), Some("1"));
}

#[test]
fn a_folder_that_is_held_is_refused_and_nothing_happens_to_it() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    fill(&store, 2);
    let Err(error) = Store::open(dir.path(), no_checkpoints(), Arc::new(Ledger::default())) else { panic!() };
    assert!(matches!(&error, OpenError::Locked { holder: Some(holder), .. } if holder.pid == std::process::id()));
    assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}");
    check(&store, 2);
}

#[test]
fn several_stores_live_in_one_process() {
    let dir = temporary().unwrap();
    let stores: Vec<_> = (0..3).map(|i| open(&dir.path().join(i.to_string()), no_checkpoints())).collect();
    for (i, store) in stores.iter().enumerate() {
        put(store, "who", &i.to_string());
    }
    for (i, store) in stores.iter().enumerate() {
        assert_eq!(get(store, "who"), Some(i.to_string()));
    }
}

#[test]
fn the_state_is_rebuilt_when_it_is_lost_garbage_or_of_other_rules() {
    let dir = temporary().unwrap();
    let state = dir.path().join("state.redb");
    let store = open(dir.path(), small());
    fill(&store, 20);
    wait(store.close()).unwrap();

    std::fs::remove_file(&state).unwrap();
    let store = open(dir.path(), small());
    assert_eq!((store.recovery().rebuilt, store.recovery().replayed), (true, 21));
    check(&store, 20);
    wait(store.close()).unwrap();

    for garbage in [vec![7; 100_000], b"redb".to_vec(), vec![]] {
        std::fs::write(&state, garbage).unwrap();
        let store = open(dir.path(), small());
        assert!(store.recovery().rebuilt);
        check(&store, 20);
        wait(store.close()).unwrap();
    }

    let sum = |store: &Store| store.snapshot().unwrap().get(COUNTS, b"sum").unwrap().unwrap();
    let store = open(dir.path(), small());
    let before = sum(&store);
    drop(store);
    let store = Store::open(dir.path(), small(), Arc::new(Ledger { version: 1 })).unwrap();
    assert!(store.recovery().rebuilt);
    check(&store, 20);
    assert_ne!(sum(&store), before);
    drop(store);

    let mut options = small();
    options.rebuild = true;
    let store = open(dir.path(), options);
    assert!(store.recovery().rebuilt);
    check(&store, 20);
    assert_eq!(sum(&store), before);
}

#[test]
fn verify_tells_a_state_that_does_not_follow_from_the_segments() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    fill(&store, 5);
    wait(store.close()).unwrap();
    {
        let database = redb::Database::open(dir.path().join("state.redb")).unwrap();
        let transaction = database.begin_write().unwrap();
        {
            let rows = redb::TableDefinition::<&[u8], &[u8]>::new("rows");
            let mut rows = transaction.open_table(rows).unwrap();
            rows.insert(b"key 001".as_slice(), b"forged".as_slice()).unwrap();
            rows.insert(b"key 002x".as_slice(), b"forged".as_slice()).unwrap();
            rows.remove(b"key 004".as_slice()).unwrap();
        }
        transaction.commit().unwrap();
    }
    let store = open(dir.path(), no_checkpoints());
    let report = store.verify().unwrap();
    assert!(!report.is_clean() && report.damage.is_empty());
    assert_eq!(report.differing, 3);
    let text = report.to_string();
    assert!(text.contains("table rows, key key 001: has another value"), "{text}");
    assert!(text.contains("key key 002x: is in the state but does not follow"), "{text}");
    assert!(text.contains("key key 004: follows from the segments but is missing"), "{text}");
    drop(store);
    let mut options = no_checkpoints();
    options.rebuild = true;
    check(&open(dir.path(), options), 5);
}

#[test]
fn verify_leaves_no_files_and_those_of_an_interrupted_one_are_removed() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    fill(&store, 2);
    assert_clean(&store);
    assert_eq!(std::fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
    drop(store);
    std::fs::create_dir_all(dir.path().join("tmp/verify-x")).unwrap();
    std::fs::write(dir.path().join("tmp/verify-x/state.redb"), b"left").unwrap();
    let store = open(dir.path(), no_checkpoints());
    assert!(!dir.path().join("tmp").exists());
    check(&store, 2);
}
