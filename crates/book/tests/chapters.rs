//! The programs of the book run, and print what their pages say.

use std::{env, error::Error, process::Command};

include!(concat!(env!("OUT_DIR"), "/chapters.rs"));

/// Names the page that a child process is to run.
const PAGE: &str = "DEBROS_BOOK_PAGE";

/// The same, for a page that talks to a Kubo daemon.
#[cfg(feature = "kubo")]
fn page_with_daemon(test: &str, run: fn() -> Result<(), Box<dyn Error>>, output: &[&str]) {
    if env::var(PAGE).as_deref() == Ok(test) {
        return page(test, run, output);
    }
    let daemon = debros_tests::KuboDaemon::start();
    in_child(test, &[("DEBROS_BOOK_DAEMON", &daemon.url())], output);
}

/// Runs a page in a process of its own, in an empty folder: the programs of the book keep their data in `./data`.
fn page(test: &str, run: fn() -> Result<(), Box<dyn Error>>, output: &[&str]) {
    if env::var(PAGE).as_deref() == Ok(test) {
        if let Err(error) = run() {
            panic!("{error}");
        }
        return;
    }
    in_child(test, &[], output);
}

fn in_child(test: &str, variables: &[(&str, &str)], output: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let child = Command::new(env::current_exe().expect("this program"))
        .args([test, "--exact", "--nocapture"])
        .env(PAGE, test)
        .envs(variables.iter().copied())
        .current_dir(folder.path())
        .output()
        .expect("a child process");
    let printed = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{printed}\n{}", String::from_utf8_lossy(&child.stderr));
    let mut rest = printed.as_ref();
    for expected in output {
        match rest.split_once(expected) {
            Some((_, after)) => rest = after,
            None => panic!("the page says that it prints\n{expected}\nbut it printed\n{printed}"),
        }
    }
}
