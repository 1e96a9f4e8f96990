use std::sync::mpsc;

use debros_ipfs::{ApplyError, BlockError, CommitError, Durability, ReadState, Table};

use crate::ledger::*;

#[test]
fn a_job_that_fails_leaves_nothing_behind() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    let error = wait(store.commit(Durability::Local, |group| {
        store_block(group, b"lost", b"a block that is lost").unwrap();
        group.journal(put_op(b"k", b"v")).unwrap();
        assert_eq!(group.get(ROWS, b"k").unwrap().as_deref(), Some(b"v".as_slice()));
        Err::<(), _>("thought better of it")
    }))
    .unwrap_err();
    assert!(matches!(error, CommitError::Job("thought better of it")));
    let position = wait(store.commit(Durability::Local, |group| {
        assert!(group.get(ROWS, b"k").unwrap().is_none());
        assert!(group.block(&block(b"a block that is lost").0).unwrap().is_none());
        store_block(group, b"kept", b"a block that is kept")
    }))
    .unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.block_at(position).unwrap(), b"a block that is kept".as_slice());
    assert!(snapshot.get(BLOCKS, b"lost").unwrap().is_none());
    assert!(snapshot.block(&block(b"a block that is lost").0).unwrap().is_none());
    let report = store.verify().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.groups, report.blocks), (1, 1));
}

#[test]
fn failing_jobs_between_others_of_a_group_do_not_disturb_them() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    let (go, gate) = mpsc::channel::<()>();
    let first = store.commit(Durability::Local, move |_| gate.recv().map_err(|_| ()));
    let mut answers = Vec::new();
    for i in 0..40u8 {
        answers.push(store.commit(Durability::Local, move |group| {
            let before = count(group, b"n").unwrap();
            assert_eq!(before, u64::from(i.div_ceil(2)));
            let position = store_block(group, &[i], &[i; 30])?;
            group.journal(b"in".to_vec())?;
            if i % 2 == 1 { Err(ApplyError::refused("odd")) } else { Ok(position) }
        }));
    }
    go.send(()).unwrap();
    wait(first).unwrap();
    for (i, answer) in (0..40u8).zip(answers) {
        match wait(answer) {
            Ok(position) => assert_eq!(store.snapshot().unwrap().block_at(position).unwrap(), [i; 30].as_slice()),
            Err(error) => assert!(i % 2 == 1 && matches!(error, CommitError::Job(_)), "{i}: {error}"),
        }
    }
    let snapshot = store.snapshot().unwrap();
    assert_eq!(count(&snapshot, b"n").unwrap(), 20);
    assert_eq!(snapshot.scan(BLOCKS, b"", None, false).count(), 20);
    assert_clean(&store);
    drop(store);
    assert_clean(&open(dir.path(), no_checkpoints()));
}

#[test]
fn panics_of_jobs_and_of_apply_are_errors_and_the_store_goes_on() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    let job = |group: &mut debros_ipfs::Group<'_>| -> Result<(), ApplyError> {
        store_block(group, b"k", b"half done")?;
        panic!("job {}", 7)
    };
    let error = wait(store.commit(Durability::Local, job)).unwrap_err();
    assert!(matches!(&error, CommitError::Panicked { message } if message == "job 7"), "{error}");
    let error = journal(&store, &[put_op(b"a", b"1"), b"!".to_vec()]).unwrap_err();
    assert!(matches!(&error, CommitError::Panicked { message } if message == "the ledger panicked"), "{error}");
    put(&store, "b", "2");
    assert_eq!(rows(&store.snapshot().unwrap()), [("b".into(), "2".into())]);
    assert_clean(&store);
}

#[test]
fn a_refused_operation_loses_the_job_even_if_the_job_goes_on() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    let error = wait(store.commit(Durability::Local, |group| {
        group.journal(put_op(b"a", b"1"))?;
        assert!(group.journal(b"?what".to_vec()).unwrap_err().to_string().contains("?what"));
        assert!(matches!(group.journal(put_op(b"b", b"1")), Err(ApplyError::Failed { .. })));
        Ok::<_, ApplyError>(())
    }))
    .unwrap_err();
    assert!(matches!(error, CommitError::Apply(_)), "{error}");
    assert!(error.to_string().contains("?what"), "{error}");
    assert!(rows(&store.snapshot().unwrap()).is_empty());
}

#[test]
fn blocks_that_do_not_match_their_cid_are_refused() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    let error = wait(store.commit(Durability::Local, |group| {
        group.add_block(block(b"this").0, b"that".to_vec());
        assert!(matches!(group.journal(put_op(b"a", b"1")), Err(ApplyError::Failed { .. })));
        Ok::<_, ApplyError>(())
    }))
    .unwrap_err();
    assert!(matches!(error, CommitError::Block(BlockError::Mismatch { .. })), "{error}");
    assert!(rows(&store.snapshot().unwrap()).is_empty());
}

#[test]
fn rows_are_changed_by_apply_alone_and_apply_changes_nothing_but_rows() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    let misuse = |result: Result<(), CommitError<ApplyError>>| match result.unwrap_err() {
        CommitError::Misuse { rule } => rule,
        other => panic!("{other}"),
    };
    let put = wait(store.commit(Durability::Local, |group| {
        group.put(ROWS, b"k".to_vec(), b"v".to_vec());
        Ok(())
    }));
    assert!(misuse(put).contains("by Apply"));
    let delete = wait(store.commit(Durability::Local, |group| {
        group.delete(ROWS, b"k".to_vec());
        Ok(())
    }));
    assert!(misuse(delete).contains("by Apply"));
    for (op, rule) in [("j", "journaled by jobs"), ("a", "added by jobs"), ("c", "control character")] {
        let result = wait(store.commit(Durability::Local, |group| {
            assert!(group.journal(op.as_bytes().to_vec()).is_err());
            Ok::<_, ApplyError>(())
        }));
        match result.unwrap_err() {
            CommitError::Misuse { rule: told } => assert!(told.contains(rule), "{told}"),
            other => panic!("{op}: {other}"),
        }
    }
    assert!(rows(&store.snapshot().unwrap()).is_empty());
    assert_eq!(store.verify().unwrap().groups, 0);
}

#[test]
fn a_job_that_is_too_much_for_one_commit_is_refused() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    let error = wait(store.commit(Durability::Local, |group| {
        let op = [b"p\x01k".as_slice(), &vec![0; 70 << 20]].concat();
        group.journal(op.clone())?;
        let refused = group.journal(op);
        assert!(refused.is_err());
        refused
    }))
    .unwrap_err();
    assert!(matches!(error, CommitError::Job(ApplyError::Failed { .. })), "{error}");
    let error = wait(store.commit(Durability::Local, |group| {
        let _ = group.journal(vec![b'p'; 129 << 20]);
        Ok::<_, ApplyError>(())
    }))
    .unwrap_err();
    assert!(matches!(error, CommitError::TooLarge { max } if max == 128 << 20), "{error}");
    assert_eq!(store.verify().unwrap().groups, 0);
}

#[test]
fn a_large_block_and_an_empty_one_are_read_back() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    let large = vec![42; debros_ipfs::MAX_BLOCK];
    let (cid, data) = block(&large);
    wait(store.commit(Durability::Local, move |group| {
        group.add_block(cid, data);
        let (empty, data) = block(b"");
        group.add_block(empty, data);
        Ok::<_, ()>(())
    }))
    .unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.block(&cid).unwrap().unwrap().1, large);
    let (position, empty) = snapshot.block(&block(b"").0).unwrap().unwrap();
    assert!(empty.is_empty() && snapshot.block_at(position).unwrap().is_empty());
    assert_clean(&store);
}

#[test]
fn a_job_sees_blocks_of_jobs_before_it_wherever_they_are() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small());
    let mut answers = Vec::new();
    for i in 0..60u8 {
        answers.push(store.commit(Durability::Local, move |group| {
            for earlier in 0..i {
                let position = position_of(group, &[earlier]).unwrap();
                assert_eq!(group.block_at(position).unwrap(), [earlier; 100].as_slice());
                let (found, data) = group.block(&block(&[earlier; 100]).0).unwrap().unwrap();
                assert_eq!((found, &data[..]), (position, [earlier; 100].as_slice()));
            }
            store_block(group, &[i], &[i; 100])
        }));
    }
    for answer in answers {
        wait(answer).unwrap();
    }
    assert_clean(&store);
}

#[test]
fn the_newest_copy_of_a_block_is_found() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small());
    let mut last = None;
    for i in 0..20u8 {
        let position = wait(store.commit(Durability::Local, move |group| {
            store_block(group, &[i], &[i; 200])?;
            store_block(group, b"again", b"always the same")
        }))
        .unwrap();
        assert!(last < Some(position));
        last = Some(position);
        let (found, _) = store.snapshot().unwrap().block(&block(b"always the same").0).unwrap().unwrap();
        assert_eq!(found, position);
    }
    // Whatever others find, replay finds what was there when the operation was journaled.
    journal(&store, &[b"salways the same".to_vec()]).unwrap();
    wait(store.commit(Durability::Local, |group| store_block(group, b"again", b"always the same"))).unwrap();
    assert_clean(&store);
}

#[test]
fn many_committers_are_all_answered_and_share_groups_at_most() {
    let dir = temporary().unwrap();
    let mut options = small();
    options.queue = 8;
    let store = open(dir.path(), options);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let mut tasks = Vec::new();
        for writer in 0..16u8 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move {
                for i in 0..25u8 {
                    let durability = if i % 3 == 0 { Durability::Buffered } else { Durability::Local };
                    let seen = store.commit(durability, move |group| {
                        let seen = count(group, b"n")?;
                        group.journal(b"in".to_vec())?;
                        store_block(group, &[writer, i], &[writer, i])?;
                        Ok::<_, ApplyError>(seen)
                    });
                    let seen = seen.await.unwrap();
                    let snapshot = store.snapshot().unwrap();
                    assert!(count(&snapshot, b"n").unwrap() > seen, "what was answered is seen");
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(count(&store.snapshot().unwrap(), b"n").unwrap(), 400);
    let report = store.verify().unwrap();
    assert!(report.is_clean() && report.groups <= 400 && report.blocks == 400, "{report}");
    wait(store.close()).unwrap();
    let store = open(dir.path(), small());
    assert_eq!(count(&store.snapshot().unwrap(), b"n").unwrap(), 400);
}

#[test]
fn a_full_queue_makes_commits_wait() {
    let dir = temporary().unwrap();
    let mut options = no_checkpoints();
    options.queue = 2;
    let store = open(dir.path(), options);
    let (go, gate) = mpsc::channel::<()>();
    let (running, runs) = mpsc::channel::<()>();
    let first = store.commit(Durability::Local, move |_| {
        running.send(()).map_err(|_| ())?;
        gate.recv().map_err(|_| ())
    });
    runs.recv().unwrap();
    let job = |key: &'static [u8]| move |group: &mut debros_ipfs::Group<'_>| group.journal(put_op(key, b"1"));
    let queued = [store.commit(Durability::Local, job(b"a")), store.commit(Durability::Local, job(b"b"))];
    let waiting = store.commit(Durability::Local, job(b"c"));
    drop(store.commit(Durability::Local, job(b"never queued")));
    go.send(()).unwrap();
    wait(async {
        first.await.unwrap();
        for future in queued {
            future.await.unwrap();
        }
        waiting.await.unwrap();
    });
    let keys: Vec<_> = rows(&store.snapshot().unwrap()).into_iter().map(|row| row.0).collect();
    assert_eq!(keys, ["a", "b", "c"]);
}

#[test]
fn a_queued_job_runs_even_if_nobody_waits_for_it() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    drop(store.commit(Durability::Local, |group| group.journal(put_op(b"a", b"1"))));
    // Jobs run in order, so this one is answered after that one ran.
    wait(store.commit(Durability::Local, |_| Ok::<_, ()>(()))).unwrap();
    assert_eq!(get(&store, "a").as_deref(), Some("1"));
}

#[test]
fn tables_are_apart() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), no_checkpoints());
    put(&store, "k", "v");
    let snapshot = store.snapshot().unwrap();
    assert!(snapshot.get(Table("other"), b"k").unwrap().is_none());
    assert_eq!(snapshot.scan(Table("other"), b"", None, false).count(), 0);
}
