//! The chapter of mistakes is made from what the compiler prints: `DEBROS_BOOK=overwrite cargo test -p debros-book --test mistakes` writes it
//! anew.

use debros_book::Snapshot;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const PAGE: &str = "docs/guide/compiler.md";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names of the programs of a topic, without `.rs`, in order.
fn programs(topic: &str) -> Vec<String> {
    let folder = root().join("tests/ui").join(topic);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names = entries.map(|entry| entry.expect("an entry of the folder").file_name().to_string_lossy().into_owned());
    let names: BTreeSet<String> = names.filter_map(|name| name.strip_suffix(".rs").map(str::to_owned)).collect();
    names.into_iter().collect()
}

fn snapshot(topic: &str, program: &str) -> Snapshot {
    let file = root().join("tests/ui").join(topic).join(program).with_extension("rs");
    Snapshot::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// What a place of the page holds: ```` <!-- quote query/page_without_order --> ````, ```` <!-- list query --> ````.
fn generated(mark: &str) -> String {
    match mark.split_once(' ') {
        Some(("quote", program)) => {
            let (topic, program) = program.split_once('/').expect("a topic and a program");
            format!("```text\n{}\n```\n", snapshot(topic, program).excerpt())
        }
        Some(("list", topic)) => {
            let mut list = String::new();
            for program in programs(topic) {
                let snapshot = snapshot(topic, &program);
                list.push_str(&format!("- {}\n", snapshot.mistake));
                let mut seen = BTreeSet::new();
                for message in snapshot.messages() {
                    if seen.insert(message.clone()) {
                        list.push_str(&format!("  - *{}*\n", message.replace('*', "\\*")));
                    }
                }
            }
            list
        }
        _ => panic!("{PAGE}: `{mark}` is no mark"),
    }
}

/// The page with each place filled: it ends at `<!-- end -->`.
fn filled(page: &str) -> String {
    let (mut text, mut skipping) = (String::new(), false);
    for line in page.lines() {
        let mark = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        if mark == Some("end") {
            skipping = false;
        }
        if !skipping {
            text.push_str(line);
            text.push('\n');
        }
        if let Some(mark) = mark.filter(|mark| *mark != "end") {
            text.push_str(&generated(mark));
            skipping = true;
        }
    }
    assert!(!skipping, "{PAGE}: a place does not end");
    text
}

#[test]
fn the_page_is_what_the_compiler_says() {
    let file = root().join(PAGE);
    let page = fs::read_to_string(&file).expect("the page");
    let wanted = filled(&page);
    if std::env::var("DEBROS_BOOK").is_ok_and(|value| value == "overwrite") {
        fs::write(&file, &wanted).expect("the page is written");
        return;
    }
    let differs = page.lines().zip(wanted.lines()).enumerate().find(|(_, (is, wanted))| is != wanted);
    assert!(
        page == wanted,
        "{PAGE} is not what the compiler says, first in line {:?}; see the head of {}",
        differs.map(|(number, lines)| (number + 1, lines)),
        file!()
    );
}

#[test]
fn every_topic_is_on_the_page() {
    let page = fs::read_to_string(root().join(PAGE)).expect("the page");
    let mut topics = 0;
    for entry in fs::read_dir(root().join("tests/ui")).expect("the folder") {
        let entry = entry.expect("an entry of the folder");
        let topic = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && topic != "pass" {
            topics += 1;
            assert!(page.contains(&format!("<!-- list {topic} -->")), "{PAGE} has no mistakes of `{topic}`");
        }
    }
    assert!(topics > 0);
}
