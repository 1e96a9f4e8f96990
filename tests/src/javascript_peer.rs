use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// How long anything may take; it takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a peer is waited for until its log is as expected, before it says what it is instead.
const UNTIL_IT_SAYS: Duration = Duration::from_secs(90);

/// A real JavaScript OrbitDB peer in a process of its own, on the loopback interface only. What it is made of stands in
/// `tests/js-peer`, is installed by npm once, and kept in the target folder. It ends when it is dropped.
///
/// Whatever goes wrong panics, with what the peer said.
#[derive(Debug)]
pub struct JavaScriptPeer {
    name: String,
    child: Child,
    input: ChildStdin,
    said: mpsc::Receiver<Value>,
    /// What it complained about.
    errors: Vec<String>,
    requests: u64,
    address: String,
    user: String,
    _folder: TempDir,
}

impl JavaScriptPeer {
    /// Starts a peer whose user has this name, and waits until it is ready.
    pub fn start(name: &str) -> JavaScriptPeer {
        let folder = tempfile::tempdir().expect("a folder for the peer");
        let mut child = Command::new("node")
            .arg(installed().join("peer.mjs"))
            .arg(folder.path())
            .arg(name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let (say, said) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let line = line.expect("the output of the peer is text");
                let value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("no JSON ({e}): {line}"));
                if say.send(value).is_err() {
                    return;
                }
            }
        });
        let (errors, requests) = (Vec::new(), 0);
        let (address, user) = (String::new(), String::new());
        let name = name.to_owned();
        let mut peer = JavaScriptPeer { name, child, input, said, errors, requests, address, user, _folder: folder };
        let ready = peer.hear(|said| said["event"] == "ready");
        peer.address = ready["addrs"][0].as_str().expect("it listens somewhere").to_owned();
        peer.user = ready["identity"].as_str().expect("it has an identity").to_owned();
        peer
    }

    /// Where it can be dialled.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The id of its user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// What it has complained about so far.
    pub fn errors(&self) -> &[String] {
        &self.errors
    }

    /// Asks something that must not fail, and gives the answer. What can be asked stands in `tests/js-peer/peer.mjs`.
    pub fn ask(&mut self, cmd: &str, more: Value) -> Value {
        self.try_ask(cmd, more).unwrap_or_else(|e| panic!("{} cannot {cmd}: {e}; it said {:?}", self.name, self.errors))
    }

    /// The same, of what may fail.
    ///
    /// # Errors
    /// What the peer says about it.
    pub fn try_ask(&mut self, cmd: &str, more: Value) -> Result<Value, String> {
        self.requests += 1;
        let id = self.requests;
        let mut request: Map<String, Value> = more.as_object().cloned().unwrap_or_default();
        request.extend([("id".to_owned(), id.into()), ("cmd".to_owned(), cmd.into())]);
        writeln!(self.input, "{}", Value::Object(request)).expect("the peer reads");
        let answer = self.hear(|said| said["id"] == id);
        match answer["ok"] == true {
            true => Ok(answer["result"].clone()),
            false => Err(answer["error"].as_str().unwrap_or("no reason").to_owned()),
        }
    }

    /// Waits until the log of a database has so many entries.
    pub fn wait_for(&mut self, database: &str, entries: u64) {
        let within = UNTIL_IT_SAYS.as_millis() as u64;
        self.ask("wait", json!({ "db": database, "count": entries, "timeout_ms": within }));
    }

    /// Waits until a database has exactly these heads.
    pub fn wait_for_heads(&mut self, database: &str, heads: &[String]) {
        let within = UNTIL_IT_SAYS.as_millis() as u64;
        self.ask("wait", json!({ "db": database, "heads": heads, "timeout_ms": within }));
    }

    /// The next of what it says that is looked for.
    fn hear(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let said = self.said.recv_timeout(PATIENCE).unwrap_or_else(|_| {
                panic!("{} does not answer within {PATIENCE:?}; it said {:?}", self.name, self.errors)
            });
            if wanted(&said) {
                return said;
            }
            if said["event"] == "error" {
                self.errors.push(said["message"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
}

impl Drop for JavaScriptPeer {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder in which the peer and its packages are, installed the first time.
fn installed() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("js-peer");
        let names = ["package.json", "package-lock.json", "peer.mjs"];
        let files = names.map(|name| fs::read(source.join(name)).expect("tests/js-peer is whole"));
        // wherever in it this program is, a test or a measurement: cargo marks the folder
        let program = env::current_exe().expect("this program is somewhere");
        let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
        let target = target.expect("this program is in the target folder");
        let folder = target.join(format!("js-peer-{:016x}", fnv1a(&files[..2].concat())));
        if !folder.is_dir() {
            // only what is whole gets the name under which it is looked for
            let part = tempfile::tempdir_in(target).expect("a folder in the target folder");
            for (name, bytes) in names.iter().zip(&files) {
                fs::write(part.path().join(name), bytes).expect("a file of the peer");
            }
            let npm = Command::new("npm")
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(part.path())
                .output()
                .expect("this test needs Node 20 or newer, and npm: install them");
            let said = String::from_utf8_lossy(&npm.stderr);
            assert!(npm.status.success(), "npm cannot install what tests/js-peer/package-lock.json names:\n{said}");
            // another process may have been faster
            if let Err(error) = fs::rename(part.path(), &folder) {
                assert!(folder.is_dir(), "the installed peer cannot be moved to {}: {error}", folder.display());
            }
        }
        // the script alone changes without a new installation
        let script = folder.join("peer.mjs");
        if fs::read(&script).ok().as_deref() != Some(&files[2]) {
            fs::write(&script, &files[2]).expect("the script of the peer");
        }
        folder
    })
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
