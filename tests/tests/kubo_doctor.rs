//! `debros doctor`, and what `debros inspect` says of shipping, with a real daemon.

use debros::prelude::*;
use debros_cli::Exit;
use debros_ipfs::{Cid, Kubo, KuboPin};
use debros_tests::{KuboDaemon, KuboDaemonOptions};
use serde_json::Value;
use std::{ffi::OsString, fs, path::Path, time::Duration};

/// What is written.
#[model(scope = user)]
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// Its key.
    #[field(key)]
    pub id: Id<Leaf>,
    /// Counts.
    pub number: i64,
}

/// Runs the command, whose answer is JSON. Not on the runtime's own thread: it has one of its own.
async fn debros(arguments: &[&str]) -> (Exit, Value) {
    let mut all: Vec<OsString> = vec!["debros".into()];
    all.extend(arguments.iter().map(OsString::from));
    all.push("--json".into());
    let ran = tokio::task::spawn_blocking(move || {
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let exit = debros_cli::run(all, &mut out, &mut errors).expect("memory can be written");
        (exit, out, String::from_utf8(errors).expect("UTF-8"))
    });
    let (exit, out, errors) = ran.await.expect("it does not panic");
    assert_eq!(errors, "");
    (exit, serde_json::from_slice(&out).expect("JSON"))
}

/// The findings about a thing: level, sentence and command.
fn about(examined: &Value, thing: &str) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = examined["findings"].as_array().expect("findings").iter();
    let about = findings.filter(|finding| finding["about"] == thing);
    about.map(|finding| (text(&finding["level"]), text(&finding["what"]), text(&finding["mend"]))).collect()
}

/// The one finding about a thing.
fn one(examined: &Value, thing: &str) -> (String, String, String) {
    let found = about(examined, thing);
    assert_eq!(found.len(), 1, "{thing}: {examined:#}");
    found[0].clone()
}

/// Ships so many records, and gives the pins that hold them.
async fn ship(folder: &Path, daemon: &KuboDaemon, records: i64) -> Vec<KuboPin> {
    let db = Db::builder(folder, "tree").kubo(daemon.url().as_str()).open(models![Leaf]).await.expect("it opens");
    let me = db.session(&db.identity("me").await.expect("an identity"));
    let leaves: Vec<_> = (0..records).map(|number| NewLeaf { number }).collect();
    me.batch().create_all(leaves).await.expect("they are stored");
    db.kubo().flush(Duration::from_secs(120)).await.expect("they are pinned");
    db.close().await.expect("it closes");
    let kubo = Kubo::new(daemon.url().as_str().into()).expect("a client");
    kubo.pins_named("debros/").await.expect("the pins")
}

/// The file in which a repository of one file a block keeps this one.
fn block_file(daemon: &KuboDaemon, cid: &Cid) -> std::path::PathBuf {
    let multihash = daemon.ipfs_ok(&["cid", "format", "-b", "base32upper", "-f", "%M", &cid.to_string()]);
    let name = format!("{}.data", multihash.trim());
    let shards = fs::read_dir(daemon.repository().join("blocks")).expect("the blocks");
    let paths = shards.map(|shard| shard.expect("a folder").path().join(&name));
    paths.into_iter().find(|path| path.exists()).expect("the block has a file")
}

#[tokio::test(flavor = "multi_thread")]
async fn pins_that_hold_everything_are_good_and_every_other_is_a_problem() {
    let mut daemon = KuboDaemon::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (exit, examined) = debros(&["doctor", &daemon.url()]).await;
    assert_eq!(exit, Exit::Clean, "{examined:#}");
    assert!(examined["version"].as_str().expect("a version").starts_with("0."));
    assert_eq!(examined["peer"], daemon.peer_id());
    assert_eq!(one(&examined, "pins").1, "there is none of debros yet.");
    assert_eq!(one(&examined, "announcing").0, "good");
    assert!(one(&examined, "datastore").1.contains("flatfs"));
    assert!(one(&examined, "free space").1.contains("free on its disk"));
    assert!(one(&examined, "garbage collection").1.contains("of 9.3 GiB"));

    assert_eq!(one(&examined, "pubsub").0, "good");

    let pins = ship(folder.path(), &daemon, 1_200).await;
    assert!(!pins.is_empty());
    let (exit, examined) = debros(&["doctor", &daemon.url()]).await;
    assert_eq!(exit, Exit::Clean, "{examined:#}");
    let (level, what, _) = one(&examined, "pins");
    assert_eq!(level, "good");
    let expected = format!("{} pin", pins.len());
    assert!(what.starts_with(&expected) && what.contains("1,2"), "{what}");
    // the folder knows of it
    let path = folder.path().to_str().expect("UTF-8");
    let (exit, inspected) = debros(&["inspect", path]).await;
    assert_eq!(exit, Exit::Clean);
    let shipped = &inspected["shippedTo"][0];
    assert_eq!((&shipped["peer"], &shipped["entries"]), (&daemon.peer_id().into(), &1_200.into()));
    let known: Vec<_> = shipped["pins"].as_array().expect("pins").iter().map(|pin| pin["root"].as_str()).collect();
    assert!(known.iter().all(|root| pins.iter().any(|pin| Some(pin.cid.to_string().as_str()) == *root)), "{known:?}");

    // an entry that has a name of ours
    let kubo = Kubo::new(daemon.url().as_str().into()).expect("a client");
    let mut exported = kubo.dag_export_local(&pins[0].cid).await.expect("it answers");
    let mut last = None;
    while let Some((cid, _)) = exported.next().await.expect("all is there") {
        last = Some(cid);
    }
    let leaf = last.expect("there are blocks below");
    kubo.pin_add(&leaf, "debros/odd").await.expect("it is pinned");
    let (exit, examined) = debros(&["doctor", &daemon.url()]).await;
    assert_eq!(exit, Exit::Wrong);
    let (level, what, mend) = one(&examined, "pins");
    assert!(level == "problem" && what.contains("`debros/odd`") && what.contains("no list of blocks"), "{what}");
    // the command that is told mends it
    assert_eq!(mend, format!("ipfs pin rm {leaf}"));
    daemon.ipfs_ok(&mend.split(' ').skip(1).collect::<Vec<_>>());
    assert_eq!(debros(&["doctor", &daemon.url()]).await.0, Exit::Clean);

    // a pin of the root alone
    let (root, name) = (pins[0].cid.to_string(), pins[0].name.as_str());
    daemon.ipfs_ok(&["pin", "rm", &root]);
    daemon.ipfs_ok(&["pin", "add", "--recursive=false", "--name", name, &root]);
    let (exit, examined) = debros(&["doctor", &daemon.url()]).await;
    assert_eq!(exit, Exit::Wrong);
    let (_, what, mend) = one(&examined, "pins");
    assert!(what.contains("pins its root alone"), "{what}");
    assert_eq!(mend, format!("ipfs pin add --name={name} {root}"));
    daemon.ipfs_ok(&mend.split(' ').skip(1).collect::<Vec<_>>());
    assert_eq!(debros(&["doctor", &daemon.url()]).await.0, Exit::Clean);

    // a block that the disk has lost, then the root itself
    for (lost, reason) in [(leaf, "something is missing"), (pins[0].cid, "has lost")] {
        let file = block_file(&daemon, &lost);
        daemon.stop();
        let aside = file.with_extension("aside");
        fs::rename(&file, &aside).expect("the block is moved away");
        daemon.start_again();
        let (exit, examined) = debros(&["doctor", &daemon.url()]).await;
        assert_eq!(exit, Exit::Wrong);
        let wrong = about(&examined, "pins");
        assert!(wrong.iter().any(|(level, what, _)| level == "problem" && what.contains(reason)), "{wrong:#?}");
        fs::rename(&aside, &file).expect("the block is moved back");
    }
    daemon.stop();
    daemon.start_again();
    assert_eq!(debros(&["doctor", &daemon.url()]).await.0, Exit::Clean);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_and_authorization_are_looked_at() {
    let secrets = KuboDaemonOptions::new()
        .authorization("bearer:token", &["/api/v0"])
        .authorization("basic:me:secret", &["/api/v0/id", "/api/v0/pin/ls"])
        .setting("Routing.Type", "autoclient".into())
        .setting("Provide.Enabled", true.into())
        .storage_max("1GB");
    let daemon = secrets.start();
    let (exit, examined) = debros(&["doctor", &daemon.url()]).await;
    assert_eq!(exit, Exit::Wrong);
    let (level, what, mend) = one(&examined, "daemon");
    assert!(level == "problem" && what.contains("does not let us in"), "{what}");
    assert!(mend.starts_with("debros doctor --token"), "{mend}");

    let (exit, examined) = debros(&["doctor", &daemon.url(), "--token", "token"]).await;
    assert_eq!(exit, Exit::Wrong);
    assert!(one(&examined, "authorization").1.contains("asks for a user or a token"));
    let (level, what, mend) = one(&examined, "announcing");
    assert!(level == "problem" && what.contains("every block of ours"), "{what}");
    // the command that is told mends it
    daemon.ipfs_ok(&mend.split(' ').skip(1).collect::<Vec<_>>());
    let (exit, examined) = debros(&["doctor", &daemon.url(), "--token", "token"]).await;
    assert_eq!((exit, one(&examined, "announcing").0.as_str()), (Exit::Clean, "good"), "{examined:#}");
    assert!(one(&examined, "garbage collection").1.contains("of 953.7 MiB"), "{examined:#}");

    // one that may do little
    let (_, examined) = debros(&["doctor", &daemon.url(), "--user", "me", "--password", "secret"]).await;
    let (level, what, _) = one(&examined, "settings");
    assert!(level == "note" && what.contains("does not let us in to `config/show`"), "{what}");
    assert_eq!(one(&examined, "pins").0, "good");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_that_is_open_to_the_network_is_a_problem_and_a_gateway_is_no_rpc() {
    let daemon = KuboDaemon::start();
    // what `config/show` tells is what the daemon will do after it was started again
    daemon.ipfs_ok(&["config", "Addresses.API", "/ip4/0.0.0.0/tcp/5001"]);
    let (exit, examined) = debros(&["doctor", &daemon.url()]).await;
    assert_eq!(exit, Exit::Wrong);
    let (level, what, mend) = one(&examined, "authorization");
    assert!(level == "problem" && what.contains("/ip4/0.0.0.0/tcp/5001"), "{what}");
    daemon.ipfs_ok(&mend.split(' ').skip(1).collect::<Vec<_>>());
    let (exit, examined) = debros(&["doctor", &daemon.url()]).await;
    assert_eq!((exit, one(&examined, "authorization").0.as_str()), (Exit::Clean, "good"));

    let (exit, examined) = debros(&["doctor", &daemon.gateway_url()]).await;
    assert_eq!(exit, Exit::Wrong);
    let (_, what, mend) = one(&examined, "daemon");
    assert!(what.contains("not the RPC of a Kubo daemon") && mend == "ipfs config Addresses.API", "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_without_pubsub_is_told_of() {
    let mut daemon = KuboDaemonOptions::new().setting("Pubsub.Enabled", false.into()).start();
    let (exit, examined) = debros(&["doctor", &daemon.url()]).await;
    let (level, what, mend) = one(&examined, "pubsub");
    assert_eq!((exit, level.as_str()), (Exit::Clean, "note"), "{examined:#}");
    assert!(what.contains(".kubo_peers(true)"), "{what}");
    // the command that is told mends it, once the daemon has started again
    daemon.ipfs_ok(&mend.split(' ').skip(1).collect::<Vec<_>>());
    assert_eq!(one(&debros(&["doctor", &daemon.url()]).await.1, "pubsub").0, "note");
    daemon.stop();
    daemon.start_again();
    assert_eq!(one(&debros(&["doctor", &daemon.url()]).await.1, "pubsub").0, "good");
}
