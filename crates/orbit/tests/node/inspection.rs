//! Looking into a folder without its schema.

use crate::support::{close, del, folder, open, open_database, put, record, spec, write};
use debros_orbit::{
    AccessSpec, DatabaseKind, DatabaseSpec, Entry, FolderState, Identity, Inspection, InspectionError, Payload,
    ReadDocuments, SigningKey,
};
use std::{collections::BTreeMap, fs, path::Path};

/// Every file but the lock.
fn files(dir: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if !path.ends_with("LOCK") {
            all.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    all
}

#[test]
fn databases_entries_heads_and_authors_are_told_and_nothing_is_changed() {
    let folder = folder();
    let node = open(folder.path());
    let me = node.identity("me").unwrap();
    let other = Identity::new(&SigningKey::from_bytes(&[7; 32]).unwrap(), SigningKey::from_bytes(&[8; 32]).unwrap());
    let notes = spec("notes", &[me.id(), other.id()]);
    let shared = DatabaseSpec {
        name: "shared".to_owned(),
        kind: DatabaseKind::Documents,
        access: AccessSpec::Orbitdb { name: "shared/access".to_owned(), admins: vec![me.id().to_owned()] },
        family: "Shared".to_owned(),
        tag: Vec::new(),
        meta: None,
    };
    let (notes_id, shared_id) = (open_database(&node, &notes), open_database(&node, &shared));
    for i in 1..=5 {
        put(&node, notes_id, &me, record(i, [("w", "x".into())])).unwrap();
    }
    del(&node, notes_id, &me, 3).unwrap();
    put(&node, shared_id, &me, record("only", [])).unwrap();
    // another writer, who has seen nothing of it
    let payload = Payload::put("far".into(), record("far", []).into()).into_value();
    let far = Entry::create(&other, notes.address().unwrap(), payload, &[], &[], 1).unwrap();
    let (identity, bytes, hash) = (other.bytes().to_vec(), far.bytes().to_vec(), far.hash());
    write(&node, move |writer| {
        writer.add_identity(&identity)?;
        writer.join(notes_id, &bytes)
    })
    .unwrap();
    let error = Inspection::of(folder.path()).unwrap_err();
    assert!(matches!(&error, InspectionError::Open(_)) && error.to_string().contains("in use by"), "{error}");
    let heads = node.snapshot().unwrap().heads(notes_id).unwrap();
    close(&node);
    drop(node);

    let before = files(folder.path());
    let looked = Inspection::of(folder.path()).unwrap();
    let checked = Inspection::checked(folder.path()).unwrap();
    assert_eq!(files(folder.path()), before);
    assert!(looked.is_clean() && checked.is_clean(), "{checked:#?}");
    assert!(checked.checked && !looked.checked);
    assert_eq!(looked.databases, checked.databases);
    let names: Vec<_> = checked.databases.iter().map(|database| database.spec.name.as_str()).collect();
    assert_eq!(names, ["notes", "shared/access", "shared"]);
    let found = &checked.databases[0];
    assert_eq!((found.address, &found.spec), (notes.address().unwrap(), &notes));
    assert_eq!((found.entries, found.first_time, found.last_time), (7, Some(1), Some(6)));
    assert_eq!(found.heads.iter().map(|(hash, _)| *hash).collect::<Vec<_>>(), heads);
    assert_eq!(found.heads[1], (hash, 1));
    let authors: Vec<_> = found.authors.iter().map(|author| (author.user.to_string(), author.entries)).collect();
    assert_eq!(authors, [(me.id().to_owned(), 6), (other.id().to_owned(), 1)]);
    assert_eq!((checked.entries(), checked.identities, checked.blocks), (8, 2, 8 + 2 + 5));
    assert!(found.bytes > 7 * 300 && checked.entry_bytes() < checked.block_bytes);
    assert_eq!((checked.state, checked.segments), (FolderState::Present, 1));
    assert!(checked.sizes.segments > checked.block_bytes && checked.unfinished.is_none());
}

/// Entries in several batches, on all cores; then one byte of one of them.
#[test]
fn a_lost_entry_is_told_with_what_followed_it() {
    let folder = folder();
    let node = open(folder.path());
    let me = node.identity("me").unwrap();
    let db = open_database(&node, &spec("many", &[me.id()]));
    let (writer, many) = (me.clone(), 3_000);
    write(&node, move |w| (1..=many).try_for_each(|i| w.put(db, &writer, record(i, [])).map(drop))).unwrap();
    put(&node, db, &me, record("lost", [("w", "the lost one".into())])).unwrap();
    put(&node, db, &me, record("next", [])).unwrap();
    put(&node, db, &me, record("last", [])).unwrap();
    close(&node);
    drop(node);
    let clean = Inspection::checked(folder.path()).unwrap();
    assert!(clean.is_clean());
    assert_eq!((clean.entries(), clean.databases[0].heads.len()), (many as u64 + 3, 1));

    let path = folder.path().join("segments/0000000001.car");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(12).position(|window| window == b"the lost one").unwrap();
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    let damaged = Inspection::checked(folder.path()).unwrap();
    assert_eq!((damaged.damaged, damaged.faulty), (1, 1), "{damaged:#?}");
    assert!(damaged.damage[0].file == path && damaged.damage[0].offset <= at as u64, "{:?}", damaged.damage);
    let fault = damaged.faults[0].to_string();
    assert!(fault.contains("`many`") && fault.contains("follows entry") && fault.contains("not here"), "{fault}");
    assert_eq!(damaged.entries(), many as u64 + 2);
    // the one before what is lost is followed by nothing that is left
    assert_eq!(damaged.databases[0].heads.len(), 2);
    let looked = Inspection::of(folder.path()).unwrap();
    assert_eq!((looked.damaged, looked.faulty), (1, 0));
}
