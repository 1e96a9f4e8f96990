//! What the compiler says to a mistake, and that what is none compiles.
//!
//! Each file of `ui/<topic>/` has one mistake, which its first line tells; beside it is what the compiler prints. These texts are
//! part of the product: read a changed one aloud before it goes in. `TRYBUILD=overwrite` writes them anew; `DEBROS_UI` runs the files whose path
//! has this text in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

const TOPICS: &[&str] = &["events", "field", "load", "model", "query", "registry", "relation", "scope", "shard"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui")
}

/// The programs of a topic, and of `DEBROS_UI` if it is set.
fn programs(topic: &str) -> Vec<PathBuf> {
    let only = std::env::var("DEBROS_UI").unwrap_or_default();
    let entries = fs::read_dir(folder().join(topic)).unwrap_or_else(|error| panic!("ui/{topic}: {error}"));
    let mut programs: Vec<PathBuf> = entries
        .map(|entry| Path::new("ui").join(topic).join(entry.expect("an entry of the folder").file_name()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| path.to_string_lossy().contains(&only))
        .collect();
    programs.sort();
    programs
}

#[test]
fn mistakes_are_told_and_the_rest_compiles() {
    let cases = trybuild::TestCases::new();
    for program in TOPICS.iter().flat_map(|topic| programs(topic)) {
        cases.compile_fail(program);
    }
    for program in programs("pass") {
        cases.pass(program);
    }
}

#[test]
fn every_topic_has_programs_and_every_program_says_what_it_does() {
    for topic in TOPICS.iter().copied().chain(["pass"]) {
        let programs = programs(topic);
        assert!(!programs.is_empty() || std::env::var_os("DEBROS_UI").is_some(), "ui/{topic} is empty");
        for program in programs {
            let source = fs::read_to_string(folder().join("..").join(&program)).expect("the program");
            let first = source.lines().next().unwrap_or_default();
            assert!(
                first.starts_with("//") && first.ends_with('.'),
                "{}: the first line is a sentence that says what is wrong in it",
                program.display()
            );
        }
    }
    let topics: Vec<String> = fs::read_dir(folder())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.ends_with(".rs") && name != "pass")
        .collect();
    assert!(topics.iter().all(|topic| TOPICS.contains(&topic.as_str())), "a topic that nothing runs: {topics:?}");
}

/// What no message, label or note of ours names: it is generated, or hidden, and nobody wrote it.
const INTERNAL: &[&str] = &["__", "_::", "Here<", "way_back_of", "key_of_parent", "Shape_"];

/// Is this line of ours? Below a message the compiler adds what it found out: where a bound stands, which types have a trait, which macro it
/// was. That cannot be helped.
fn is_ours(line: &str) -> bool {
    let label = line.trim_start_matches(['|', ' ']);
    let added = ["originates in", "required by", "required for", "evaluation of", "expected ", "found "];
    (line.starts_with("error") || label.starts_with(['^', '-']) || label.starts_with("= note: "))
        && !added.iter().any(|added| line.contains(added))
}

#[test]
fn no_message_names_what_is_generated() {
    for program in TOPICS.iter().flat_map(|topic| programs(topic)) {
        let snapshot = folder().join("..").join(program.with_extension("stderr"));
        let text = fs::read_to_string(&snapshot).unwrap_or_else(|error| panic!("{}: {error}", snapshot.display()));
        for line in text.lines().filter(|line| is_ours(line)) {
            let leaked = INTERNAL.iter().find(|word| line.contains(*word));
            assert!(leaked.is_none(), "{}: a message names `{}`:\n{line}", snapshot.display(), leaked.unwrap_or(&""));
        }
    }
}

#[test]
fn no_message_is_without_words_of_its_own() {
    for program in TOPICS.iter().flat_map(|topic| programs(topic)) {
        let snapshot = folder().join("..").join(program.with_extension("stderr"));
        let text = fs::read_to_string(&snapshot).unwrap_or_else(|error| panic!("{}: {error}", snapshot.display()));
        for line in text.lines().filter(|line| line.starts_with("error")) {
            let bare =
                ["type annotations needed", "no method named", "no function or associated item", "the trait bound"];
            assert!(!bare.iter().any(|bare| line.contains(bare)), "{}: {line}", snapshot.display());
        }
    }
}

/// Programs with several mistakes.
const MISTAKES: &[(&str, usize)] = &[
    ("field/default_of_other_type", 2),
    ("field/empty_range", 2),
    ("field/enum_with_data", 2),
    ("field/flag_with_value", 2),
    ("field/integer_too_wide", 2),
    ("field/unique_key", 2),
    ("field/unknown_in_index", 2),
    ("model/not_yet", 7),
    ("model/typos", 4),
    ("query/set_read_only", 3),
    ("relation/bare_model", 2),
    ("relation/not_yet", 2),
];

/// Programs with one mistake of which the compiler tells more than once.
const TOLD_AGAIN: &[(&str, usize)] = &[
    // the compiler refuses the syntax before any macro sees it
    ("model/field_default_value", 2),
];

#[test]
fn one_mistake_is_one_message() {
    for program in TOPICS.iter().flat_map(|topic| programs(topic)) {
        let text =
            fs::read_to_string(folder().join("..").join(program.with_extension("stderr"))).expect("the snapshot");
        let messages = text.lines().filter(|line| line.starts_with("error")).count();
        let name = program.with_extension("");
        let expected = MISTAKES.iter().chain(TOLD_AGAIN).find(|(file, _)| name.ends_with(file));
        assert_eq!(messages, expected.map_or(1, |(_, count)| *count), "{}", program.display());
    }
}
