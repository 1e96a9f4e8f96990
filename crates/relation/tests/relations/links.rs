//! Links: both sides, and whose count.

use crate::{
    attach::{attach, by, id, with},
    memory::{Memory, user},
    models::{PAGE, POST, SHELF, TAG, TEAM, USER, keyed},
    row,
};
use debros_core::{ID, IncludeSpec, Included, ModelDef, UserId, Value};
use debros_query::Found;
use debros_relation::{LinkTable, Side};

/// Makes a link of two rows in a store of `maker`.
pub(crate) fn link(
    memory: &mut Memory,
    maker: UserId,
    model: &'static ModelDef,
    relation: &str,
    here: &Found,
    there: &Found,
) {
    let table = LinkTable::of(&memory.registry, model, relation).unwrap();
    memory.put(table.links, Some(maker), table.record(&id(here), &id(there)));
}

pub(crate) fn linked(memory: &Memory, model: &'static ModelDef, row: &Found, include: IncludeSpec) -> Vec<Value> {
    let (mut rows, _) = attach(memory, model, &[row], &[include]);
    match rows.pop().unwrap().1.pop().unwrap() {
        Included::Many(rows) => rows.iter().map(|row| row.record.field(ID).clone()).collect(),
        Included::One(_) => panic!("links lead to many"),
    }
}

fn are_linked(memory: &Memory, model: &'static ModelDef, relation: &str, here: &Found, there: &Found) -> bool {
    let table = LinkTable::of(&memory.registry, model, relation).unwrap();
    let there_and_back = memory.loader().are_linked(table.reversed(), there, here).unwrap();
    let linked = memory.loader().are_linked(table, here, there).unwrap();
    assert_eq!(linked, there_and_back);
    linked
}

fn tag(memory: &mut Memory, name: &str) -> Found {
    memory.add(&TAG, user(1), keyed(&TAG, row!(name = name, weight = 1)))
}

#[test]
fn a_link_has_the_keys_of_both_ends_and_the_same_key_from_either() {
    let memory = Memory::new(None);
    let here = LinkTable::of(&memory.registry, &POST, "tags").unwrap();
    let there = LinkTable::of(&memory.registry, &TAG, "posts").unwrap();
    assert_eq!((here.side, there.side), (Side::Left, Side::Right));
    let (post, tag) = (Value::from("p"), Value::from("rust"));
    let record = here.record(&post, &tag);
    assert_eq!(record, there.record(&tag, &post));
    assert_eq!(record.field(ID), &Value::from(r#"["p","rust"]"#));
    assert_eq!((record.field("l"), record.field("r"), record.field("_v")), (&post, &tag, &Value::from(1)));
    assert!(LinkTable::of(&memory.registry, &POST, "comments").is_err());
}

#[test]
fn links_of_the_owner_of_a_row_count_and_no_others() {
    let mut memory = Memory::new(Some(user(1)));
    let post = memory.add(&POST, user(1), row!(user_id = "a", title = "t", likes = 0));
    let (mine, spam) = (tag(&mut memory, "mine"), tag(&mut memory, "spam"));
    link(&mut memory, user(1), &POST, "tags", &post, &mine);
    link(&mut memory, user(2), &POST, "tags", &post, &spam);
    assert_eq!(linked(&memory, &POST, &post, with("tags")), [id(&mine)]);
    assert_eq!(linked(&memory, &TAG, &mine, with("posts")), [id(&post)]);
    assert!(linked(&memory, &TAG, &spam, with("posts")).is_empty());
    assert!(are_linked(&memory, &POST, "tags", &post, &mine));
    assert!(!are_linked(&memory, &POST, "tags", &post, &spam));
}

#[test]
fn a_link_to_a_row_that_is_gone_shows_nothing() {
    let mut memory = Memory::new(Some(user(1)));
    let post = memory.add(&POST, user(1), row!(user_id = "a", title = "t", likes = 0));
    let (kept, gone) = (tag(&mut memory, "kept"), tag(&mut memory, "gone"));
    link(&mut memory, user(1), &POST, "tags", &post, &kept);
    link(&mut memory, user(1), &POST, "tags", &post, &gone);
    memory.delete(gone.database, &gone.key);
    assert_eq!(linked(&memory, &POST, &post, with("tags")), [id(&kept)]);
}

#[test]
fn a_pair_that_two_users_linked_shows_once() {
    let mut memory = Memory::new(None);
    let alice = memory.add(&USER, user(1), row!(name = "alice"));
    let bob = memory.add(&USER, user(2), row!(name = "bob"));
    for maker in [1, 2, 3] {
        link(&mut memory, user(maker), &USER, "friends", &alice, &bob);
    }
    assert_eq!(linked(&memory, &USER, &alice, with("friends")), [id(&bob)]);
    let by_name = IncludeSpec { order: by("name", false), ..with("friends") };
    assert_eq!(linked(&memory, &USER, &alice, by_name), [id(&bob)]);
    assert!(linked(&memory, &USER, &bob, with("friends")).is_empty(), "a link has a direction");
}

#[test]
fn mine_reads_ones_own_links() {
    let mut memory = Memory::new(Some(user(1)));
    let alice = memory.add(&USER, user(1), row!(name = "alice"));
    let friends: Vec<Found> = (0..2).map(|n| memory.add(&USER, user(2), row!(name = format!("{n}")))).collect();
    link(&mut memory, user(1), &USER, "friends", &alice, &friends[0]);
    link(&mut memory, user(2), &USER, "friends", &alice, &friends[1]);
    let mine = IncludeSpec { mine: true, ..with("friends") };
    assert_eq!(linked(&memory, &USER, &alice, mine), [id(&friends[0])]);
    assert_eq!(linked(&memory, &USER, &alice, with("friends")).len(), 2);
}

#[test]
fn either_owner_may_link_rows_of_two_users() {
    let mut memory = Memory::new(Some(user(1)));
    let mut shelf = |owner, name: &str| memory.add(&SHELF, user(owner), keyed(&SHELF, row!(name = name, size = 1)));
    let (a, b) = (shelf(1, "a"), shelf(1, "b"));
    // natural keys mean rows of one's own store only
    let (other_a, other_b) = (shelf(2, "a"), shelf(2, "b"));
    link(&mut memory, user(1), &SHELF, "next_to", &a, &b);
    assert_eq!(linked(&memory, &SHELF, &a, with("next_to")), [id(&b)]);
    assert!(linked(&memory, &SHELF, &other_a, with("next_to")).is_empty());
    assert!(!are_linked(&memory, &SHELF, "next_to", &other_a, &other_b));
    assert!(are_linked(&memory, &SHELF, "next_to", &a, &b));
}

#[test]
fn admins_link_rows_of_a_model_of_admins() {
    let mut memory = Memory::new(None);
    memory.admins.insert(user(9));
    let team = memory.add(&TEAM, user(9), row!(name = "team"));
    let (alice, bob) = (memory.add(&USER, user(1), row!(name = "a")), memory.add(&USER, user(2), row!(name = "b")));
    link(&mut memory, user(9), &TEAM, "players", &team, &alice);
    link(&mut memory, user(2), &TEAM, "players", &team, &bob);
    assert_eq!(linked(&memory, &TEAM, &team, with("players")), [id(&alice)]);
    assert!(
        are_linked(&memory, &TEAM, "players", &team, &alice) && !are_linked(&memory, &TEAM, "players", &team, &bob)
    );
}

#[test]
fn the_creator_links_a_row_of_a_model_of_owners() {
    let mut memory = Memory::new(None);
    let page = memory.add(&PAGE, user(1), row!(name = "page"));
    let other = memory.add(&PAGE, user(2), row!(name = "other"));
    let reader = memory.add(&USER, user(3), row!(name = "reader"));
    for maker in [2, 3] {
        link(&mut memory, user(maker), &PAGE, "readers", &page, &reader);
    }
    assert!(linked(&memory, &PAGE, &page, with("readers")).is_empty());
    link(&mut memory, user(1), &PAGE, "readers", &page, &reader);
    assert_eq!(linked(&memory, &PAGE, &page, with("readers")), [id(&reader)]);
    // the side without `inverse` decides, from wherever one looks
    link(&mut memory, user(1), &PAGE, "pins", &page, &other);
    link(&mut memory, user(1), &PAGE, "pins", &other, &page);
    assert_eq!(linked(&memory, &PAGE, &other, with("pinned_by")), [id(&page)]);
    assert!(linked(&memory, &PAGE, &page, with("pinned_by")).is_empty());
}

#[test]
fn order_and_limit_are_per_row() {
    let mut memory = Memory::new(Some(user(1)));
    let post = memory.add(&POST, user(1), row!(user_id = "a", title = "t", likes = 0));
    let tags: Vec<Found> = (0..5)
        .map(|n| memory.add(&TAG, user(1), keyed(&TAG, row!(name = format!("tag {n}"), weight = n * 3 % 5))))
        .collect();
    for tag in &tags {
        link(&mut memory, user(1), &POST, "tags", &post, tag);
    }
    let heaviest = IncludeSpec { order: by("weight", true), limit: Some(2), ..with("tags") };
    assert_eq!(linked(&memory, &POST, &post, heaviest), [id(&tags[3]), id(&tags[1])]);
    let first = IncludeSpec { limit: Some(2), filter: crate::attach::gt("weight", 0), ..with("tags") };
    assert_eq!(linked(&memory, &POST, &post, first), [id(&tags[1]), id(&tags[2])]);
}
