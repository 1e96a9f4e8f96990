use crate::support::{close, folder, key, open, open_database, put, record, spec, verify};
use debros_orbit::{KeystoreError, ReadDocuments};
use std::{fs, path::Path};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn two_folders_of_one_user_have_the_same_addresses() {
    let (here, there) = (folder(), folder());
    let (laptop, phone) = (open(here.path()), open(there.path()));
    let alice = laptop.identity("alice").unwrap();
    let moved = phone.import_identity("me", laptop.export_identity("alice").unwrap().as_bytes()).unwrap();
    assert_eq!(alice.id(), moved.id());
    open_database(&phone, &spec("other", &["*"]));
    let (a, b) = (spec("debros/1/app/Post/x/1.0/0", &[alice.id()]), spec("debros/1/app/Post/x/1.0/0", &[moved.id()]));
    let (a, b) = (open_database(&laptop, &a), open_database(&phone, &b));
    assert_ne!(a, b, "numbers are each node's own");
    let (a, b) = (laptop.snapshot().unwrap().info(a).unwrap(), phone.snapshot().unwrap().info(b).unwrap());
    assert_eq!(a.address, b.address);
}

#[test]
fn a_copied_folder_writes_with_a_device_key_of_its_own() {
    let (here, there) = (folder(), folder());
    let node = open(here.path());
    let alice = node.identity("alice").unwrap();
    let db = open_database(&node, &spec("d", &[alice.id()]));
    put(&node, db, &alice, record("a", [])).unwrap();
    close(&node);
    copy(here.path(), there.path());

    let (node, copied) = (open(here.path()), open(there.path()));
    let (original, other) = (node.identity("alice").unwrap(), copied.identity("alice").unwrap());
    assert_eq!(original, alice);
    assert_eq!(other.id(), alice.id());
    assert_ne!(other.public_key(), alice.public_key());
    put(&node, db, &original, record("a", [("w", "original".into())])).unwrap();
    put(&copied, db, &other, record("a", [("w", "copy".into())])).unwrap();
    let head = |node: &debros_orbit::Node| node.snapshot().unwrap().heads(db).unwrap();
    assert_ne!(head(&node), head(&copied));
    verify(&copied);
}

#[test]
fn a_copied_folder_without_the_root_key_reads() {
    let (here, there) = (folder(), folder());
    let node = open(here.path());
    let alice = node.identity("alice").unwrap();
    let db = open_database(&node, &spec("d", &[alice.id()]));
    put(&node, db, &alice, record("a", [])).unwrap();
    let root = node.keystore().take_user_key("alice").unwrap();
    put(&node, db, &alice, record("b", [])).unwrap();
    close(&node);
    copy(here.path(), there.path());

    let copied = open(there.path());
    let error = copied.identity("alice").unwrap_err();
    assert!(matches!(error, KeystoreError::Copied { .. }), "{error}");
    assert!(copied.snapshot().unwrap().get(db, &key("b")).unwrap().is_some());
    let again = copied.import_identity("alice", root.export().as_bytes()).unwrap();
    put(&copied, db, &again, record("c", [])).unwrap();
    assert_eq!(copied.snapshot().unwrap().count(db).unwrap(), 3);
}
