use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}
fn open(folder: &tempfile::TempDir) -> Keystore {
    Keystore::open(&folder.path().join("keys")).unwrap()
}
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn an_identity_stays_the_same() {
    let folder = folder();
    let alice = open(&folder).identity("alice").unwrap();
    let store = open(&folder);
    assert_eq!(store.identity("alice").unwrap(), alice);
    assert_eq!(store.identity("alice").unwrap(), alice);
    assert_ne!(store.identity("Alice").unwrap().id(), alice.id());
    assert_eq!(store.names().unwrap(), ["Alice", "alice"]);
    alice.block().verify().unwrap();
}

#[test]
fn names_are_checked() {
    let folder = folder();
    let store = open(&folder);
    for bad in ["", "..", "a/b", "ä", "a b", &"x".repeat(65), "a\0", "+a"] {
        // `..` is a name like any other: it stands within a file's name
        let verdict = store.identity(bad);
        assert_eq!(verdict.is_ok(), bad == "..", "{bad:?}: {verdict:?}");
    }
    store.identity(&"x".repeat(64)).unwrap();
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let keys = folder.path().join("keys");
    fs::create_dir(&keys).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o755)).unwrap();
    open(&folder).identity("alice").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&keys), 0o700);
    let files: Vec<_> = fs::read_dir(&keys).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 3);
    for file in &files {
        assert_eq!(mode(file), 0o600, "{file:?}");
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    open(&folder).identity("alice").unwrap();
    for file in &files {
        assert_eq!(mode(file), 0o600, "{file:?}");
    }
}

#[test]
fn a_copied_folder_gets_a_device_key_of_its_own() {
    let (here, there) = (folder(), folder());
    let alice = open(&here).identity("alice").unwrap();
    copy(&here.path().join("keys"), &there.path().join("keys"));
    let copied = open(&there).identity("alice").unwrap();
    assert_eq!(copied.id(), alice.id());
    assert_ne!(copied.public_key(), alice.public_key());
    copied.block().verify().unwrap();
    assert_eq!(open(&there).identity("alice").unwrap(), copied);
    assert_eq!(open(&here).identity("alice").unwrap(), alice);
}

#[test]
fn a_restored_folder_gets_a_new_device_key() {
    let (here, backup) = (folder(), folder());
    let keys = here.path().join("keys");
    let alice = open(&here).identity("alice").unwrap();
    copy(&keys, backup.path());
    fs::remove_dir_all(&keys).unwrap();
    // a new file may get the number that the old one had: hold it
    let _holder = File::create(here.path().join("holder")).unwrap();
    copy(backup.path(), &keys);
    let restored = open(&here).identity("alice").unwrap();
    assert_eq!(restored.id(), alice.id());
}

#[test]
fn without_the_root_key_a_copy_only_reads() {
    let (here, there) = (folder(), folder());
    let store = open(&here);
    let alice = store.identity("alice").unwrap();
    let key = store.take_user_key("alice").unwrap();
    assert_eq!(key.id(), alice.id());
    assert!(matches!(store.user_key("alice"), Err(KeystoreError::NoUserKey(_))));
    // the device goes on
    assert_eq!(open(&here).identity("alice").unwrap(), alice);
    assert_eq!(store.names().unwrap(), ["alice"]);

    copy(&here.path().join("keys"), &there.path().join("keys"));
    let copied = open(&there);
    let error = copied.identity("alice").unwrap_err();
    assert!(matches!(error, KeystoreError::Copied { .. }), "{error}");
    assert!(error.to_string().contains("import the user's key"), "{error}");
    let again = copied.import("alice", key.export().as_bytes()).unwrap();
    assert_eq!(again.id(), alice.id());
    assert_ne!(again.public_key(), alice.public_key());
}

#[test]
fn a_user_moves_to_another_device() {
    let (here, there) = (folder(), folder());
    let (store, other) = (open(&here), open(&there));
    let alice = store.identity("alice").unwrap();
    let key = store.user_key("alice").unwrap().export();
    let moved = other.import("me", key.as_bytes()).unwrap();
    assert_eq!(moved.id(), alice.id());
    assert_ne!(moved.public_key(), alice.public_key());
    assert_eq!(other.import("me", key.as_bytes()).unwrap(), moved);
    let bob = other.identity("bob").unwrap();
    assert!(matches!(other.import("bob", key.as_bytes()), Err(KeystoreError::Taken { id, .. }) if id == bob.id()));
    assert!(matches!(other.import("x", b"no key"), Err(KeystoreError::Import(KeyFileError::NotAKey))));
}

#[test]
fn a_damaged_key_is_named() {
    let folder = folder();
    open(&folder).identity("alice").unwrap();
    let path = folder.path().join("keys/user-alice.key");
    fs::write(&path, "debros-key 1 user\npublic 02\n").unwrap();
    let error = open(&folder).identity("alice").unwrap_err();
    assert!(error.to_string().contains("user-alice.key"), "{error}");
}

#[test]
fn a_draft_that_was_left_behind_does_no_harm() {
    let folder = folder();
    let store = open(&folder);
    fs::write(folder.path().join("keys/user-alice.key.new"), "half").unwrap();
    store.identity("alice").unwrap();
    assert_eq!(store.names().unwrap(), ["alice"]);
}
