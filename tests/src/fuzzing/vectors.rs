//! What JavaScript's vectors hold.

use serde_json::Value as Json;
use std::{collections::BTreeSet, fs, path::Path};

/// The longest that is worth changing.
const MAX: usize = 4 << 10;

/// All bytes that these files of the OrbitDB vectors hold as hexadecimal text, each once.
pub(super) fn bytes_in(files: &[&str]) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/orbit/tests/vectors");
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read(folder.join(file)).expect("the vectors are there");
        gather(&serde_json::from_slice(&text).expect("the vectors are JSON"), &mut found);
    }
    found.into_iter().collect()
}

fn gather(json: &Json, found: &mut BTreeSet<Vec<u8>>) {
    match json {
        Json::String(text) => found.extend(hex::decode(text).ok().filter(|bytes| (2..=MAX).contains(&bytes.len()))),
        Json::Array(list) => list.iter().for_each(|item| gather(item, found)),
        Json::Object(fields) => fields.values().for_each(|field| gather(field, found)),
        _ => {}
    }
}
