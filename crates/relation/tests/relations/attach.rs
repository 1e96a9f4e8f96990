//! Loading: every kind of relation, nested, with filter, order and limit.

use crate::{
    memory::{Memory, user},
    models::{BOOK, COMMENT, COUNTRY, FLIGHT, POST, PROFILE, SHELF, STOP, USER, WEATHER, keyed},
    row,
};
use debros_core::{Compare, Expr, ID, IncludeSpec, Included, ModelDef, RawRow, SortKey, Value};
use debros_query::{Coverage, Found, Resolver};

pub(crate) fn with(relation: &'static str) -> IncludeSpec {
    IncludeSpec { relation, filter: Expr::Always, order: Vec::new(), limit: None, mine: false, includes: Vec::new() }
}

pub(crate) fn nested(relation: &'static str, includes: Vec<IncludeSpec>) -> IncludeSpec {
    IncludeSpec { includes, ..with(relation) }
}

pub(crate) fn by(field: &'static str, descending: bool) -> Vec<SortKey> {
    vec![SortKey { field, descending }]
}

pub(crate) fn eq(field: &'static str, value: impl Into<Value>) -> Expr {
    Expr::Compare { field, op: Compare::Eq, value: value.into() }
}

pub(crate) fn gt(field: &'static str, value: impl Into<Value>) -> Expr {
    Expr::Compare { field, op: Compare::Gt, value: value.into() }
}

pub(crate) fn id(row: &Found) -> Value {
    row.record.field(ID).clone()
}

pub(crate) fn attach(
    memory: &Memory,
    model: &'static ModelDef,
    rows: &[&Found],
    includes: &[IncludeSpec],
) -> (Vec<(Found, Vec<Included>)>, Coverage) {
    let mut coverage = Coverage::default();
    let loader = memory.loader();
    let rows: Vec<Found> = rows.iter().copied().cloned().collect();
    let refs: Vec<&Found> = rows.iter().collect();
    let keeps = loader.keeps(model, &refs, includes).unwrap();
    let kept = keeps.iter().filter(|keeps| **keeps).count();
    let attached = loader.attach(model, rows, includes, &mut coverage).unwrap();
    assert_eq!(attached.len(), kept, "`keeps` and `attach` agree");
    (attached, coverage)
}

/// What one include loaded with one row.
fn only(memory: &Memory, model: &'static ModelDef, row: &Found, include: IncludeSpec) -> Included {
    let (mut rows, _) = attach(memory, model, &[row], &[include]);
    rows.pop().unwrap().1.pop().unwrap()
}

fn texts(included: &Included, field: &str) -> Vec<String> {
    let rows: Vec<&RawRow> = match included {
        Included::Many(rows) => rows.iter().collect(),
        Included::One(row) => row.iter().map(|row| &**row).collect(),
    };
    rows.iter()
        .map(|row| match row.record.field(field) {
            Value::Int(int) => int.to_string(),
            other => other.as_text().unwrap().to_owned(),
        })
        .collect()
}

struct Blog {
    memory: Memory,
    alice: Found,
    posts: Vec<Found>,
}

/// Alice (user 1) has posts 0 to 3 by herself; Bob (user 2) and Carol (user 3) comment.
fn blog() -> Blog {
    let mut memory = Memory::new(Some(user(1)));
    memory.add(&COUNTRY, user(1), keyed(&COUNTRY, row!(code = "nl", name = "Netherlands")));
    let alice = memory.add(&USER, user(1), row!(name = "alice", country = "nl"));
    let bob = memory.add(&USER, user(2), row!(name = "bob", country = "gone"));
    let posts: Vec<Found> = (0..4)
        .map(|n| memory.add(&POST, user(1), row!(user_id = id(&alice), title = format!("post {n}"), likes = n)))
        .collect();
    for n in 0..6i64 {
        let author = if n % 2 == 0 { &alice } else { &bob };
        let text = format!("comment {n}");
        let comment = row!(post_id = id(&posts[0]), user_id = id(author), text = text, at = 10 - n);
        memory.add(&COMMENT, user(1 + (n % 3) as u8), comment);
    }
    memory.add(&COMMENT, user(2), row!(post_id = id(&posts[1]), user_id = id(&bob), text = "lone", at = 1));
    Blog { memory, alice, posts }
}

#[test]
fn belongs_to_loads_the_parent() {
    let Blog { memory, posts, .. } = blog();
    let (rows, coverage) = attach(&memory, &POST, &posts.iter().collect::<Vec<_>>(), &[with("author")]);
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|(_, included)| texts(&included[0], "name") == ["alice"]));
    assert_eq!((coverage.left_out, coverage.databases), (0, 1));
}

#[test]
fn a_row_whose_required_parent_is_absent_is_left_out_and_counted() {
    let mut blog = blog();
    let gone = Value::from("00000000-0000-7000-8000-000000000000");
    let orphan = blog.memory.add(&POST, user(1), row!(user_id = gone, title = "orphan", likes = 0));
    let (rows, coverage) = attach(&blog.memory, &POST, &[&orphan, &blog.posts[0]], &[with("author"), with("comments")]);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].0, blog.posts[0]);
    assert_eq!(coverage.left_out, 1);
}

#[test]
fn a_row_is_left_out_and_not_counted_where_its_parent_is_not_asked_for() {
    let Blog { memory, posts, .. } = blog();
    let unwanted = IncludeSpec { filter: eq("name", "bob"), ..with("author") };
    let (rows, coverage) = attach(&memory, &POST, &[&posts[0]], &[unwanted]);
    assert_eq!((rows.len(), coverage.left_out), (0, 0));
}

#[test]
fn an_optional_parent_may_be_absent() {
    let mut blog = blog();
    let reply = row!(user_id = id(&blog.alice), title = "reply", likes = 0, reply_to = id(&blog.posts[0]));
    let reply = blog.memory.add(&POST, user(1), reply);
    let dangling = row!(user_id = id(&blog.alice), title = "dangling", likes = 0, reply_to = "gone");
    let dangling = blog.memory.add(&POST, user(1), dangling);
    let rows = [&reply, &dangling, &blog.posts[0]];
    let (rows, coverage) = attach(&blog.memory, &POST, &rows, &[with("original")]);
    let originals: Vec<_> = rows.iter().map(|(_, included)| texts(&included[0], "title")).collect();
    assert_eq!(originals, [vec!["post 0".to_owned()], vec![], vec![]]);
    assert_eq!(coverage.left_out, 0);
}

#[test]
fn a_model_can_belong_to_itself() {
    let mut blog = blog();
    let mut to = id(&blog.posts[0]);
    for n in 0..3 {
        let reply = row!(user_id = id(&blog.alice), title = format!("reply {n}"), likes = 0, reply_to = to);
        to = id(&blog.memory.add(&POST, user(1), reply));
    }
    let deep = nested("replies", vec![nested("replies", vec![with("original")])]);
    let Included::Many(replies) = only(&blog.memory, &POST, &blog.posts[0], deep) else { panic!("many") };
    assert_eq!(replies[0].record.field("title"), &Value::from("reply 0"));
    let Included::Many(second) = &replies[0].included[0] else { panic!("many") };
    assert_eq!(second[0].record.field("title"), &Value::from("reply 1"));
    assert_eq!(texts(&second[0].included[0], "title"), ["reply 0"]);
}

#[test]
fn has_many_reads_every_store_and_goes_by_key() {
    let Blog { memory, posts, .. } = blog();
    let texts: Vec<_> =
        posts[..3].iter().map(|post| texts(&only(&memory, &POST, post, with("comments")), "text")).collect();
    assert_eq!(texts[0], (0..6).map(|n| format!("comment {n}")).collect::<Vec<_>>());
    assert_eq!(texts[1], ["lone"]);
    assert!(texts[2].is_empty());
}

#[test]
fn order_and_limit_are_per_parent() {
    let Blog { memory, posts, .. } = blog();
    let newest = IncludeSpec { order: by("at", true), limit: Some(2), ..with("comments") };
    let (rows, _) = attach(&memory, &POST, &[&posts[0], &posts[1]], &[newest]);
    assert_eq!(texts(&rows[0].1[0], "text"), ["comment 0", "comment 1"]);
    assert_eq!(texts(&rows[1].1[0], "text"), ["lone"]);
    let by_text = IncludeSpec { order: by("text", true), limit: Some(2), ..with("comments") };
    assert_eq!(texts(&only(&memory, &POST, &posts[0], by_text), "text"), ["comment 5", "comment 4"]);
    let none = IncludeSpec { limit: Some(0), ..with("comments") };
    assert!(texts(&only(&memory, &POST, &posts[0], none), "text").is_empty());
}

#[test]
fn a_limit_reads_no_more_children_than_it_must_where_an_index_has_the_order() {
    let mut blog = blog();
    for n in 0..200 {
        let comment = row!(post_id = id(&blog.posts[2]), user_id = id(&blog.alice), text = "more", at = n);
        blog.memory.add(&COMMENT, user(1 + n as u8 % 3), comment);
    }
    for descending in [false, true] {
        blog.memory.reset();
        let some = IncludeSpec { order: by("at", descending), limit: Some(3), ..with("comments") };
        only(&blog.memory, &POST, &blog.posts[2], some);
        let (_, scans, loads) = blog.memory.counted();
        // one more tells that the third ties with none
        assert!(scans == 1 && loads <= 4, "{scans} scans, {loads} loads");
    }
    blog.memory.reset();
    let first = IncludeSpec { limit: Some(3), ..with("comments") };
    only(&blog.memory, &POST, &blog.posts[2], first);
    assert!(blog.memory.counted().2 <= 3, "by key, before they are read: {:?}", blog.memory.counted());
}

#[test]
fn a_filter_says_which_children() {
    let Blog { memory, posts, .. } = blog();
    let some = IncludeSpec { filter: gt("at", 7), ..with("comments") };
    assert_eq!(texts(&only(&memory, &POST, &posts[0], some), "text"), ["comment 0", "comment 1", "comment 2"]);
    let by_bob = Expr::Related {
        relation: "author",
        quantifier: debros_core::Quantifier::Is,
        expr: Box::new(eq("name", "bob")),
        mine: false,
    };
    let some = IncludeSpec { filter: by_bob, limit: Some(2), ..with("comments") };
    assert_eq!(texts(&only(&memory, &POST, &posts[0], some), "text"), ["comment 1", "comment 3"]);
}

#[test]
fn mine_reads_ones_own_stores() {
    let Blog { mut memory, posts, .. } = blog();
    let mine = IncludeSpec { mine: true, ..with("comments") };
    assert_eq!(texts(&only(&memory, &POST, &posts[0], mine.clone()), "text"), ["comment 0", "comment 3"]);
    memory.user = None;
    assert!(texts(&only(&memory, &POST, &posts[0], mine), "text").is_empty());
}

#[test]
fn a_limit_counts_the_children_that_stay() {
    let mut blog = blog();
    let gone = Value::from("00000000-0000-7000-8000-000000000000");
    let orphan = row!(post_id = id(&blog.posts[0]), user_id = gone, text = "orphan", at = 100);
    blog.memory.add(&COMMENT, user(2), orphan);
    let newest = IncludeSpec { order: by("at", true), limit: Some(2), ..nested("comments", vec![with("author")]) };
    let (rows, coverage) = attach(&blog.memory, &POST, &[&blog.posts[0]], &[newest]);
    assert_eq!(texts(&rows[0].1[0], "text"), ["comment 0", "comment 1"]);
    assert_eq!(coverage.left_out, 1);
}

#[test]
fn required_parents_are_joined_at_every_level() {
    let mut blog = blog();
    let gone = Value::from("00000000-0000-7000-8000-000000000000");
    let orphan = blog.memory.add(&POST, user(1), row!(user_id = gone, title = "orphan", likes = 0));
    let on_orphan = row!(post_id = id(&orphan), user_id = id(&blog.alice), text = "on an orphan", at = 1);
    let on_orphan = blog.memory.add(&COMMENT, user(2), on_orphan);
    let with_post = [nested("post", vec![with("author")])];
    let (rows, coverage) = attach(&blog.memory, &COMMENT, &[&on_orphan], &with_post);
    assert_eq!((rows.len(), coverage.left_out), (0, 1));
    // a post of an optional relation that lacks its author is no post
    let reply = row!(user_id = id(&blog.alice), title = "reply", likes = 0, reply_to = id(&orphan));
    let reply = blog.memory.add(&POST, user(1), reply);
    let (rows, coverage) = attach(&blog.memory, &POST, &[&reply], &[nested("original", vec![with("author")])]);
    assert_eq!(rows[0].1, [Included::One(None)]);
    assert_eq!(coverage.left_out, 1);
}

#[test]
fn three_levels_load_in_the_order_of_with() {
    let Blog { memory, posts, .. } = blog();
    let tree = [
        nested("comments", vec![nested("author", vec![with("home")]), with("post")]),
        nested("author", vec![nested("posts", vec![with("comments")])]),
    ];
    let (rows, _) = attach(&memory, &POST, &[&posts[0]], &tree);
    let [Included::Many(comments), Included::One(Some(author))] = &rows[0].1[..] else { panic!("in order") };
    let Included::One(Some(commenter)) = &comments[0].included[0] else { panic!("one") };
    assert_eq!(texts(&commenter.included[0], "name"), ["Netherlands"]);
    assert_eq!(texts(&comments[0].included[1], "title"), ["post 0"]);
    let Included::One(Some(bob)) = &comments[1].included[0] else { panic!("one") };
    assert_eq!(bob.included[0], Included::One(None), "a country that is not here");
    let Included::Many(posts) = &author.included[0] else { panic!("many") };
    assert_eq!(posts.len(), 4);
    assert_eq!(texts(&posts[1].included[0], "text"), ["lone"]);
}

#[test]
fn has_one_is_the_first_or_none() {
    let mut blog = blog();
    assert_eq!(only(&blog.memory, &USER, &blog.alice, with("profile")), Included::One(None));
    for text in ["first", "second"] {
        blog.memory.add(&PROFILE, user(1), row!(user_id = id(&blog.alice), text = text));
    }
    assert_eq!(texts(&only(&blog.memory, &USER, &blog.alice, with("profile")), "text"), ["first"]);
    let last = IncludeSpec { order: by("text", true), ..with("profile") };
    assert_eq!(texts(&only(&blog.memory, &USER, &blog.alice, last), "text"), ["second"]);
}

#[test]
fn composite_keys_tie_rows_together_over_shards() {
    let mut memory = Memory::new(None);
    let mut weather = Vec::new();
    for (n, origin) in ["EWR", "JFK", "LGA"].into_iter().enumerate() {
        for hour in 0..3 {
            let row = keyed(&WEATHER, row!(origin = origin, hour = hour, wind = n as i64));
            weather.push(memory.add(&WEATHER, user(1), row));
        }
    }
    let mut flights = Vec::new();
    for n in 0..20i64 {
        let row = row!(id = n, origin = if n < 10 { "JFK" } else { "EWR" }, hour = n % 4, delay = 50 - n);
        flights.push(memory.add(&FLIGHT, user(1), keyed(&FLIGHT, row)));
    }
    let unknown = memory.add(&FLIGHT, user(1), keyed(&FLIGHT, row!(id = 99, origin = "JFK", delay = 1)));
    let (rows, _) = attach(&memory, &FLIGHT, &[&flights[1], &flights[3], &unknown], &[with("weather")]);
    let Included::One(Some(found)) = &rows[0].1[0] else { panic!("one") };
    assert_eq!(found.record.field(ID), &Value::from(r#"["JFK",1]"#));
    assert_eq!(rows[1].1[0], Included::One(None), "there is no hour 3");
    assert_eq!(rows[2].1[0], Included::One(None), "an absent part names nothing");
    let worst = IncludeSpec { order: by("delay", true), limit: Some(2), ..with("flights") };
    let jfk_1 = weather.iter().find(|row| id(row) == Value::from(r#"["JFK",1]"#)).unwrap();
    assert_eq!(texts(&only(&memory, &WEATHER, jfk_1, worst), ID), ["1", "5"]);
    assert_eq!(texts(&only(&memory, &WEATHER, jfk_1, with("flights")), ID), ["1", "5", "9"]);
}

#[test]
fn children_that_are_sharded_by_their_parent_are_read_in_one_shard() {
    let mut memory = Memory::new(None);
    let countries: Vec<Found> = ["nl", "de", "fr", "it"]
        .into_iter()
        .map(|code| memory.add(&COUNTRY, user(1), keyed(&COUNTRY, row!(code = code, name = code))))
        .collect();
    for n in 0..12i64 {
        let row = row!(id = n, country = id(&countries[n as usize % 4]), rank = n);
        memory.add(&STOP, user(1), keyed(&STOP, row));
    }
    memory.reset();
    // the models of the tests have no `stops`, so the country is asked who requires it
    let relations = crate::models::leading_to(&COUNTRY);
    let requiring = memory.loader().first_requiring(&COUNTRY, &countries[1], relations).unwrap().unwrap();
    assert_eq!((requiring.model, requiring.key), ("Stop", Value::from(1)));
    assert_eq!(memory.counted().1, 1, "one scan, in one shard");
}

#[test]
fn natural_keys_of_users_stay_in_their_stores() {
    let mut memory = Memory::new(Some(user(1)));
    let mine = memory.add(&SHELF, user(1), keyed(&SHELF, row!(name = "top", size = 1)));
    let theirs = memory.add(&SHELF, user(2), keyed(&SHELF, row!(name = "top", size = 2)));
    memory.add(&BOOK, user(1), row!(shelf = "top", title = "mine"));
    let book = memory.add(&BOOK, user(2), row!(shelf = "top", title = "theirs"));
    memory.add(&BOOK, user(3), row!(shelf = "top", title = "a third's"));
    assert_eq!(texts(&only(&memory, &SHELF, &mine, with("books")), "title"), ["mine"]);
    assert_eq!(texts(&only(&memory, &SHELF, &theirs, with("books")), "title"), ["theirs"]);
    assert_eq!(texts(&only(&memory, &BOOK, &book, with("on")), "size"), ["2"]);
}

#[test]
fn long_keys_that_begin_alike_are_told_apart() {
    let mut memory = Memory::new(None);
    let long = |end: &str| "x".repeat(300) + end;
    let a = memory.add(&COUNTRY, user(1), keyed(&COUNTRY, row!(code = long("a"), name = "a")));
    memory.add(&COUNTRY, user(1), keyed(&COUNTRY, row!(code = long("b"), name = "b")));
    for end in ["a", "b", "c"] {
        memory.add(&USER, user(1), row!(name = end, country = long(end)));
    }
    assert_eq!(texts(&only(&memory, &COUNTRY, &a, with("people")), "name"), ["a"]);
    let users = memory.rows(&USER);
    let (rows, _) = attach(&memory, &USER, &users.iter().collect::<Vec<_>>(), &[with("home")]);
    let homes: Vec<_> = rows.iter().map(|(_, included)| texts(&included[0], "name")).collect();
    assert_eq!(homes, [vec!["a".to_owned()], vec!["b".to_owned()], vec![]]);
}

#[test]
fn an_unknown_relation_is_an_error() {
    let Blog { memory, posts, .. } = blog();
    let mut coverage = Coverage::default();
    let error = memory.loader().attach(&POST, posts, &[with("gone")], &mut coverage).unwrap_err();
    assert!(error.to_string().contains("no relation `gone`"), "{error}");
}
