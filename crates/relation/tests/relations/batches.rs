//! How often a source is asked: for each relation and level, not for each row.

use crate::{
    attach::{attach, by, id, nested, with},
    links::link,
    memory::{Memory, user},
    models::{COMMENT, COUNTRY, POST, TAG, USER, keyed},
    row,
};
use debros_core::IncludeSpec;
use debros_query::Found;

/// 100 posts of 5 authors of 2 countries, with 3 comments each by 10 commenters and 2 of 7 tags.
fn world() -> (Memory, Vec<Found>) {
    let mut memory = Memory::new(Some(user(1)));
    for code in ["nl", "de"] {
        memory.add(&COUNTRY, user(1), keyed(&COUNTRY, row!(code = code, name = code)));
    }
    let users: Vec<Found> = (0..10)
        .map(|n| {
            memory.add(&USER, user(n), row!(name = format!("user {n}"), country = if n < 3 { "nl" } else { "de" }))
        })
        .collect();
    let tags: Vec<Found> =
        (0..7).map(|n| memory.add(&TAG, user(1), keyed(&TAG, row!(name = format!("tag {n}"), weight = n)))).collect();
    let mut posts = Vec::new();
    for n in 0..100usize {
        let post = memory.add(&POST, user(1), row!(user_id = id(&users[n % 5]), title = format!("{n}"), likes = 0));
        for m in 0..3 {
            let commenter = (n + m) % 10;
            let row = row!(post_id = id(&post), user_id = id(&users[commenter]), text = "hi", at = m as i64);
            memory.add(&COMMENT, user(commenter as u8), row);
        }
        for tag in [n % 7, (n + 3) % 7] {
            link(&mut memory, user(1), &POST, "tags", &post, &tags[tag]);
        }
        posts.push(post);
    }
    (memory, posts)
}

fn counted(memory: &Memory, posts: &[Found], include: IncludeSpec) -> (usize, usize, usize) {
    let mut coverage = debros_query::Coverage::default();
    memory.reset();
    let loader = memory.loader();
    let rows = debros_query::Resolver::attach(&loader, &POST, posts.to_vec(), &[include], &mut coverage).unwrap();
    assert_eq!(rows.len(), posts.len());
    memory.counted()
}

#[test]
fn a_parent_is_looked_up_once_for_all_of_its_children() {
    let (memory, posts) = world();
    assert_eq!(counted(&memory, &posts, with("author")), (5, 0, 0));
    assert_eq!(counted(&memory, &posts, nested("author", vec![with("home")])), (7, 0, 0));
}

#[test]
fn children_are_read_in_one_scan_for_each_parent_and_nothing_else() {
    let (memory, posts) = world();
    assert_eq!(counted(&memory, &posts, with("comments")), (0, 100, 300));
    // 300 comments have 10 authors, who have 2 countries
    let deep = nested("comments", vec![nested("author", vec![with("home")])]);
    assert_eq!(counted(&memory, &posts, deep), (12, 100, 300));
    let first = IncludeSpec { order: by("at", false), limit: Some(1), ..nested("comments", vec![with("author")]) };
    let (locates, scans, loads) = counted(&memory, &posts, first);
    assert!(locates == 10 && scans == 100 && loads <= 200, "{locates} {scans} {loads}");
}

#[test]
fn links_are_read_in_one_scan_for_each_row_and_their_ends_looked_up_once() {
    let (memory, posts) = world();
    assert_eq!(counted(&memory, &posts, with("tags")), (7, 100, 200));
    let heaviest = IncludeSpec { order: by("weight", true), limit: Some(1), ..with("tags") };
    assert_eq!(counted(&memory, &posts, heaviest), (7, 100, 200));
}

#[test]
fn a_limit_without_an_order_reads_few_of_the_linked_rows() {
    let (mut memory, _) = world();
    let tag = memory.add(&TAG, user(1), keyed(&TAG, row!(name = "all", weight = 0)));
    for post in memory.rows(&POST) {
        link(&mut memory, user(1), &POST, "tags", &post, &tag);
    }
    memory.reset();
    attach(&memory, &TAG, &[&tag], &[IncludeSpec { limit: Some(5), ..with("posts") }]);
    let (locates, scans, _) = memory.counted();
    // one more tells that the fifth ties with none
    assert!(locates <= 6 && scans == 1, "{locates} locates, {scans} scans");
}

#[test]
fn keeping_reads_what_is_required_and_nothing_else() {
    let (memory, posts) = world();
    memory.reset();
    let includes = [with("comments"), nested("author", vec![with("posts"), with("home")]), with("tags")];
    let keeps = debros_query::Resolver::keeps(&memory.loader(), &POST, &posts.iter().collect::<Vec<_>>(), &includes);
    assert!(keeps.unwrap().into_iter().all(|keeps| keeps));
    assert_eq!(memory.counted(), (5, 0, 0));
}
