//! Databases whose entries, or payloads, are encrypted.

use crate::support::{Words, close, folder, key, open_database, put, record, spec, verify};
use debros_orbit::{
    Address, DatabaseId, DatabaseSpec, Encryption, Entry, Hash, Hold, Identity, Node, NodeOptions, ReadDocuments,
    ReadError, SigningKey, SimpleEncryption, XChaCha20Cipher,
};
use futures::executor::block_on;
use std::{path::Path, sync::Arc};

fn identity() -> Identity {
    let key = |n| SigningKey::from_bytes(&[n; 32]).unwrap();
    Identity::new(&key(1), key(101))
}

fn database() -> DatabaseSpec {
    DatabaseSpec { family: "F".to_owned(), ..spec("secrets", &[identity().id()]) }
}

fn open(folder: &Path, encryption: Option<&Encryption>) -> (Node, DatabaseId) {
    let mut options = NodeOptions::default();
    options.encryptions.extend(encryption.map(|encryption| (database().address().unwrap(), encryption.clone())));
    let node = Node::open(folder, options, Arc::new(Words)).unwrap();
    let database = open_database(&node, &database());
    (node, database)
}

/// The words that an index finds.
fn words(node: &Node, database: DatabaseId) -> Result<Vec<String>, ReadError> {
    let snapshot = node.snapshot().unwrap();
    let rows = snapshot.scan_index(database, 0, &[], None, false);
    rows.map(|row| Ok(snapshot.load(row?.position)?.field("w").as_text().unwrap_or_default().to_owned())).collect()
}

fn blocks(node: &Node, database: DatabaseId, encryption: &Encryption) -> Vec<Vec<u8>> {
    let snapshot = node.snapshot().unwrap();
    let mut list = snapshot.heads(database).unwrap();
    let mut blocks = Vec::new();
    while let Some(hash) = list.pop() {
        let block = snapshot.block(&hash).unwrap().unwrap().to_vec();
        assert_eq!(Hash::of(&block), hash);
        list.extend(Entry::open(&block, encryption).unwrap().next());
        blocks.push(block);
    }
    blocks.reverse();
    blocks
}

fn all_kinds() -> Vec<Encryption> {
    let ours = || Some(Arc::new(XChaCha20Cipher::generate().unwrap()) as Arc<_>);
    let theirs = || Some(Arc::new(SimpleEncryption::new("hello").unwrap()) as Arc<_>);
    vec![
        Encryption { data: ours(), replication: None },
        Encryption { data: None, replication: ours() },
        Encryption { data: ours(), replication: ours() },
        Encryption { data: theirs(), replication: theirs() },
    ]
}

#[test]
fn what_is_encrypted_is_found_by_its_indexes() {
    for encryption in all_kinds() {
        let folder = folder();
        let (node, db) = open(folder.path(), Some(&encryption));
        for word in ["b", "a", "c", "gone"] {
            put(&node, db, &identity(), record(word, [("w", word.into())])).unwrap();
        }
        crate::support::del(&node, db, &identity(), "gone").unwrap();
        assert_eq!(words(&node, db).unwrap(), ["a", "b", "c"]);
        verify(&node);
        for block in blocks(&node, db, &encryption) {
            assert!(!block.windows(4).any(|window| window == b"gone"), "nothing is plain in a block");
            let refused = Entry::decode(&block).is_err();
            assert_eq!(refused, encryption.replication.is_some());
        }
        close(&node);
        drop(node);
        let (node, db) = open(folder.path(), Some(&encryption));
        assert_eq!(words(&node, db).unwrap(), ["a", "b", "c"]);
        let found = node.snapshot().unwrap().get(db, &key("a")).unwrap().unwrap();
        assert_eq!(found.record.field("w").as_text(), Some("a"));
        close(&node);
        drop(node);

        // without the key nothing is lost, and what it is needed for says so
        let (node, db) = open(folder.path(), None);
        let error = words(&node, db).unwrap_err();
        assert!(error.to_string().contains("key"), "{error}");
        block_on(node.set_encryption(db, encryption)).unwrap();
        assert_eq!(words(&node, db).unwrap(), ["a", "b", "c"]);
        verify(&node);
    }
}

#[test]
fn one_without_the_key_hands_on_what_one_with_it_reads() {
    for encryption in all_kinds() {
        let [here, relay, there] = [folder(), folder(), folder()];
        let (node, db) = open(here.path(), Some(&encryption));
        for word in ["b", "a", "c"] {
            put(&node, db, &identity(), record(word, [("w", word.into())])).unwrap();
        }
        put(&node, db, &identity(), record("a", [("w", "d".into())])).unwrap();
        let sent = blocks(&node, db, &encryption);
        let identities = || vec![identity().bytes().to_vec()];
        let state = |node: &Node, db| node.snapshot().unwrap().state_hash(db).unwrap();

        let (dark, dark_db) = open(relay.path(), None);
        let receipt = block_on(dark.receive(dark_db, "p", identities(), sent.clone())).unwrap();
        let all_sealed = receipt.held.iter().all(|(_, hold)| *hold == Hold::Sealed);
        let expected = if encryption.replication.is_some() { (0, 4) } else { (4, 0) };
        assert_eq!((receipt.joined, receipt.held.len() as u64, all_sealed), (expected.0, expected.1, true));
        assert_eq!(words(&dark, dark_db).unwrap(), [""; 0]);
        verify(&dark);
        for block in &sent {
            let stored = dark.snapshot().unwrap().block(&Hash::of(block)).unwrap();
            assert_eq!(stored.as_deref(), Some(&block[..]), "it can be handed on");
        }

        let (light, light_db) = open(there.path(), Some(&encryption));
        let receipt = block_on(light.receive(light_db, "p", identities(), sent)).unwrap();
        assert!(receipt.is_complete() && receipt.joined == 4);
        assert_eq!(words(&light, light_db).unwrap(), ["b", "c", "d"]);
        assert_eq!(state(&light, light_db), state(&node, db));
        verify(&light);

        // a wrong key helps nobody; then the right one comes
        let wrong = Encryption {
            data: Some(Arc::new(XChaCha20Cipher::generate().unwrap())),
            replication: Some(Arc::new(XChaCha20Cipher::generate().unwrap())),
        };
        block_on(dark.set_encryption(dark_db, wrong)).unwrap();
        assert_eq!(words(&dark, dark_db).unwrap(), [""; 0]);
        close(&dark);
        drop(dark);
        let (dark, dark_db) = open(relay.path(), Some(&encryption));
        block_on(dark.settle());
        assert_eq!(words(&dark, dark_db).unwrap(), ["b", "c", "d"]);
        assert_eq!(state(&dark, dark_db), state(&node, db));
        assert_eq!(dark.snapshot().unwrap().held(None).count(), 0);
        verify(&dark);
    }
}

#[test]
fn a_forged_entry_is_found_when_it_is_opened() {
    let encryption = &all_kinds()[1];
    let folder = folder();
    let (node, db) = open(folder.path(), None);
    let log: Address = database().address().unwrap();
    let payload = debros_orbit::Payload::put("x".into(), record("x", []).into()).into_value();
    let mut bytes = Entry::create(&identity(), log, payload, &[], &[], 1).unwrap().into_bytes();
    let at = bytes.windows(3).position(|window| window == b"sig").unwrap();
    bytes[at + 41] = if bytes[at + 41] == b'0' { b'1' } else { b'0' };
    let sealed = encryption.seal_block(bytes).unwrap();
    block_on(node.receive(db, "p", vec![identity().bytes().to_vec()], vec![sealed])).unwrap();
    block_on(node.set_encryption(db, encryption.clone())).unwrap();
    let held: Vec<_> = node.snapshot().unwrap().held(None).map(|held| held.unwrap().hold).collect();
    assert!(matches!(&held[..], [Hold::Refused { reason }] if reason.contains("signature")), "{held:?}");
    verify(&node);
}
