use crate::{bytes, documents::strings, filled, hashes, identity_of, load, manifest::database, tagged::untag, text};
use debros_core::Value;
use debros_orbit::{
    Cipher, CipherError, DatabaseKind, Documents, Encryption, EncryptionError, Entry, EntryError, Events, Hash, Log,
    Payload, SimpleEncryption, XChaCha20Cipher,
};
use serde_json::Value as Json;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

/// Encrypts to what JavaScript once encrypted, for its salts and nonces are random.
struct Recorded(Mutex<VecDeque<Vec<u8>>>);

impl Cipher for Recorded {
    fn encrypt(&self, _: &[u8]) -> Result<Vec<u8>, CipherError> {
        Ok(self.0.lock().unwrap().pop_front().unwrap())
    }
    fn decrypt(&self, _: &[u8]) -> Result<Vec<u8>, CipherError> {
        panic!("nothing is read with this")
    }
}

fn recorded(messages: Vec<Vec<u8>>) -> Option<Arc<dyn Cipher>> {
    if messages.is_empty() { None } else { Some(Arc::new(Recorded(Mutex::new(messages.into())))) }
}

/// The keys of a scenario; those that `change` makes of its passwords.
pub(crate) fn keys(scenario: &Json, change: impl Fn(&str) -> Option<String>) -> Encryption {
    let cipher = |part: &str| {
        let password = change(scenario["passwords"][part].as_str()?)?;
        Some(Arc::new(SimpleEncryption::new(password).unwrap()) as Arc<dyn Cipher>)
    };
    Encryption { data: cipher("data"), replication: cipher("replication") }
}

pub(crate) fn payload_of(block: &Json) -> Value {
    untag(if text(block, "payload_is") == "plain" { &block["entry"]["payload"] } else { &block["payload"] })
}

/// The state of a log must be what these payloads make.
fn state_is(log: &Log, kind: DatabaseKind, payloads: &[Value], label: &str) {
    let payloads = payloads.iter().map(|payload| Payload::from_value(payload.clone()).unwrap());
    if kind == DatabaseKind::Events {
        let values: Vec<Value> = Events::of(log).all().into_iter().map(|event| event.value).collect();
        assert_eq!(values, payloads.map(|payload| payload.value).collect::<Vec<_>>(), "{label}");
    } else {
        let state = Documents::of(log);
        let rows: Vec<_> = state.rows().iter().rev().map(|row| (row.key.clone(), row.value.clone())).collect();
        assert_eq!(rows, payloads.map(|payload| (payload.key, payload.value)).collect::<Vec<_>>(), "{label}");
    }
}

#[test]
fn encrypted_databases() {
    let json = load("encrypted.json");
    let writer = identity_of(&json["writer"]);
    for scenario in filled(&json, "scenarios") {
        let (mode, kind) = (text(scenario, "mode"), text(scenario, "type"));
        let label = format!("{mode}, {kind}");
        let kind: DatabaseKind = kind.parse().unwrap();
        let address = database(&scenario["db"]);
        // JavaScript forgets the option for documents
        let encrypted = |part: &str| kind != DatabaseKind::Documents && (mode == part || mode == "both");
        let keys_of_both = keys(scenario, |password| Some(password.to_owned()));
        assert_eq!(keys_of_both.data.is_some(), mode != "replication", "{label}");
        assert_eq!(keys_of_both.replication.is_some(), mode != "data", "{label}");

        let mut log = Log::encrypted(address, keys_of_both.clone());
        let (mut payloads, mut ciphertexts) = (Vec::new(), (Vec::new(), Vec::new()));
        for json in filled(scenario, "blocks") {
            let block = bytes(json, "bytes");
            assert_eq!(Hash::of(&block).to_string(), text(json, "hash"), "{label}");
            assert_eq!(encrypted("replication"), text(json, "block_is") != "plain entry map", "{label}");
            assert_eq!(encrypted("data"), text(json, "payload_is") != "plain", "{label}");
            let inner = keys_of_both.open_block(&block).unwrap();
            if encrypted("replication") {
                assert_eq!(*inner, bytes(json, "entry_bytes"), "{label}");
                assert_eq!(Hash::of(&inner).to_string(), text(json, "entry_hash_if_plain"), "{label}");
                let Value::Bytes(sealed) = Value::from_dag_cbor(&block).unwrap() else { panic!("{label}") };
                ciphertexts.1.push(sealed);
            } else {
                assert_eq!(*inner, block, "{label}");
            }

            let entry = Entry::open(&block, &keys_of_both).unwrap();
            assert_eq!((entry.block(), entry.bytes()), (&*block, &*inner), "{label}");
            assert_eq!(entry.hash(), Hash::of(&block), "{label}");
            assert_eq!(Value::from_dag_cbor(&inner).unwrap(), untag(&json["entry"]), "{label}");
            assert_eq!(hex::encode(entry.signed_bytes()), text(json, "signed_bytes"), "{label}");
            assert_eq!(strings(entry.next()), hashes(&json["entry"]["next"]), "{label}");
            entry.verify(writer.block()).unwrap();
            let payload = keys_of_both.open_payload(entry.payload()).unwrap().into_owned();
            assert_eq!(payload, payload_of(json), "{label}");
            if encrypted("data") {
                assert_eq!(hex::encode(payload.to_dag_cbor().unwrap()), text(json, "payload_bytes"), "{label}");
                let Value::Bytes(sealed) = entry.payload() else { panic!("{label}") };
                ciphertexts.0.push(sealed.clone());
            } else {
                assert_eq!(*entry.payload(), payload, "{label}");
            }
            payloads.push(payload);
            log.join(entry).unwrap();
        }
        state_is(&log, kind, &payloads, &label);

        // written here, with JavaScript's ciphertexts, the blocks are the same
        let recorded = Encryption { data: recorded(ciphertexts.0), replication: recorded(ciphertexts.1) };
        let mut again = Log::encrypted(address, recorded);
        for (payload, json) in payloads.iter().zip(filled(scenario, "blocks")) {
            let references = json["entry"]["refs"].as_array().unwrap().len();
            let hash = again.append(&writer, payload.clone(), references).unwrap();
            assert_eq!(again.get(&hash).unwrap().block(), bytes(json, "bytes"), "{label}");
            assert_eq!(again.get(&hash), log.get(&hash), "{label}");
        }

        // written with ciphers of our own, they say the same to those who have the keys
        let modern = |part: bool| part.then(|| Arc::new(XChaCha20Cipher::generate().unwrap()) as Arc<dyn Cipher>);
        let ours = Encryption { data: modern(mode != "replication"), replication: modern(mode != "data") };
        for encryption in [keys(scenario, |password| Some(password.to_owned())), ours] {
            let mut written = Log::encrypted(address, encryption.clone());
            let mut read = Log::encrypted(address, encryption.clone());
            for payload in &payloads {
                let hash = written.append(&writer, payload.clone(), 16).unwrap();
                let entry = Entry::open(written.get(&hash).unwrap().block(), &encryption).unwrap();
                assert_eq!(Some(&entry), written.get(&hash), "{label}");
                entry.verify(writer.block()).unwrap();
                read.join(entry).unwrap();
            }
            state_is(&read, kind, &payloads, &label);
        }
    }
}

#[test]
fn without_the_right_keys() {
    let json = load("encrypted.json");
    let writer = identity_of(&json["writer"]);
    for scenario in filled(&json, "scenarios") {
        let label = format!("{}, {}", text(scenario, "mode"), text(scenario, "type"));
        let keys_of_both = keys(scenario, |password| Some(password.to_owned()));
        let wrong_keys = keys(scenario, |password| Some(format!("{password}!")));
        let block = bytes(&filled(scenario, "blocks")[0], "bytes");
        let json = &filled(scenario, "blocks")[0];
        if text(json, "block_is") != "plain entry map" {
            let open = |encryption: &Encryption| Entry::open(&block, encryption).unwrap_err();
            let none = open(&Encryption::default());
            assert!(matches!(none, EntryError::Encryption(EncryptionError::NoReplicationKey)), "{label}: {none}");
            let wrong = open(&wrong_keys);
            let expected = EncryptionError::Replication(CipherError::WrongKey);
            assert_eq!(wrong.to_string(), expected.to_string(), "{label}");
            let cut = [&block[..block.len() - 1], &[]].concat();
            assert!(matches!(keys_of_both.open_block(&cut), Err(EncryptionError::Scan(_))), "{label}");
        }
        // whoever can open the entry can check and join it without its payload
        let only_replication = Encryption { data: None, replication: keys_of_both.replication.clone() };
        let entry = Entry::open(&block, &only_replication).unwrap();
        entry.verify(writer.block()).unwrap();
        let mut log = Log::encrypted(entry.log(), only_replication.clone());
        let hash = entry.hash();
        log.join(entry.clone()).unwrap();
        if text(json, "payload_is") == "plain" {
            assert!(log.payload(&hash).is_some(), "{label}");
        } else {
            assert_eq!(log.payload(&hash), None, "{label}");
            let none = only_replication.open_payload(entry.payload()).unwrap_err();
            assert!(matches!(none, EncryptionError::NoDataKey), "{label}: {none}");
            let wrong = wrong_keys.open_payload(entry.payload()).unwrap_err();
            assert!(matches!(wrong, EncryptionError::Data(CipherError::WrongKey)), "{label}: {wrong}");
            let short = keys_of_both.open_payload(&Value::Bytes(vec![0; 43])).unwrap_err();
            assert!(matches!(short, EncryptionError::Data(CipherError::Malformed(_))), "{label}: {short}");
        }
    }
}

#[test]
fn messages_of_simple_encryption() {
    for case in filled(&load("encrypted.json")["simple_encryption"], "raw") {
        let cipher = SimpleEncryption::new(text(case, "password")).unwrap();
        let (plain, sealed) = (bytes(case, "plaintext"), bytes(case, "ciphertext"));
        assert_eq!(cipher.decrypt(&sealed).unwrap(), plain);
        let salt_and_nonce = [bytes(case, "salt"), bytes(case, "nonce")].concat();
        assert_eq!(sealed[..salt_and_nonce.len()], salt_and_nonce);
        let ours = cipher.encrypt(&plain).unwrap();
        assert_eq!(ours.len(), sealed.len());
        assert_eq!(SimpleEncryption::new(text(case, "password")).unwrap().decrypt(&ours).unwrap(), plain);
    }
}
