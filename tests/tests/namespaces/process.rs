use crate::{
    landscape::{Landscape, NODES},
    replica,
};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

/// A process that does not answer for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node in a process of its own.
pub(crate) struct Process {
    at: usize,
    folder: PathBuf,
    child: Child,
    say: ChildStdin,
    heard: Receiver<String>,
    /// The names of what it wrote, and was answered, whenever.
    answered: Vec<String>,
}

impl Process {
    pub(crate) fn start(landscape: &Landscape, folder: &Path, at: usize) -> Process {
        let folder = folder.join(at.to_string());
        let (child, say, heard) = spawn(landscape, &folder, at);
        Process { at, folder, child, say, heard, answered: Vec::new() }
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it was not waited for");
        self.child.wait().expect("it is dead");
        // what it said before counts
        while let Ok(line) = self.heard.recv() {
            self.hear(&line);
        }
    }

    pub(crate) fn start_again(&mut self, landscape: &Landscape) {
        (self.child, self.say, self.heard) = spawn(landscape, &self.folder, self.at);
    }

    pub(crate) fn begin_to_write(&mut self) {
        self.say("write");
    }

    /// Stops it from writing; gives what was answered.
    pub(crate) fn end_writing(&mut self) -> Vec<String> {
        self.ask("stop");
        std::mem::take(&mut self.answered)
    }

    /// The name of what it wrote last.
    pub(crate) fn newest(&mut self) -> String {
        // whatever it is asked, it tells before what it wrote
        self.ask("state");
        self.answered.last().cloned().expect("it wrote something")
    }

    pub(crate) fn wait_for_writes(&mut self, count: usize) {
        let until = self.answered.len() + count;
        while self.answered.len() < until {
            let line = self.next();
            assert!(self.hear(&line), "node {} says: {line}", self.at);
        }
    }

    /// Asks it something, and gives the answer.
    pub(crate) fn ask(&mut self, what: &str) -> String {
        self.say(what);
        loop {
            let line = self.next();
            if !self.hear(&line) {
                return line;
            }
        }
    }

    fn say(&mut self, what: &str) {
        writeln!(self.say, "{what}").expect("the process lives");
    }

    fn next(&self) -> String {
        self.heard.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("node {} says nothing any more", self.at))
    }

    /// Is it about a write?
    fn hear(&mut self, line: &str) -> bool {
        let wrote = line.strip_prefix("wrote ");
        self.answered.extend(wrote.map(str::to_owned));
        wrote.is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // it may be dead already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(landscape: &Landscape, folder: &Path, at: usize) -> (Child, ChildStdin, Receiver<String>) {
    let program = std::env::current_exe().expect("this program");
    let mut command = landscape.command(at, program.to_str().expect("a path of text"));
    let others: Vec<String> = (0..NODES).filter(|other| *other != at).map(|other| landscape.address(other)).collect();
    command.args(["processes_agree_after_kills_and_a_partition", "--exact", "--nocapture"]);
    command
        .env(replica::FOLDER, folder)
        .env(replica::LISTEN, landscape.address(at))
        .env(replica::PEERS, others.join(" "));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
    let (say, lines) = (child.stdin.take().expect("its input"), child.stdout.take().expect("its output"));
    let (tell, heard) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(lines).lines().map_while(Result::ok) {
            // the test harness prints on the same pipe; what is ours begins with @
            if let Some((_, ours)) = line.split_once('@') {
                // without anyone who listens
                let _ = tell.send(ours.to_owned());
            }
        }
    });
    let ready = heard.recv_timeout(PATIENCE).expect("it starts");
    assert_eq!(ready, "ready");
    (child, say, heard)
}
