use crate::{
    bytes, filled, hashes,
    javascript::{blocks, same},
    load,
    manifest::database,
    text,
};
use debros_orbit::{AccessList, Entry, JavaScriptLog, Log};

#[test]
fn lying_clocks_are_read_in_the_order_of_javascript() {
    for scenario in filled(&load("skew.json"), "scenarios") {
        let label = text(scenario, "label");
        let mut log = JavaScriptLog::new(database(&scenario["db"]), AccessList::new(["*"]));
        let blocks = blocks(filled(scenario, "entries"));
        for head in hashes(&scenario["joined_in_order"]) {
            let head = &blocks[&head.parse().unwrap()];
            assert_eq!(log.join(head, |hash| blocks.get(hash).cloned()), Ok(true), "{label}");
            assert_eq!(log.join(head, |hash| blocks.get(hash).cloned()), Ok(false), "{label}");
        }
        same(&log, scenario, label);
    }
}

/// Such an entry is refused here, at the latest where the entries that it follows are known.
#[test]
fn lying_clocks_are_refused() {
    for scenario in filled(&load("skew.json"), "scenarios") {
        let label = text(scenario, "label");
        let entries = filled(scenario, "entries");
        let time = |hash: &str| {
            let entry = entries.iter().find(|entry| text(entry, "hash") == hash).unwrap();
            entry["clock"]["time"].as_u64().unwrap()
        };
        let mut log = Log::new(database(&scenario["db"]));
        let mut refused = 0;
        for json in entries {
            let before = hashes(&json["next"]).iter().map(|next| time(next)).max().unwrap_or(0);
            let joined = Entry::decode(&bytes(json, "bytes")).ok().map(|entry| log.join(entry).is_ok());
            let honest = time(text(json, "hash")) > before;
            assert!(honest || joined != Some(true), "{label}");
            refused += usize::from(joined != Some(true));
        }
        assert_eq!(log.len(), entries.len() - refused, "{label}");
        if ["skew-0", "skew-1", "skew-2", "skew-3"].contains(&label) {
            assert!(refused > 0, "{label}");
        }
    }
}
