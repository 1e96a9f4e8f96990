use crate::support::{folder, job_error, key, open, open_database, record, spec, verify, write};
use debros_core::{Collation, Map, Value};
use debros_orbit::{DatabaseId, Node, ReadDocuments, RowRef, RowRefs, WriteError};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Act {
    Put { database: usize, id: u8, w: Option<u8>, n: Option<i8> },
    Del { database: usize, id: u8 },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let put = (0..3usize, 1..12u8, proptest::option::of(0..4u8), proptest::option::of(-2..3i8))
        .prop_map(|(database, id, w, n)| Act::Put { database, id, w, n });
    let del = (0..3usize, 1..12u8).prop_map(|(database, id)| Act::Del { database, id });
    proptest::collection::vec(prop_oneof![3 => put, 1 => del], 1..60)
}

/// What a node should hold: per database, the records by key.
type Model = Vec<BTreeMap<u8, Map>>;

fn perform(node: &Node, databases: &[DatabaseId], model: &mut Model, acts: &[Act], batch: usize) {
    let me = node.identity("me").unwrap();
    for batch in acts.chunks(batch) {
        let (acts, databases, me) = (batch.to_vec(), databases.to_vec(), me.clone());
        let mut expected = model.clone();
        let performed = write(node, move |w| {
            for act in acts {
                match act {
                    Act::Put { database, id, w: word, n } => {
                        let mut record = record(id, []);
                        word.map(|word| record.insert("w", word));
                        n.map(|n| record.insert("n", n));
                        w.put(databases[database], &me, record.clone())?;
                        expected[database].insert(id, record);
                    }
                    Act::Del { database, id } => {
                        let there = expected[database].remove(&id).is_some();
                        assert_eq!(w.del(databases[database], &me, id.into()).is_ok(), there);
                    }
                }
            }
            // a write reads what it has written
            compare(w, &databases, &expected);
            Ok::<Model, WriteError>(expected)
        });
        *model = job_error(performed).unwrap();
    }
}

/// Index rows of the model: values, database, key.
fn index(model: &Model, databases: &[DatabaseId], index: u16) -> Vec<(Vec<u8>, DatabaseId, Vec<u8>, Map)> {
    let fields: &[&str] = if index == 0 { &["w"] } else { &["n", "w"] };
    let mut rows = Vec::new();
    for (records, database) in model.iter().zip(databases) {
        for record in records.values() {
            let mut values = Vec::new();
            let all = fields
                .iter()
                .all(|field| record.get(field).is_some_and(|value| Collation::Plain.encode(value, &mut values)));
            if all {
                rows.push((values, *database, key(record.field("_id").clone()), record.clone()));
            }
        }
    }
    rows.sort_by(|a, b| (&a.0, a.1, &a.2).cmp(&(&b.0, b.1, &b.2)));
    rows
}

type Found = Vec<(Vec<u8>, DatabaseId, Vec<u8>, Map)>;

fn read<R: ReadDocuments + ?Sized>(read: &R, rows: RowRefs<'_>) -> Found {
    let row = |row: Result<RowRef, _>| {
        let row = row.unwrap();
        let record = read.load(row.position).unwrap();
        (row.values().to_vec(), row.database, row.key().to_vec(), record)
    };
    rows.map(row).collect()
}

/// Ranges worth trying: everything, nothing, and between some bytes that occur.
fn ranges(bytes: impl Iterator<Item = Vec<u8>>) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let some: Vec<_> = bytes.step_by(3).take(4).collect();
    let mut ranges = vec![(vec![], None), (vec![0xff], None), (vec![], Some(vec![]))];
    for a in &some {
        ranges.push((a.clone(), None));
        ranges.push((vec![], Some(a.clone())));
        ranges.extend(some.iter().map(|b| (a.clone(), Some(b.clone()))));
    }
    ranges
}

fn within(range: &(Vec<u8>, Option<Vec<u8>>), bytes: &[u8]) -> bool {
    range.0.as_slice() <= bytes && range.1.as_deref().is_none_or(|end| bytes < end)
}

fn compare<R: ReadDocuments + ?Sized>(state: &R, databases: &[DatabaseId], model: &Model) {
    let sorted = |mut rows: Found, reverse: bool| {
        if reverse {
            rows.reverse();
        }
        rows
    };
    for (&database, records) in databases.iter().zip(model) {
        assert_eq!(state.count(database).unwrap(), records.len() as u64);
        for id in 0..12u8 {
            let found = state.get(database, &key(id)).unwrap().map(|found| found.record);
            assert_eq!(found.as_ref(), records.get(&id));
        }
        let keys = || records.keys().map(|id| key(*id));
        for range in ranges(keys()) {
            for reverse in [false, true] {
                let rows = state.scan_keys(database, &range.0, range.1.as_deref(), reverse);
                let expected = records.iter().map(|(id, record)| (vec![], database, key(*id), record.clone()));
                let expected = expected.filter(|row| within(&range, &row.2)).collect();
                assert_eq!(read(state, rows), sorted(expected, reverse));
            }
        }
        for number in 0..2 {
            let mut rows = index(model, databases, number);
            rows.retain(|row| row.1 == database);
            let bytes = |row: &(Vec<u8>, DatabaseId, Vec<u8>, Map)| [&row.0[..], &row.2].concat();
            for range in ranges(rows.iter().map(bytes)) {
                for reverse in [false, true] {
                    let found = state.scan_index(database, number, &range.0, range.1.as_deref(), reverse);
                    let expected = rows.iter().filter(|row| within(&range, &bytes(row))).cloned().collect();
                    assert_eq!(read(state, found), sorted(expected, reverse));
                }
            }
        }
    }
    // the first two databases are of one family; the third has no family rows
    for number in 0..2 {
        let mut rows = index(model, databases, number);
        rows.retain(|row| row.1 != databases[2]);
        for range in ranges(rows.iter().map(|row| row.0.clone())) {
            for reverse in [false, true] {
                let found = state.scan_family("Family", Some(number), &range.0, range.1.as_deref(), reverse);
                let expected = rows.iter().filter(|row| within(&range, &row.0)).cloned().collect();
                assert_eq!(read(state, found), sorted(expected, reverse));
            }
        }
    }
    let mut rows: Found = Vec::new();
    for (&database, records) in databases.iter().zip(model).take(2) {
        rows.extend(records.iter().map(|(id, record)| (vec![], database, key(*id), record.clone())));
    }
    rows.sort_by(|a, b| (&a.2, a.1).cmp(&(&b.2, b.1)));
    for range in ranges(rows.iter().map(|row| row.2.clone())) {
        for reverse in [false, true] {
            let found = state.scan_family("Family", None, &range.0, range.1.as_deref(), reverse);
            let expected = rows.iter().filter(|row| within(&range, &row.2)).cloned().collect();
            assert_eq!(read(state, found), sorted(expected, reverse));
        }
    }
    assert_eq!(state.scan_family("alone", Some(0), &[], None, false).count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
    #[test]
    fn scans_find_what_was_put(acts in acts(), batch in 1..20usize) {
        let folder = folder();
        let node = open(folder.path());
        let me = node.identity("me").unwrap();
        let mut alone = spec("c", &[me.id()]);
        alone.family = "alone".to_owned();
        let databases: Vec<_> = [spec("a", &[me.id()]), spec("b", &[me.id()]), alone]
            .iter()
            .map(|spec| open_database(&node, spec))
            .collect();
        let mut model: Model = vec![BTreeMap::new(); 3];
        perform(&node, &databases, &mut model, &acts, batch);
        compare(&node.snapshot().unwrap(), &databases, &model);
        verify(&node);
        drop(node);
        let node = open(folder.path());
        compare(&node.snapshot().unwrap(), &databases, &model);
        verify(&node);
    }
}

#[test]
fn values_are_told_from_keys() {
    let folder = folder();
    let node = open(folder.path());
    let me = node.identity("me").unwrap();
    let db = open_database(&node, &spec("d", &[me.id()]));
    let writer = me.clone();
    write(&node, move |w| w.put(db, &writer, record("a\0b", [("w", "x\0".into()), ("n", Value::from(-1))]))).unwrap();
    let snapshot = node.snapshot().unwrap();
    let row = snapshot.scan_index(db, 1, &[], None, false).next().unwrap().unwrap();
    let values = [key(-1), key("x\0")].concat();
    assert_eq!((row.values(), row.key()), (&values[..], &key("a\0b")[..]));
    assert_eq!(row.bytes(), [&values[..], &key("a\0b")].concat());
    assert_eq!(row.clone().into_parts(), (values, key("a\0b")));
}
