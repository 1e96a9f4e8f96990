//! Which row a reference means: ids that commit, and those that do not.

use crate::{
    attach::{attach, id, with},
    memory::{Memory, user},
    models::{COMMENT, POST, USER},
    row,
};
use debros_core::{ID, Included, Value};
use debros_query::Found;

fn post_of(memory: &Memory, comment: &Found) -> Option<Value> {
    let (mut rows, _) = attach(memory, &COMMENT, &[comment], &[with("post")]);
    match rows.pop()?.1.pop()? {
        Included::One(Some(row)) => Some(row.record.field("title").clone()),
        _ => None,
    }
}

fn comments_of(memory: &Memory, post: &Found) -> Vec<Value> {
    let (mut rows, _) = attach(memory, &POST, &[post], &[with("comments")]);
    match rows.pop().unwrap().1.pop().unwrap() {
        Included::Many(rows) => rows.iter().map(|row| row.record.field("text").clone()).collect(),
        Included::One(_) => panic!("many"),
    }
}

#[test]
fn an_id_that_commits_cannot_be_shadowed() {
    let mut memory = Memory::new(Some(user(2)));
    let alice = memory.add(&USER, user(1), row!(name = "alice"));
    let post = memory.add(&POST, user(1), row!(user_id = id(&alice), title = "real", likes = 0));
    // user 2 puts a row of their own under Alice's id
    let mut shadow = post.record.clone();
    shadow.insert("title", "shadow");
    let shadow = memory.put(&POST, Some(user(2)), shadow);
    let mut comments = Vec::new();
    for owner in [1, 2, 3] {
        let row = row!(post_id = id(&post), user_id = id(&alice), text = format!("by {owner}"), at = 1);
        comments.push(memory.add(&COMMENT, user(owner), row));
    }
    for comment in &comments {
        assert_eq!(post_of(&memory, comment), Some(Value::from("real")));
    }
    assert_eq!(comments_of(&memory, &post).len(), 3);
    assert!(comments_of(&memory, &shadow).is_empty());
}

#[test]
fn an_id_that_does_not_commit_is_meant_in_its_own_store_alone() {
    let mut memory = Memory::new(Some(user(1)));
    let alice = memory.add(&USER, user(1), row!(name = "alice"));
    let mut foreign = memory.create(row!(user_id = id(&alice), title = "foreign", likes = 0), user(1));
    foreign.insert(ID, "00000000-0000-7000-8000-000000000001");
    let post = memory.put(&POST, Some(user(2)), foreign);
    let mut comment = |owner: u8| {
        let row = row!(post_id = id(&post), user_id = id(&alice), text = format!("by {owner}"), at = 1);
        memory.add(&COMMENT, user(owner), row)
    };
    let (theirs, mine) = (comment(2), comment(1));
    assert_eq!(post_of(&memory, &theirs), Some(Value::from("foreign")));
    assert_eq!(post_of(&memory, &mine), None);
    assert_eq!(comments_of(&memory, &post), [Value::from("by 2")]);
}
