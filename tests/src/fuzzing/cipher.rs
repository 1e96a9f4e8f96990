//! What is encrypted.

use super::vectors::bytes_in;
use debros_core::Value;
use debros_orbit::{Cipher as _, Encryption, Entry, SimpleEncryption, XChaCha20Cipher};
use std::sync::{Arc, LazyLock};

/// The password that the vectors' replication is encrypted with, and a key of ours.
static CIPHERS: LazyLock<(Arc<SimpleEncryption>, Arc<XChaCha20Cipher>)> = LazyLock::new(|| {
    let simple = SimpleEncryption::new("a password").expect("the system has random bytes");
    (Arc::new(simple), Arc::new(XChaCha20Cipher::new(&[7; 32])))
});

pub(super) fn corpus() -> Vec<Vec<u8>> {
    let (simple, ours) = &*CIPHERS;
    let plain = bytes_in(&["acceptance.json"]);
    let mut corpus = Vec::new();
    for entry in plain.iter().take(20) {
        let sealed = [simple.encrypt(entry).expect("it is short"), ours.encrypt(entry).expect("it is short")];
        for sealed in sealed {
            corpus.push(Value::Bytes(sealed.clone()).to_dag_cbor().expect("bytes can be written"));
            corpus.push(sealed);
        }
    }
    corpus
}

/// Only what was encrypted with the key opens, and what opens is sealed as something that opens to the same.
pub(super) fn check(bytes: &[u8]) {
    let (simple, ours) = &*CIPHERS;
    if let Ok(plain) = ours.decrypt(bytes) {
        let again = ours.encrypt(&plain).expect("it was short");
        assert_eq!(ours.decrypt(&again).as_ref().ok(), Some(&plain));
    }
    let ours = Encryption { data: Some(ours.clone()), replication: Some(ours.clone()) };
    opens(&ours, bytes);
    // another salt costs some milliseconds to try: a few bytes of it are enough to be changed
    let known = simple.encrypt(b"").expect("it is short");
    let salted = [&known[..16], bytes.get(16..).unwrap_or_default()].concat();
    if let Ok(plain) = simple.decrypt(&salted) {
        assert_eq!(simple.decrypt(&simple.encrypt(&plain).expect("it was short")).ok(), Some(plain));
    }
    let theirs = Encryption { data: Some(simple.clone()), replication: Some(simple.clone()) };
    let block = Value::Bytes(salted.clone()).to_dag_cbor().expect("bytes can be written");
    opens(&theirs, &block);
    let _ = theirs.open_payload(&Value::Bytes(salted));
}

fn opens(encryption: &Encryption, block: &[u8]) {
    if let Ok(entry) = Entry::open(block, encryption) {
        assert_eq!(entry.block(), block);
        let again = Entry::decode(entry.bytes()).expect("an entry was in it");
        assert_eq!(again.payload(), entry.payload());
        let _ = encryption.open_payload(entry.payload());
    }
}
