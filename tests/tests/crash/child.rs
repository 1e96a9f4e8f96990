//! [`Child`]: a process that works on a data folder until it is killed.

use crate::moment::Moment;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    process::{Command, Stdio},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

const ARGUMENT: &str = "DEBROS_CRASH_CHILD";
const POINT: &str = "DEBROS_CRASH_POINT";
/// A child that does not come to where it is to be killed is killed after so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process that worked on a data folder until it was killed.
pub(crate) struct Child {
    /// What it said, in order.
    pub(crate) said: Vec<String>,
    /// Did it come to the failpoint where it was to be killed?
    pub(crate) came_there: bool,
}

impl Child {
    /// Runs the test of this name, with an argument, until the moment when it is killed.
    pub(crate) fn run(test: &str, argument: &str, moment: &Moment) -> Child {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args([test, "--exact", "--nocapture"]).env(ARGUMENT, argument).stdout(Stdio::piped());
        if let Moment::At { point, times } = moment {
            command.env(POINT, format!("{times} {point}"));
        }
        let mut process = command.spawn().expect("a child process");
        let lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let (say, heard) = mpsc::channel();
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // the test harness prints on the same pipe; what is ours begins with @
                if let Some((_, ours)) = line.split_once('@') {
                    let _ = say.send(ours.to_owned());
                }
            }
        });
        let mut said = Vec::new();
        let came_there = match moment {
            Moment::Opening(after) => {
                thread::sleep(*after);
                false
            }
            Moment::Open(after) => {
                assert_eq!(heard.recv_timeout(PATIENCE).as_deref(), Ok("open"), "the child opens the folder");
                thread::sleep(*after);
                false
            }
            Moment::At { .. } => {
                let begun = Instant::now();
                loop {
                    match heard.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
                        Ok(line) => said.push(line),
                        Err(RecvTimeoutError::Disconnected) => break true,
                        Err(RecvTimeoutError::Timeout) => break false,
                    }
                }
            }
        };
        process.kill().expect("it was not waited for");
        let status = process.wait().expect("it is dead");
        assert_eq!(status.signal(), Some(9), "the child failed by itself, with {status}");
        reader.join().expect("its output ends");
        said.extend(heard.try_iter());
        said.retain(|line| line != "open");
        Child { said, came_there }
    }

    /// In the child: its argument, if it is one. From now on it ends itself at the failpoint that it was told.
    pub(crate) fn argument() -> Option<String> {
        let argument = std::env::var(ARGUMENT).ok()?;
        if let Ok(told) = std::env::var(POINT) {
            let (times, point) = told.split_once(' ').expect("a number and a name");
            let times: u64 = times.parse().expect("a number");
            let come = AtomicU64::new(0);
            let count = move || {
                if come.fetch_add(1, Ordering::SeqCst) + 1 == times {
                    let this = nix::unistd::Pid::this();
                    nix::sys::signal::kill(this, nix::sys::signal::SIGKILL).expect("one may kill oneself");
                    // not a step further, should the system take a moment
                    loop {
                        thread::park();
                    }
                }
            };
            fail::cfg_callback(point, count).expect("a failpoint");
        }
        Some(argument)
    }

    /// In the child: tells the parent.
    pub(crate) fn say(line: &str) {
        let mut out = std::io::stdout().lock();
        writeln!(out, "@{line}").and_then(|()| out.flush()).expect("the parent reads");
    }
}
