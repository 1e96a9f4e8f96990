use crate::{bytes, documents::strings, filled, hashes, identity_of, load, text};
use debros_orbit::{
    AccessAddress, AccessList, Address, DatabaseKind, Documents, Entry, Events, Hash, IdentityBlock, Log, Manifest,
};
use serde_json::Value as Json;
use std::collections::HashMap;

/// The blocks of a data folder of JavaScript, checked against the names they lie under.
fn blocks(levels: &Json) -> HashMap<Hash, Vec<u8>> {
    let mut blocks = HashMap::new();
    for row in filled(levels, "blocks") {
        let block = bytes(row, "value");
        // a slash and the multihash in base32, without what a CID says of version and codec
        let name = text(row, "key").strip_prefix('/').unwrap();
        let (_, multihash) = cid::multibase::decode(name).unwrap();
        assert_eq!(multihash, Hash::of(&block).cid().hash().to_bytes());
        blocks.insert(Hash::of(&block), block);
    }
    blocks
}

#[test]
fn what_javascript_keeps_on_disk_is_understood() {
    let json = load("ondisk/contents.json");
    let user = identity_of(&load("identity.json")["users"]["A"]);
    let levels = &json["levels"];
    let blocks = blocks(levels);
    assert_eq!(text(&json, "identity"), user.hash().to_string());
    assert_eq!(blocks[&user.hash()], user.bytes());
    let keystore = filled(levels, "orbitdb/keystore");
    assert_eq!(keystore.len(), 2);
    assert!(keystore.iter().any(|row| text(row, "key") == format!("private_{}", user.id())));

    for (name, database) in json["databases"].as_object().unwrap() {
        let address: Address = text(database, "address").parse().unwrap();
        let manifest = Manifest::decode(&blocks[&address.manifest()]).unwrap();
        assert_eq!(manifest.address().unwrap(), address, "{name}");
        let AccessAddress::Ipfs(list) = manifest.access else { panic!("{name}") };
        let access = AccessList::decode(&blocks[&list]).unwrap();

        // an indexed keyvalue database keeps its log within its index
        let folder = format!("orbitdb{address}");
        let folder = if name == "kvi" { format!("{folder}/_index{address}") } else { folder };
        let heads = &filled(levels, &format!("{folder}/log/_heads"))[0];
        assert_eq!(text(heads, "key"), "heads", "{name}");
        let heads: Json = serde_json::from_slice(&bytes(heads, "value")).unwrap();
        let heads = heads.as_array().unwrap();

        let mut waiting: Vec<Entry> = Vec::new();
        for row in filled(levels, &format!("{folder}/log/_index")) {
            assert_eq!(bytes(row, "value"), b"true", "{name}");
            let entry = Entry::decode(&blocks[&text(row, "key").parse().unwrap()]).unwrap();
            let identity = IdentityBlock::decode(&blocks[&entry.identity()]).unwrap();
            identity.verify().unwrap();
            entry.verify(&identity).unwrap();
            assert!(access.allows(&identity.id.to_string()), "{name}");
            waiting.push(entry);
        }
        waiting.sort_by_key(Entry::clock);
        let mut log = Log::new(address);
        for entry in waiting {
            assert!(log.join(entry).unwrap(), "{name}");
        }
        assert_eq!(strings(log.heads()), hashes(&database["heads"]), "{name}");
        for head in heads {
            let head_hash: Hash = text(head, "hash").parse().unwrap();
            assert!(log.heads().contains(&head_hash), "{name}");
            assert_eq!(strings(log.get(&head_hash).unwrap().next()), hashes(&head["next"]), "{name}");
        }
        let traversal: Vec<Hash> = log.traverse().map(Entry::hash).collect();
        assert_eq!(strings(&traversal), hashes(&database["traversal_newest_first"]), "{name}");

        match manifest.kind {
            DatabaseKind::Events => assert_eq!(Events::of(&log).all().len(), log.len(), "{name}"),
            _ => {
                let state = Documents::of(&log);
                assert!(!state.rows().is_empty(), "{name}");
                if name == "kvi" {
                    let index = filled(levels, &format!("orbitdb{address}/_index"));
                    let mut indexed: Vec<_> = index.iter().map(|row| text(row, "key")).collect();
                    let mut rows: Vec<_> = state.rows().iter().map(|row| row.key.as_text().unwrap()).collect();
                    indexed.sort_unstable();
                    rows.sort_unstable();
                    assert_eq!(rows, indexed, "{name}");
                }
            }
        }
    }
}
