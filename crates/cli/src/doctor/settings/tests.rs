//! On what `ipfs config show` prints for new repositories of Kubo 0.43 (without `Identity`), and changes of it.

use super::*;
use crate::doctor::Level;
use serde_json::json;

fn default() -> Value {
    serde_json::from_str(include_str!("default.json")).expect("JSON")
}

/// The default with one other setting.
fn with(path: &str, value: Value) -> Settings {
    let mut config = default();
    let mut place = &mut config;
    for name in path.split('.') {
        place = &mut place[name];
    }
    *place = value;
    Settings(config)
}

/// A repository of so many MiB, of at most 10 GB.
fn stat(mib: u64) -> RepoStat {
    let stat = json!({ "RepoSize": mib << 20, "StorageMax": 10_000_000_000u64, "NumObjects": 0, "RepoPath": "" });
    serde_json::from_value(stat).expect("what repo/stat answers")
}

fn is(finding: Finding, level: Level, what: &str, mend: Option<&str>) {
    assert_eq!(finding.level, level, "{finding:?}");
    assert!(finding.what.contains(what), "{finding:?} does not say `{what}`");
    assert!(finding.what.ends_with('.'), "{finding:?} is no sentence");
    assert_eq!(finding.mend.as_deref(), mend, "{finding:?}");
}

#[test]
fn an_open_rpc_is_a_problem_unless_it_is_on_the_loopback() {
    is(Settings(default()).authorization(false), Level::Good, "loopback only", None);
    let open = with("Addresses.API", json!("/ip4/0.0.0.0/tcp/5009"));
    let mend = Some("ipfs config Addresses.API /ip4/127.0.0.1/tcp/5009");
    is(open.authorization(false), Level::Problem, "listens on /ip4/0.0.0.0/tcp/5009 and asks nobody", mend);
    is(open.authorization(true), Level::Good, "asks for a user or a token", None);
    let both = with("Addresses.API", json!(["/ip4/127.0.0.1/tcp/5001", "/ip6/::/tcp/5001"]));
    let mend = Some("ipfs config Addresses.API /ip4/127.0.0.1/tcp/5001");
    is(both.authorization(false), Level::Problem, "listens on /ip6/::/tcp/5001 and", mend);
}

#[test]
fn announcing_every_block_is_a_problem() {
    let off = Some("ipfs config --json Provide.Enabled false");
    is(Settings(default()).provide(), Level::Problem, "every block of ours to the public DHT", off);
    is(with("Provide.Enabled", json!(false)).provide(), Level::Good, "announces nothing", None);
    is(with("Routing.Type", json!("none")).provide(), Level::Good, "no routing", None);
    for (strategy, level) in [
        ("all", Level::Problem),
        ("pinned", Level::Problem),
        ("pinned+mfs", Level::Problem),
        ("pinned+unique", Level::Problem),
        ("something new", Level::Problem),
        ("roots", Level::Note),
        ("roots+mfs", Level::Note),
        ("mfs", Level::Good),
    ] {
        assert_eq!(with("Provide.Strategy", json!(strategy)).provide().level, level, "{strategy}");
    }
}

#[test]
fn the_datastore_of_the_blocks_counts() {
    let new = Some("IPFS_PATH=<a new folder> ipfs init --profile=pebbleds");
    is(Settings(default()).datastore(), Level::Note, "a file of its own (flatfs)", new);
    let pebble: Value = serde_json::from_str(include_str!("pebbleds.json")).expect("JSON");
    is(Settings(pebble).datastore(), Level::Good, "pebble", None);
    let measured = json!({ "type": "measure", "prefix": "x", "child": { "type": "badgerds", "path": "badgerds" } });
    is(with("Datastore.Spec", measured).datastore(), Level::Problem, "badger", new);
    is(with("Datastore.Spec", json!({ "type": "mem" })).datastore(), Level::Note, "not known here (mem)", None);
    // whatever a daemon sends
    let mut deep = json!({ "type": "flatfs" });
    for _ in 0..100 {
        deep = json!({ "child": deep });
    }
    for odd in [deep, json!(null), json!({ "mounts": [1, {}] }), json!([]), json!({ "type": 7 })] {
        assert_eq!(with("Datastore.Spec", odd).datastore().level, Level::Note);
    }
}

#[test]
fn a_full_repository_is_told_before_it_is_full() {
    let settings = Settings(default());
    is(settings.garbage(&stat(5_000)), Level::Good, "has 4.9 GiB of 9.3 GiB", None);
    is(settings.garbage(&stat(8_000)), Level::Note, "has 7.8 GiB of 9.3 GiB", Some("ipfs repo gc"));
    is(
        settings.garbage(&stat(9_000)),
        Level::Problem,
        "more than the 90%",
        Some("ipfs config Datastore.StorageMax 19GB"),
    );
    let watermark = with("Datastore.StorageGCWatermark", json!(50));
    assert_eq!(watermark.garbage(&stat(5_000)).level, Level::Problem);
    // what makes no sense is taken for the default
    assert_eq!(with("Datastore.StorageGCWatermark", json!("x")).garbage(&stat(5_000)).level, Level::Good);
    let odd = serde_json::from_value(json!({ "RepoSize": u64::MAX, "StorageMax": 0 })).expect("numbers");
    assert_eq!(settings.garbage(&odd).level, Level::Problem);
}

#[test]
fn free_space_is_compared_with_what_the_repository_may_become() {
    let settings = Settings(default());
    is(settings.free_space(100 << 30, &stat(1_000)), Level::Good, "100.0 GiB are free", None);
    is(settings.free_space(1 << 29, &stat(1_000)), Level::Problem, "only 512.0 MiB", Some("ipfs repo gc"));
    let smaller = Some("ipfs config Datastore.StorageMax 6GB");
    is(settings.free_space(5 << 30, &stat(1_000)), Level::Note, "less than the 8.3 GiB", smaller);
    is(settings.free_space(5 << 30, &stat(9_000)), Level::Note, "5.0 GiB are free", Some("ipfs repo gc"));
    let odd = serde_json::from_value(json!({ "RepoSize": u64::MAX, "StorageMax": u64::MAX })).expect("numbers");
    assert_eq!(settings.free_space(u64::MAX, &odd).level, Level::Good);
}

#[test]
fn settings_that_are_none_are_no_panic() {
    for odd in [json!(null), json!([]), json!("x"), json!({ "Addresses": { "API": [1, null] } })] {
        let settings = Settings(odd);
        for finding in [settings.authorization(false), settings.provide(), settings.datastore()] {
            assert!(!finding.what.is_empty());
        }
    }
}
