//! What keeps a row from being deleted.

use crate::{
    attach::id,
    memory::{Memory, user},
    models::{COMMENT, COUNTRY, POST, USER, keyed, leading_to},
    row,
};
use debros_core::ModelDef;
use debros_query::Found;
use debros_relation::Requiring;

fn requiring(memory: &Memory, model: &'static ModelDef, row: &Found) -> Option<Requiring> {
    memory.loader().first_requiring(model, row, leading_to(model)).unwrap()
}

#[test]
fn rows_of_anyone_that_require_it_are_found() {
    let mut memory = Memory::new(Some(user(1)));
    let alice = memory.add(&USER, user(1), row!(name = "alice"));
    let post = memory.add(&POST, user(1), row!(user_id = id(&alice), title = "t", likes = 0));
    assert_eq!(requiring(&memory, &POST, &post), None);
    let comment = memory.add(&COMMENT, user(2), row!(post_id = id(&post), user_id = id(&alice), text = "c", at = 1));
    let found = requiring(&memory, &POST, &post).unwrap();
    assert_eq!((found.model, found.relation, found.database), ("Comment", "post", comment.database));
    assert_eq!(found.key, id(&comment));
    assert_eq!(requiring(&memory, &USER, &alice).unwrap().model, "Post");
    memory.delete(comment.database, &comment.key);
    assert_eq!(requiring(&memory, &POST, &post), None);
}

#[test]
fn optional_references_and_those_of_other_stores_do_not_count() {
    let mut memory = Memory::new(Some(user(1)));
    let country = memory.add(&COUNTRY, user(1), keyed(&COUNTRY, row!(code = "nl", name = "nl")));
    memory.add(&USER, user(1), row!(name = "alice", country = "nl"));
    assert_eq!(requiring(&memory, &COUNTRY, &country), None);
    let post = memory.add(&POST, user(1), row!(user_id = "a", title = "t", likes = 0));
    memory.add(&POST, user(1), row!(user_id = "a", title = "t", likes = 0, reply_to = id(&post)));
    assert_eq!(requiring(&memory, &POST, &post), None);
    // a comment on another's row under the same id requires the other's
    let shadow = memory.put(&POST, Some(user(2)), post.record.clone());
    memory.add(&COMMENT, user(2), row!(post_id = id(&post), user_id = "a", text = "c", at = 1));
    assert_eq!(requiring(&memory, &POST, &shadow), None);
    assert!(requiring(&memory, &POST, &post).is_some());
}
