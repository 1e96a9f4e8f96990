use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{KuboDaemonOptions, free_port::free_port};

/// How long starting and ending may take; it takes half a second.
const PATIENCE: Duration = Duration::from_secs(120);

/// A real Kubo daemon with a repository of its own, which a test starts, stops and wipes.
///
/// It listens on the loopback interface only, knows no other peers, and looks for none. Its program is the one that the variable
/// `KUBO_BIN` names, which `cargo xtask test kubo` sets. It ends when it is dropped, and its repository with it.
///
/// Whatever goes wrong panics, with what the daemon said.
#[derive(Debug)]
pub struct KuboDaemon {
    program: PathBuf,
    options: KuboDaemonOptions,
    port: u16,
    folder: TempDir,
    child: Option<Child>,
    /// Ends the daemon if this process is killed before it could.
    guard: Option<Child>,
}

impl KuboDaemon {
    /// Starts a daemon with a new, empty repository, and waits until it is ready.
    pub fn start() -> KuboDaemon {
        KuboDaemon::with(KuboDaemonOptions::new())
    }

    pub(crate) fn with(options: KuboDaemonOptions) -> KuboDaemon {
        let program = env::var_os("KUBO_BIN").unwrap_or_else(|| {
            panic!("this test needs a Kubo daemon: run `cargo xtask test kubo`, or set KUBO_BIN to what `cargo xtask kubo` prints")
        });
        let folder = tempfile::tempdir().expect("a folder for the repository");
        let mut daemon = KuboDaemon { program: program.into(), options, port: 0, folder, child: None, guard: None };
        // whoever else looks for a port may take the one found before the daemon does
        let mut said = String::new();
        for _ in 0..20 {
            daemon.port = free_port();
            daemon.initialize();
            match daemon.launch() {
                Ok(()) => return daemon,
                Err(log) => said = log,
            }
        }
        panic!("the daemon does not start:\n{said}");
    }

    /// Where its RPC is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Host and port of its RPC.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where its gateway is, which shows blocks to browsers and is no RPC.
    pub fn gateway_url(&self) -> String {
        fs::read_to_string(self.repository().join("gateway")).expect("a running daemon writes its gateway's address")
    }

    /// A multiaddress with its peer id, by which another daemon can reach it.
    pub fn peer_address(&self) -> String {
        let addresses = self.ipfs_ok(&["swarm", "addrs", "local", "--id"]);
        addresses.lines().next().expect("it listens somewhere").to_owned()
    }

    /// Its peer id.
    pub fn peer_id(&self) -> String {
        self.config()["Identity"]["PeerID"].as_str().expect("a repository has a peer id").to_owned()
    }

    /// Its repository, which `IPFS_PATH` names for its command line.
    pub fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// What it has logged since it was started last.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).expect("the log can be read")
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Asks it to end, and waits until it has. Nothing, if it does not run.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let asked = Command::new("kill").arg(child.id().to_string()).status().expect("`kill` runs");
        assert!(asked.success(), "the daemon cannot be asked to end; it said:\n{}", self.log());
        let deadline = Instant::now() + PATIENCE;
        while child.try_wait().expect("the daemon is waited for").is_none() {
            if Instant::now() > deadline {
                self.child = Some(child);
                panic!("the daemon does not end; it said:\n{}", self.log());
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.dismiss();
    }

    /// Ends it without a word, as a power cut does, and waits until it is gone. Nothing, if it does not run.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("the daemon is killed");
            child.wait().expect("the daemon is waited for");
        }
        self.dismiss();
    }

    /// Its guard has nothing more to do.
    fn dismiss(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            guard.kill().expect("the guard is ended");
            guard.wait().expect("the guard is waited for");
        }
    }

    /// Starts it on the same port with the same repository, after it was stopped or killed.
    pub fn start_again(&mut self) {
        assert!(!self.is_running(), "the daemon runs already");
        if let Err(said) = self.launch() {
            panic!("the daemon does not start again:\n{said}");
        }
    }

    /// Gives it a new, empty repository, and thus another peer id, on the same port. Afterwards it runs, whether it ran before or not.
    pub fn wipe(&mut self) {
        self.stop();
        self.initialize();
        self.start_again();
    }

    /// Runs its command line, as `ipfs pin ls`. A daemon that runs is asked; one that does not has its repository read.
    pub fn ipfs(&self, arguments: &[&str]) -> Output {
        let mut command = self.command();
        if let (true, Some(secret)) = (self.is_running(), &self.options.secret) {
            command.args(["--api-auth", secret]);
        }
        command.args(arguments).output().expect("the command line of Kubo runs")
    }

    /// What its command line prints, which has to succeed.
    pub fn ipfs_ok(&self, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.ipfs(arguments);
        assert!(status.success(), "`ipfs {}`: {}", arguments.join(" "), String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).expect("UTF-8")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("IPFS_PATH", self.repository()).env("IPFS_TELEMETRY", "off").stdin(Stdio::null());
        command
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn config(&self) -> Value {
        let config = fs::read(self.repository().join("config")).expect("a repository has a config");
        serde_json::from_slice(&config).expect("it is JSON")
    }

    /// A new repository, without what was there.
    fn initialize(&self) {
        remove(&self.repository());
        // an empty repository needs not even the welcome
        let profile = if self.options.pebble { "--profile=test,pebbleds" } else { "--profile=test" };
        let made = self.command().args(["init", profile, "--empty-repo"]).output().expect("KUBO_BIN runs");
        assert!(made.status.success(), "no repository: {}", String::from_utf8_lossy(&made.stderr));
        let mut config = self.config();
        let every = [
            ("Addresses.API", json!(format!("/ip4/127.0.0.1/tcp/{}", self.port))),
            ("Routing.Type", json!("none")),
            ("Provide.Enabled", json!(false)),
            ("HTTPRetrieval.Enabled", json!(false)),
            ("Version.SwarmCheckEnabled", json!(false)),
            ("Gateway.NoFetch", json!(true)),
            ("Pubsub.Enabled", json!(true)),
            ("Swarm.RelayClient.Enabled", json!(false)),
            ("Swarm.EnableHolePunching", json!(false)),
        ];
        for (path, value) in every {
            set(&mut config, path, value);
        }
        for (path, value) in &self.options.settings {
            set(&mut config, path, value.clone());
        }
        let config = serde_json::to_vec_pretty(&config).expect("JSON");
        fs::write(self.repository().join("config"), config).expect("the config is written");
    }

    /// Starts it and waits until it is ready. The error is what it said before it ended by itself.
    fn launch(&mut self) -> Result<(), String> {
        // a killed daemon leaves them behind, and they say where the RPC and the gateway were
        for name in ["api", "gateway"] {
            remove(&self.repository().join(name));
        }
        let log = fs::File::create(self.log_path()).expect("a log");
        let errors = log.try_clone().expect("a log");
        let mut command = self.command();
        command.arg("daemon").stdout(log).stderr(errors);
        if self.options.offline {
            command.arg("--offline");
        }
        let mut child = command.spawn().expect("the program of KUBO_BIN runs");
        // the guard's input ends when this process does, however that happens
        let guard = Command::new("sh")
            .args(["-c", "read nothing; kill -9 $1", "guard", &child.id().to_string()])
            .stdin(Stdio::piped())
            .spawn();
        self.guard = Some(guard.expect("`sh` runs"));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.log();
            if said.contains("Daemon is ready") && self.repository().join("api").exists() {
                self.child = Some(child);
                return Ok(());
            }
            if child.try_wait().expect("the daemon is waited for").is_some() {
                self.dismiss();
                return Err(self.log());
            }
            if Instant::now() > deadline {
                self.child = Some(child);
                panic!("the daemon does not become ready; it said:\n{said}");
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for KuboDaemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sets what stands at a path with dots.
fn set(config: &mut Value, path: &str, value: Value) {
    let mut place = config;
    for name in path.split('.') {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[name];
    }
    *place = value;
}

fn remove(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    if let Err(error) = removed {
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{} is removed: {error}", path.display());
    }
}
