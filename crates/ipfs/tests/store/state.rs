use std::{collections::BTreeMap, ops::Bound};

use debros_ipfs::{ApplyError, Durability, ReadState};
use proptest::prelude::*;

use crate::ledger::*;

#[test]
fn a_snapshot_does_not_change() {
    let dir = temporary().unwrap();
    let store = open(dir.path(), small());
    put(&store, "a", "1");
    put(&store, "b", "1");
    let before = store.snapshot().unwrap();
    let mut scan = before.scan(ROWS, b"", None, false);
    assert_eq!(scan.next().unwrap().unwrap().0, b"a");
    // Enough for several checkpoints and segments.
    for i in 0..40 {
        put(&store, "b", &"2".repeat(i));
        journal(&store, &[b"da".to_vec(), put_op(format!("c{i}").as_bytes(), b"x")]).unwrap();
        wait(store.commit(Durability::Local, |group| store_block(group, b"later", b"a later block"))).unwrap();
    }
    assert_eq!(scan.next().unwrap().unwrap(), (b"b".to_vec(), b"1".to_vec()));
    assert!(scan.next().is_none());
    assert_eq!(before.get(ROWS, b"a").unwrap().as_deref(), Some(b"1".as_slice()));
    assert!(before.block(&block(b"a later block").0).unwrap().is_none());
    assert!(get(&store, "a").is_none());
    assert_eq!(rows(&store.snapshot().unwrap()).len(), 41);
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// What happens to the store between two looks at it.
#[derive(Debug, Clone)]
enum Step {
    /// One job with these changes: a value, or none for a deletion.
    Commit(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    /// The same, but the job fails.
    Fail(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    Scan {
        start: Vec<u8>,
        end: Option<Vec<u8>>,
        reverse: bool,
    },
    Close,
    Drop,
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0u8, 1, b'a', b'b', 255]), 0..4)
}

fn changes() -> impl Strategy<Value = Vec<(Vec<u8>, Option<Vec<u8>>)>> {
    let value = prop::option::weighted(0.7, prop::collection::vec(any::<u8>(), 0..40));
    prop::collection::vec((key(), value), 0..8)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => changes().prop_map(Step::Commit),
        1 => changes().prop_map(Step::Fail),
        6 => (key(), prop::option::of(key()), any::<bool>())
            .prop_map(|(start, end, reverse)| Step::Scan { start, end, reverse }),
        1 => Just(Step::Close),
        1 => Just(Step::Drop),
    ]
}

fn expected(model: &Model, start: &[u8], end: Option<&[u8]>, reverse: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
    if end.is_some_and(|end| end <= start) {
        return Vec::new();
    }
    let range = (Bound::Included(start), end.map_or(Bound::Unbounded, Bound::Excluded));
    let mut rows: Vec<_> = model.range::<[u8], _>(range).map(|(k, v)| (k.clone(), v.clone())).collect();
    if reverse {
        rows.reverse();
    }
    rows
}

fn found(state: &dyn ReadState, start: &[u8], end: Option<&[u8]>, reverse: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
    state.scan(ROWS, start, end, reverse).collect::<Result<_, _>>().unwrap()
}

fn ops(changes: &[(Vec<u8>, Option<Vec<u8>>)]) -> Vec<Vec<u8>> {
    let op = |(key, value): &(Vec<u8>, Option<Vec<u8>>)| match value {
        Some(value) => put_op(key, value),
        None => [b"d", &key[..]].concat(),
    };
    changes.iter().map(op).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn state_is_that_of_a_plain_map(steps in prop::collection::vec(step(), 1..40), checkpoint in 60u64..2000) {
        let dir = temporary().unwrap();
        let mut options = small();
        options.checkpoint_bytes = checkpoint;
        let mut store = open(dir.path(), options.clone());
        let mut model = Model::new();
        for step in steps {
            match step {
                Step::Commit(changes) => {
                    let mut after = model.clone();
                    for (key, value) in &changes {
                        match value {
                            Some(value) => drop(after.insert(key.clone(), value.clone())),
                            None => drop(after.remove(key)),
                        }
                    }
                    let ops = ops(&changes);
                    let expected = after.clone();
                    wait(store.commit(Durability::Buffered, move |group| {
                        for op in ops {
                            group.journal(op)?;
                        }
                        // The job sees what it did, both ways and key by key.
                        for reverse in [false, true] {
                            assert_eq!(found(group, b"", None, reverse), self::expected(&expected, b"", None, reverse));
                        }
                        for (key, value) in &expected {
                            assert_eq!(group.get(ROWS, key)?.as_ref(), Some(value));
                        }
                        Ok::<_, ApplyError>(())
                    })).unwrap();
                    model = after;
                }
                Step::Fail(changes) => {
                    let ops = ops(&changes);
                    wait(store.commit(Durability::Buffered, move |group| {
                        ops.into_iter().try_for_each(|op| group.journal(op))?;
                        Err::<(), _>(ApplyError::refused("no"))
                    })).unwrap_err();
                }
                Step::Scan { start, end, reverse } => {
                    let snapshot = store.snapshot().unwrap();
                    let rows = found(&snapshot, &start, end.as_deref(), reverse);
                    prop_assert_eq!(rows, expected(&model, &start, end.as_deref(), reverse));
                    let value = snapshot.get(ROWS, &start).unwrap();
                    prop_assert_eq!(value.as_ref(), model.get(&start));
                }
                Step::Close => {
                    wait(store.close()).unwrap();
                    store = open(dir.path(), options.clone());
                }
                Step::Drop => {
                    drop(store);
                    store = open(dir.path(), options.clone());
                }
            }
        }
        prop_assert_eq!(found(&store.snapshot().unwrap(), b"", None, false), expected(&model, b"", None, false));
        let report = store.verify().unwrap();
        prop_assert!(report.is_clean(), "{}", report);
    }
}
