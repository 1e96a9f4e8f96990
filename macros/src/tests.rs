//! What is generated, seen as tokens. What it means to the compiler is tested in `tests/ui`.

use super::*;
use std::{
    io::Write as _,
    process::{Command, Stdio},
};

/// The expansion of the first struct of `source`, formatted, and the errors.
fn expand(source: &str) -> (String, Vec<String>) {
    let input: DeriveInput = syn::parse_str(source).unwrap();
    let mut errors = Errors::default();
    let tokens = model_of(&input, &mut errors);
    (format(&tokens.to_string()), errors.messages())
}

/// The errors of a model.
fn errors(source: &str) -> Vec<String> {
    expand(source).1
}

/// As `rustfmt` has it in this project.
fn format(code: &str) -> String {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path", concat!(env!("CARGO_MANIFEST_DIR"), "/../rustfmt.toml")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    rustfmt.stdin.take().unwrap().write_all(code.as_bytes()).unwrap();
    let output = rustfmt.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

const POST: &str = "
    #[model_args(index(user_id, created_at))]
    pub struct Post {
        #[field(key)] pub id: Id<Post>,
        pub user_id: Id<User>,
        #[field(index, len = 1..=200)] pub title: String,
        pub body: String,
        #[field(index, default = false)] pub published: bool,
        #[field(default = 0)] pub popularity: i64,
        pub summary: Option<String>,
        #[field(created, index)] pub created_at: Timestamp,
        #[belongs_to(key = user_id)] pub author: BelongsTo<User>,
        #[has_many] pub comments: HasMany<Comment>,
        #[many_to_many] pub tags: ManyToMany<Tag>,
    }";

#[test]
fn a_model_of_eight_fields_and_three_relations_keeps_its_budget() {
    let (code, errors) = expand(POST);
    assert_eq!(errors, [""; 0]);
    let lines = code.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 300, "{code}\n{lines} lines");
}
