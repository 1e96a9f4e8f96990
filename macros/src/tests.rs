//! What is generated, seen as tokens. What it means to the compiler is tested in `tests/ui`.

use super::*;
use std::{
    io::Write as _,
    process::{Command, Stdio},
};

/// The expansion of a model, and the errors.
fn expand(source: &str) -> (String, Vec<String>) {
    let input: DeriveInput = syn::parse_str(source).unwrap();
    let mut errors = Errors::default();
    let tokens = model_of(&input, &mut errors);
    (tokens.to_string(), errors.messages())
}

/// As `rustfmt` has it in this project.
fn format(code: &str) -> String {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../rustfmt.toml");
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path", config])
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

/// What `POST` may expand to, in lines as `rustfmt` has them.
const BUDGET: usize = 300;

#[test]
fn a_model_of_eight_fields_and_three_relations_keeps_its_budget() {
    let (code, errors) = expand(POST);
    assert_eq!(errors, [""; 0]);
    let code = format(&code);
    let lines = code.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= BUDGET, "{code}\n{lines} lines");
}

#[test]
fn generated_paths_begin_at_the_crate_that_is_named() {
    let (code, errors) = expand(&POST.replace("index(user_id, created_at)", "crate = ::other"));
    assert_eq!(errors, [""; 0]);
    assert!(code.contains(":: other :: __private") && !code.contains(":: debros"), "{code}");
}

#[test]
fn the_struct_goes_on_untouched() {
    let item = quote!(
        #[derive(Debug)]
        pub struct Note {
            #[field(key)]
            id: Id<Note>,
        }
    );
    let code = attribute(quote!(scope = nonsense), item.clone()).to_string();
    assert!(code.ends_with(&item.to_string()), "{code}");
    let function = quote!(
        fn note() {}
    );
    let code = attribute(Tokens::new(), function.clone()).to_string();
    assert!(code.contains("compile_error") && code.ends_with(&function.to_string()), "{code}");
}

#[test]
fn every_mistake_is_told_and_the_rest_is_generated() {
    let source = POST
        .replace("index(user_id, created_at)", "scpe = user, index(user_id, createdat), unique(author)")
        .replace("default = 0", "defualt = 0")
        .replace("key = user_id", "key = usr_id");
    let (code, errors) = expand(&source);
    assert_eq!(
        errors,
        [
            "unknown option `scpe`; did you mean `scope`?",
            "unknown option `defualt`; did you mean `default`?",
            "there is no field `usr_id`; did you mean `user_id`?",
            "`author` is a relation, which is not stored",
            "there is no field `createdat`; did you mean `created_at`?",
        ]
    );
    for item in
        ["struct PostFields", "struct NewPost", "struct PostLoaded", "Model for Post", "ChildOf < User > for Post"]
    {
        assert!(code.contains(item), "{item}");
    }
}

#[test]
fn an_option_that_nothing_reads_is_refused_wherever_it_stands() {
    for (option, found) in [
        ("pinning(factor = 2)", "pinning"),
        ("events(create, update)", "events"),
        ("cache = 300", "cache"),
        ("conflict = merge", "conflict"),
        ("encrypted", "encrypted"),
        ("version = 2", "version"),
    ] {
        let refused = format!("this version of debros does not have `{found}` yet: leave it out");
        for place in ["index(user_id, created_at)", "default = 0", "key = user_id"] {
            assert_eq!(expand(&POST.replace(place, option)).1.first(), Some(&refused), "{option} for {place}");
        }
    }
    for store in parse::LATER_STORES {
        let (_, errors) = expand(&POST.replace("index(user_id, created_at)", &format!("store = {store}")));
        assert_eq!(
            errors,
            [format!("this version of debros does not have the store `{store}` yet: use `documents` or `events`")]
        );
    }
}

#[test]
fn words_and_texts_are_the_same() {
    for scope in ["scope = user, store = documents", "scope = \"user\", store = \"documents\""] {
        assert_eq!(expand(&POST.replace("index(user_id, created_at)", scope)).1, [""; 0]);
    }
}

#[test]
fn events_are_not_changeable_and_have_no_time_of_a_change() {
    assert!(expand(POST).0.contains("Changeable for Post"));
    let events = POST.replace("index(user_id, created_at)", "store = events");
    let (code, errors) = expand(&events);
    assert_eq!(errors, [""; 0]);
    assert!(!code.contains("Changeable") && code.contains("StoreKind :: Events"), "{code}");
    let (_, errors) = expand(&events.replace("created, index", "updated, index"));
    assert_eq!(
        errors,
        [
            "`Post` is stored as events, which only grow: they have no time of a change, so write `created`, or leave `created_at` out"
        ]
    );
}
