//! The rows that a relation of one row leads to.

use crate::{
    attach::{eq, id},
    links::link,
    memory::{Memory, user},
    models::{BOOK, COMMENT, POST, SHELF, TAG, USER, keyed},
    row,
};
use debros_core::{Map, ModelDef, NONCE, Value};
use debros_query::{Found, Reach, Reached, Resolver};

/// The record as a caller has it: without what only the store knows.
pub(crate) fn held(row: &Found) -> Map {
    let mut record = row.record.clone();
    record.remove(NONCE);
    record
}

fn rows(memory: &Memory, model: &'static ModelDef, relation: &'static str, row: &Found) -> Vec<Value> {
    match memory.loader().reached(model, relation, &held(row)).unwrap() {
        Reached::Rows(rows) => rows.map(|row| id(&row.unwrap())).collect(),
        Reached::Matching(expr, _) => panic!("a predicate: {expr:?}"),
    }
}

#[test]
fn children_are_a_predicate_that_indexes_answer() {
    let mut memory = Memory::new(Some(user(2)));
    let post = memory.add(&POST, user(1), row!(user_id = "a", title = "t", likes = 0));
    memory.add(&COMMENT, user(2), row!(post_id = id(&post), user_id = "a", text = "c", at = 1));
    let Reached::Matching(expr, reach) = memory.loader().reached(&POST, "comments", &held(&post)).unwrap() else {
        panic!("rows")
    };
    assert_eq!((expr, reach), (eq("post_id", id(&post)), Reach::Everywhere));
}

#[test]
fn children_of_a_natural_key_are_those_of_its_store() {
    let mut memory = Memory::new(Some(user(1)));
    let mine = memory.add(&SHELF, user(1), keyed(&SHELF, row!(name = "top", size = 1)));
    let theirs = memory.add(&SHELF, user(2), keyed(&SHELF, row!(name = "top", size = 2)));
    memory.add(&BOOK, user(1), row!(shelf = "top", title = "mine"));
    let book = memory.add(&BOOK, user(2), row!(shelf = "top", title = "theirs"));
    let Reached::Matching(expr, reach) = memory.loader().reached(&SHELF, "books", &held(&mine)).unwrap() else {
        panic!("rows")
    };
    assert_eq!((expr, reach), (eq("shelf", "top"), Reach::Own));
    assert_eq!(rows(&memory, &SHELF, "books", &theirs), [id(&book)]);
    let gone = memory.create(row!(size = 3), user(3));
    let gone = Found {
        record: keyed(
            &SHELF,
            crate::models::Row({
                let mut gone = gone;
                gone.insert("name", "gone");
                gone
            }),
        )
        .0,
        ..mine
    };
    let Reached::Matching(_, reach) = memory.loader().reached(&SHELF, "books", &held(&gone)).unwrap() else {
        panic!("rows")
    };
    assert_eq!(reach, Reach::Own);
}

#[test]
fn a_parent_is_one_row_or_none() {
    let mut memory = Memory::new(Some(user(1)));
    let alice = memory.add(&USER, user(1), row!(name = "alice"));
    let post = memory.add(&POST, user(1), row!(user_id = id(&alice), title = "t", likes = 0));
    assert_eq!(rows(&memory, &POST, "author", &post), [id(&alice)]);
    assert!(rows(&memory, &POST, "original", &post).is_empty());
    let reply = memory.add(&POST, user(2), row!(user_id = id(&alice), title = "r", likes = 0, reply_to = id(&post)));
    assert_eq!(rows(&memory, &POST, "original", &reply), [id(&post)]);
}

#[test]
fn linked_rows_come_as_they_are_asked_for_and_once() {
    let mut memory = Memory::new(Some(user(1)));
    let tag = memory.add(&TAG, user(1), keyed(&TAG, row!(name = "rust", weight = 1)));
    let posts: Vec<Found> =
        (0..20).map(|n| memory.add(&POST, user(1), row!(user_id = "a", title = "t", likes = n))).collect();
    for post in &posts {
        link(&mut memory, user(1), &POST, "tags", post, &tag);
    }
    memory.reset();
    {
        let loader = memory.loader();
        let Reached::Rows(mut some) = loader.reached(&TAG, "posts", &held(&tag)).unwrap() else {
            panic!("a predicate")
        };
        some.next().unwrap().unwrap();
        assert_eq!(memory.counted().0, 2, "the tag, and one post");
    }
    let friend = memory.add(&USER, user(3), row!(name = "friend"));
    let alice = memory.add(&USER, user(1), row!(name = "alice"));
    for post in &posts {
        link(&mut memory, user(2), &POST, "tags", post, &tag);
    }
    for maker in [1, 2] {
        link(&mut memory, user(maker), &USER, "friends", &alice, &friend);
    }
    let mut found = rows(&memory, &TAG, "posts", &tag);
    found.sort_by(|a, b| a.as_text().cmp(&b.as_text()));
    assert_eq!(found, posts.iter().map(id).collect::<Vec<_>>());
    assert_eq!(rows(&memory, &POST, "tags", &posts[0]), [id(&tag)]);
    assert_eq!(rows(&memory, &USER, "friends", &alice), [id(&friend)]);
}
