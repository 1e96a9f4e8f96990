//! The command as it is called, on folders that an application made.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debros::prelude::*;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
struct Author {
    #[field(key)]
    id: Id<Author>,
    #[field(unique, len = 1..=100)]
    name: String,
}

#[model(scope = user)]
#[derive(Debug, Clone)]
struct Note {
    #[field(key)]
    id: Id<Note>,
    #[field(index, len = 1..=100)]
    text: String,
}

async fn open(dir: &Path) -> Db {
    Db::open(dir, "shelf", models![Author, Note]).await.unwrap()
}

/// One author, and twenty notes of hers.
async fn fill(db: &Db) {
    let me = db.session(&db.identity("alice").await.unwrap());
    me.create(NewAuthor { name: "Alice".into() }).await.unwrap();
    for n in 0..20 {
        me.create(NewNote { text: format!("the text of note {n}") }).await.unwrap();
    }
}

async fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path()).await;
    fill(&db).await;
    db.close().await.unwrap();
    dir
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_debros"));
    command.args(arguments);
    for name in ["DEBROS_KUBO_TOKEN", "DEBROS_KUBO_USER", "DEBROS_KUBO_PASSWORD"] {
        command.env_remove(name);
    }
    command
}

/// Exit code, output, errors.
fn debros(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn json(arguments: &[&str]) -> (i32, Value) {
    let (code, out, errors) = debros(arguments);
    assert_eq!(errors, "");
    (code, serde_json::from_str(&out).unwrap())
}

fn segment(dir: &Path) -> PathBuf {
    dir.join("segments/0000000001.car")
}

/// Every file but the lock.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if !path.ends_with("LOCK") {
            all.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    all
}

#[tokio::test]
async fn a_folder_is_inspected_and_verified_and_stays_as_it_is() {
    let dir = filled().await;
    let path = dir.path().to_str().unwrap();
    let before = files(dir.path());
    let (code, out, errors) = debros(&["inspect", path]);
    assert_eq!((code, errors.as_str()), (0, ""));
    for part in [
        "2 databases, 21 entries",
        "shelf",
        "/orbitdb/zdpu",
        "documents, of the family shelf/Note; 1 user may write",
        "20 (",
    ] {
        assert!(out.contains(part), "`{part}` is missing in:\n{out}");
    }
    assert!(out.contains("damage   none"), "{out}");
    let (code, inspected) = json(&["inspect", path, "--json"]);
    assert_eq!((code, &inspected["clean"], &inspected["damaged"]), (0, &true.into(), &0.into()));
    assert_eq!(inspected["totals"]["entries"], 21);
    let databases = inspected["databases"].as_array().unwrap();
    let notes = databases.iter().find(|database| database["family"] == "shelf/Note").unwrap();
    assert_eq!((&notes["entries"], &notes["lastTime"]), (&20.into(), &20.into()));
    assert_eq!(notes["heads"].as_array().unwrap().len(), 1);
    assert_eq!(notes["authors"][0]["entries"], 20);
    assert_eq!(notes["access"]["write"][0], notes["authors"][0]["user"]);

    let (code, out, errors) = debros(&["verify", path]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(out.contains("21 entries") && out.contains("Everything is in order"), "{out}");
    assert!(out.contains("`db.verify()` compares them"), "{out}");
    let (code, verified) = json(&["verify", "--json", path]);
    assert_eq!((code, &verified["clean"], &verified["faulty"]), (0, &true.into(), &0.into()));
    assert!(verified["notCompared"].as_str().unwrap().contains("db.verify()"));

    // not a byte of it is another, and the application finds everything
    assert_eq!(files(dir.path()), before);
    let db = open(dir.path()).await;
    assert!(db.verify().await.unwrap().is_clean());
    let me = db.session(&db.identity("alice").await.unwrap());
    assert_eq!(Note::query().count(&me).await.unwrap(), 20);
    db.close().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_an_application_has_open_is_left_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path()).await;
    fill(&db).await;
    for name in ["inspect", "verify"] {
        let (code, out, errors) = debros(&[name, dir.path().to_str().unwrap()]);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(errors.contains(&format!("in use by process {}", std::process::id())), "{errors}");
    }
    assert!(db.verify().await.unwrap().is_clean());
    db.close().await.unwrap();
}

#[tokio::test]
async fn a_flipped_byte_is_found_with_its_place() {
    let dir = filled().await;
    let path = dir.path().to_str().unwrap();
    let mut bytes = fs::read(segment(dir.path())).unwrap();
    let at = bytes.windows(19).position(|window| window == b"the text of note 17").unwrap();
    bytes[at] ^= 1;
    fs::write(segment(dir.path()), bytes).unwrap();
    let (code, out, errors) = debros(&["verify", path]);
    assert_eq!((code, errors.as_str()), (1, ""));
    assert!(out.contains("damage   1 place") && out.contains("0000000001.car, byte "), "{out}");
    // what followed the lost entry follows nothing now
    assert!(out.contains("faults   1 thing") && out.contains("which is not here"), "{out}");
    let (code, inspected) = json(&["inspect", path, "--json"]);
    assert_eq!((code, &inspected["clean"], &inspected["damaged"]), (1, &false.into(), &1.into()));
    let offset = inspected["damage"][0]["offset"].as_u64().unwrap();
    assert!(offset <= at as u64 && at as u64 - offset < 1_000, "{offset} {at}");
    assert_eq!(inspected["totals"]["entries"], 20);
}

#[tokio::test]
async fn a_cut_tail_is_damage_if_it_was_known_and_an_interrupted_write_if_not() {
    let dir = filled().await;
    let path = dir.path().to_str().unwrap();
    let file = fs::OpenOptions::new().write(true).open(segment(dir.path())).unwrap();
    let len = file.metadata().unwrap().len();
    file.set_len(len - 10).unwrap();
    let (code, out, _) = debros(&["verify", path]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("damage   1 place"), "{out}");
    // without the tables nobody knows that there was more
    fs::remove_file(dir.path().join("state.redb")).unwrap();
    let (code, out, _) = debros(&["verify", path]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("end      ") && out.contains("interrupted write"), "{out}");
    let (code, inspected) = json(&["inspect", path, "--json"]);
    assert_eq!((code, &inspected["totals"]["entries"], &inspected["state"]), (0, &20.into(), &"missing".into()));
    assert_eq!(
        inspected["unfinished"]["offset"].as_u64().unwrap() + inspected["unfinished"]["bytes"].as_u64().unwrap(),
        len - 10
    );
}

#[test]
fn what_is_no_data_folder_is_told_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("letter"), "x").unwrap();
    for (path, reason) in [
        (dir.path().to_path_buf(), "not the format file of a data folder"),
        (dir.path().join("letter"), "letter failed"),
        (dir.path().join("missing"), "missing failed"),
    ] {
        for name in ["inspect", "verify"] {
            let (code, out, errors) = debros(&[name, "--json", path.to_str().unwrap()]);
            assert_eq!((code, out.as_str()), (2, ""));
            assert!(errors.contains(reason), "{errors}");
        }
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn misuse_is_told_on_stderr_and_help_is_no_error() {
    for misuse in
        [&[][..], &["inspect"], &["repair", "x"], &["inspect", "x", "--loud"], &["doctor", "http://h:1", "--user", "u"]]
    {
        let (code, out, errors) = debros(misuse);
        assert_eq!((code, out.as_str()), (2, ""), "{misuse:?}");
        assert!(errors.contains("Usage: debros"), "{errors}");
    }
    let (code, out, errors) = debros(&["--help"]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(["inspect", "verify", "doctor", "exit code"].iter().all(|part| out.contains(part)), "{out}");
    assert!(debros(&["--version"]).1.starts_with("debros 0."));
}

#[tokio::test]
async fn whoever_reads_only_the_beginning_is_no_error() {
    let dir = filled().await;
    let mut child = command(&["inspect", dir.path().to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(0), ""));
}

#[test]
fn no_daemon_and_other_servers_are_problems_and_a_wrong_address_is_misuse() {
    // a port that nobody listens on any more
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, examined) = json(&["doctor", &format!("http://{free}"), "--json"]);
    assert_eq!((code, &examined["problems"], &examined["version"]), (1, &1.into(), &Value::Null));
    assert_eq!(examined["findings"][0]["mend"], "ipfs daemon");

    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let answering = thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut request = [0; 4_096];
        let _ = stream.read(&mut request).unwrap();
        let page = "<html>\u{1b}[31m</html>";
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}", page.len()).unwrap();
    });
    let (code, out, errors) = debros(&["doctor", &format!("http://{address}")]);
    answering.join().unwrap();
    assert_eq!((code, errors.as_str()), (1, ""));
    assert!(out.contains("problem  daemon: what answers at") && out.contains("1 problem, 0 notes"), "{out}");
    assert!(!out.contains('\u{1b}'), "{out:?}");

    for (url, reason) in [("127.0.0.1:5001", "no scheme"), ("http://me:secret@h:1/api/v0", "the path")] {
        let (code, out, errors) = debros(&["doctor", url]);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(errors.contains(reason) && !errors.contains("secret"), "{errors}");
    }
}

#[test]
fn lists_of_peers_are_signed_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let (key, list) = (dir.path().join("key"), dir.path().join("list"));
    let (key, list_file) = (key.to_str().unwrap(), list.to_str().unwrap());
    let text = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    let run = |arguments: &[&str]| command(&[&["rendezvous"], arguments].concat()).output().unwrap();

    let made = run(&["key", key]);
    assert_eq!(made.status.code(), Some(0));
    let publisher = text(&made).trim().to_owned();
    assert!(publisher.parse::<UserId>().is_ok(), "{publisher}");
    let again = run(&["key", key]);
    assert_eq!(again.status.code(), Some(2), "a key is never written over");

    let peer = "/dns4/one.example.org/tcp/4001/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    let signed = run(&["sign", "--key", key, "--app", "chat", "--days", "2", peer]);
    assert_eq!(signed.status.code(), Some(0));
    fs::write(&list, &signed.stdout).unwrap();
    let shown = run(&["show", "--json", list_file]);
    assert_eq!(shown.status.code(), Some(0));
    let json: Value = serde_json::from_str(&text(&shown)).unwrap();
    assert_eq!((&json["application"], &json["expired"]), (&"chat".into(), &false.into()));
    assert_eq!((&json["publisher"], &json["peers"][0]), (&publisher.into(), &peer.into()));
    let told = text(&run(&["show", list_file]));
    assert!(told.starts_with("peers of `chat`, signed by") && told.contains(peer), "{told}");

    // by another key, and long ago
    let old = debros_orbit::SigningKey::generate().unwrap();
    let [issued, expires] = ["2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"].map(|at| at.parse().unwrap());
    fs::write(&list, debros_orbit::Rendezvous::new("chat", issued, expires, [peer]).unwrap().sign(&old)).unwrap();
    let expired = run(&["show", list_file]);
    assert_eq!(expired.status.code(), Some(1));
    assert!(text(&expired).contains("EXPIRED 2020-02-01"));

    fs::write(&list, text(&signed).replace("4001", "4002")).unwrap();
    let changed = run(&["show", list_file]);
    assert_eq!(changed.status.code(), Some(2));
    assert!(String::from_utf8(changed.stderr).unwrap().contains("something was changed in it"));
    let nobody = run(&["sign", "--key", key, "--app", "chat", "/ip4/192.0.2.1/tcp/1"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(String::from_utf8(nobody.stderr).unwrap().contains("does not end with `/p2p/`"));
}
