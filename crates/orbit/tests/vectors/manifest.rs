use crate::{block, filled, load, tagged::untag, text};
use debros_orbit::{AccessAddress, AccessList, Address, DatabaseKind, Manifest};
use serde_json::Value as Json;

/// Checks a database of the vectors, and makes its blocks again; gives its address.
pub(crate) fn database(json: &Json) -> Address {
    let bytes = block(&json["manifest"]);
    let manifest = Manifest::decode(&bytes).unwrap();
    let value = &json["manifest"]["value"];
    assert_eq!(manifest.name, text(json, "name"));
    assert_eq!(manifest.name, text(value, "name"));
    assert_eq!(manifest.kind.word(), text(json, "type"));
    assert_eq!(manifest.kind.word(), text(value, "type"));
    assert_eq!(manifest.meta, value.get("meta").map(untag));
    assert_eq!(manifest.to_bytes().unwrap(), bytes);

    let controller = &json["access_controller"];
    assert_eq!(manifest.access.to_string(), text(controller, "address"));
    assert_eq!(manifest.access.to_string(), text(value, "accessController"));
    let mut known = false;
    if let Some(list) = controller.get("block") {
        known = true;
        let bytes = block(list);
        let access = AccessList::decode(&bytes).unwrap();
        let write = list["value"]["write"].as_array().unwrap();
        assert_eq!(access.write, write.iter().map(|id| id.as_str().unwrap()).collect::<Vec<_>>());
        assert_eq!(access.to_bytes(), bytes);
        assert_eq!(access.address(), manifest.access);
    }
    if let Some(inner) = controller.get("database") {
        known = true;
        // an `orbitdb` access controller is a keyvalue database with the same name
        assert_eq!(manifest.access, AccessAddress::Orbitdb(database(inner)));
        assert_eq!(text(inner, "type"), DatabaseKind::KeyValue.word());
        assert_eq!(text(inner, "name"), manifest.name);
    }
    assert!(known, "neither a list nor a database: {controller}");

    let address = manifest.address().unwrap();
    assert_eq!(address.to_string(), text(json, "address"));
    assert_eq!(text(json, "address").parse(), Ok(address));
    assert_eq!(text(json, "pubsub_topic"), address.to_string());
    assert_eq!(text(json, "heads_protocol"), format!("/orbitdb/heads{address}"));
    address
}

#[test]
fn manifests_and_addresses() {
    for json in filled(&load("manifest.json"), "manifests") {
        let address = database(json);
        let open = &json["open"];
        // what was opened leads to the same address, without a look at the blocks
        let kind = open["type"].as_str().unwrap_or("events").parse().unwrap();
        let access = match json["access_controller"].get("block") {
            Some(list) => {
                let write = list["value"]["write"].as_array().unwrap().iter().map(|id| id.as_str().unwrap());
                AccessList::new(write).address()
            }
            None => {
                let list = AccessList::new([text(open, "creator")]).address();
                let inner = Manifest {
                    name: text(open, "name").to_owned(),
                    kind: DatabaseKind::KeyValue,
                    access: list,
                    meta: None,
                };
                AccessAddress::Orbitdb(inner.address().unwrap())
            }
        };
        let meta = open.get("meta").map(untag);
        let manifest = Manifest { name: text(open, "name").to_owned(), kind, access, meta };
        assert_eq!(manifest.address().unwrap(), address, "{}", text(json, "label"));
    }
}
