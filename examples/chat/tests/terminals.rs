//! Two real processes, as in two terminals.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// Long enough for the slowest machine.
const WAIT: Duration = Duration::from_secs(120);

struct Terminal {
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Terminal {
    fn start(folder: &Path, name: &str, dial: Option<&str>) -> Terminal {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
        command.arg(name).arg("--folder").arg(folder.join(name)).args(["--listen", "/ip4/127.0.0.1/tcp/0", "--alone"]);
        command.args(dial.into_iter().flat_map(|address| ["--dial", address]));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || output.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        Terminal { input: process.stdin.take(), process, lines }
    }

    fn say(&mut self, text: &str) {
        writeln!(self.input.as_mut().unwrap(), "{text}").unwrap();
    }

    /// The first line in which this stands.
    fn sees(&self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(WAIT).unwrap_or_else(|_| panic!("never saw {text}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Each of these stands in some line, whichever comes first.
    fn sees_all(&self, texts: &[&str]) {
        let mut left = texts.to_vec();
        while !left.is_empty() {
            let line = self.lines.recv_timeout(WAIT).unwrap_or_else(|_| panic!("never saw {left:?}"));
            left.retain(|text| !line.contains(text));
        }
    }

    fn ends(mut self) {
        drop(self.input.take());
        assert!(self.process.wait().unwrap().success());
    }
}

#[test]
fn messages_arrive_also_those_written_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut anna = Terminal::start(folder.path(), "anna", None);
    let address = anna.sees("* here: ").trim_start_matches("* here: ").to_owned();
    anna.say("is anybody there?");
    let mut ben = Terminal::start(folder.path(), "ben", Some(&address));
    // who they are, and what they say, come in any order
    ben.sees_all(&["* anna (", "is anybody there?"]);
    anna.sees("* ben (");
    ben.say("yes");
    assert!(anna.sees("yes").starts_with("ben ("));
    anna.say("good");
    assert!(ben.sees("good").starts_with("anna ("));
    ben.ends();

    // alone, and then back
    anna.sees("is gone");
    anna.say("and now?");
    let ben = Terminal::start(folder.path(), "ben", Some(&address));
    assert!(ben.sees("and now?").starts_with("anna ("));
    anna.sees("is there");
    ben.ends();
    anna.sees("is gone");

    // one who comes later finds what both have said, from the one who is there
    let carla = Terminal::start(folder.path(), "carla", Some(&address));
    carla.sees_all(&["* anna (", "* ben (", "yes", "and now?"]);
    carla.ends();
    anna.ends();
}
