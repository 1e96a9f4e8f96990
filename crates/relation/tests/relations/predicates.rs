//! Predicates through relations, and what they say about the near side.

use crate::{
    attach::{eq, gt, id},
    links::link,
    memory::{Memory, user},
    models::{COMMENT, COUNTRY, FLIGHT, POST, PROFILE, TAG, USER, WEATHER, keyed},
    row,
};
use debros_core::{Expr, ModelDef, Quantifier, Value};
use debros_query::{Found, RelatedExpr, Resolver};

fn holds(
    memory: &Memory,
    model: &'static ModelDef,
    row: &Found,
    relation: &'static str,
    quantifier: Quantifier,
    expr: &Expr,
) -> bool {
    let related = RelatedExpr { model, relation, quantifier, expr, mine: false };
    memory.loader().holds(related, row.database, &row.record).unwrap()
}

fn narrow(memory: &Memory, model: &'static ModelDef, relation: &'static str, expr: &Expr) -> Option<Expr> {
    let is = [debros_core::RelationKind::BelongsTo, debros_core::RelationKind::HasOne];
    let quantifier =
        if is.contains(&model.relation(relation).unwrap().kind) { Quantifier::Is } else { Quantifier::Any };
    memory.loader().narrow(RelatedExpr { model, relation, quantifier, expr, mine: false }).unwrap()
}

#[test]
fn is_asks_the_one_row_there_is() {
    let mut memory = Memory::new(Some(user(1)));
    let alice = memory.add(&USER, user(1), row!(name = "alice"));
    let post = memory.add(&POST, user(1), row!(user_id = id(&alice), title = "t", likes = 0));
    let orphan = memory.add(&POST, user(1), row!(user_id = "gone", title = "t", likes = 0));
    let named = eq("name", "alice");
    assert!(holds(&memory, &POST, &post, "author", Quantifier::Is, &named));
    assert!(!holds(&memory, &POST, &post, "author", Quantifier::Is, &eq("name", "bob")));
    assert!(!holds(&memory, &POST, &orphan, "author", Quantifier::Is, &named));
    assert!(!holds(&memory, &POST, &orphan, "author", Quantifier::Is, &Expr::Not(Box::new(named))));
    assert!(!holds(&memory, &POST, &post, "original", Quantifier::Is, &Expr::Always), "it names none");
    assert!(!holds(&memory, &USER, &alice, "profile", Quantifier::Is, &Expr::Always));
    for text in ["first", "second"] {
        memory.add(&PROFILE, user(1), row!(user_id = id(&alice), text = text));
    }
    assert!(holds(&memory, &USER, &alice, "profile", Quantifier::Is, &eq("text", "first")));
    assert!(!holds(&memory, &USER, &alice, "profile", Quantifier::Is, &eq("text", "second")), "only the first is it");
}

#[test]
fn any_all_and_none_ask_many() {
    let mut memory = Memory::new(Some(user(1)));
    let alice = memory.add(&USER, user(1), row!(name = "alice"));
    let mut post = |likes: &[i64]| {
        let post = memory.add(&POST, user(1), row!(user_id = id(&alice), title = "t", likes = 0));
        for at in likes {
            memory.add(&COMMENT, user(2), row!(post_id = id(&post), user_id = id(&alice), text = "c", at = *at));
        }
        post
    };
    let (empty, low, mixed, high) = (post(&[]), post(&[1]), post(&[1, 9]), post(&[9, 8]));
    let expr = gt("at", 5);
    let table = [
        (&empty, [false, true, true]),
        (&low, [false, false, true]),
        (&mixed, [true, false, false]),
        (&high, [true, true, false]),
    ];
    for (row, expected) in table {
        let quantifiers = [Quantifier::Any, Quantifier::All, Quantifier::None];
        assert_eq!(quantifiers.map(|quantifier| holds(&memory, &POST, row, "comments", quantifier, &expr)), expected);
    }
}

#[test]
fn a_selective_parent_narrows_to_its_key() {
    let mut memory = Memory::new(Some(user(1)));
    let alice = memory.add(&USER, user(1), row!(name = "alice", country = "nl"));
    let nobody = narrow(&memory, &POST, "author", &eq("name", "nobody"));
    assert_eq!(nobody, Some(Expr::OneOf { field: "user_id", values: vec![] }));
    let one = narrow(&memory, &POST, "author", &eq("name", "alice"));
    assert_eq!(one, Some(Expr::OneOf { field: "user_id", values: vec![id(&alice)] }));
    // through two relations
    memory.add(&COUNTRY, user(1), keyed(&COUNTRY, row!(code = "nl", name = "Netherlands")));
    let home =
        Expr::Related { relation: "home", quantifier: Quantifier::Is, expr: Box::new(eq("code", "nl")), mine: false };
    let one = narrow(&memory, &POST, "author", &home);
    assert_eq!(one, Some(Expr::OneOf { field: "user_id", values: vec![id(&alice)] }));
}

#[test]
fn selective_children_and_links_narrow_to_their_parents() {
    let mut memory = Memory::new(Some(user(1)));
    let post = memory.add(&POST, user(1), row!(user_id = "a", title = "t", likes = 0));
    memory.add(&COMMENT, user(2), row!(post_id = id(&post), user_id = "a", text = "rare", at = 1));
    let only = Some(Expr::OneOf { field: "id", values: vec![id(&post)] });
    assert_eq!(narrow(&memory, &POST, "comments", &eq("text", "rare")), only);
    let tag = memory.add(&TAG, user(1), keyed(&TAG, row!(name = "rust", weight = 1)));
    link(&mut memory, user(1), &POST, "tags", &post, &tag);
    assert_eq!(narrow(&memory, &POST, "tags", &eq("name", "rust")), only);
    let tagged = Some(Expr::OneOf { field: "name", values: vec![Value::from("rust")] });
    assert_eq!(narrow(&memory, &TAG, "posts", &eq("title", "t")), tagged);
}

#[test]
fn composite_keys_narrow_field_by_field() {
    let mut memory = Memory::new(None);
    for hour in 0..3 {
        memory.add(&WEATHER, user(1), keyed(&WEATHER, row!(origin = "JFK", hour = hour, wind = hour)));
    }
    let narrowed = narrow(&memory, &FLIGHT, "weather", &gt("wind", 0));
    let hours = vec![Value::from(1), Value::from(2)];
    let fields = [("origin", vec![Value::from("JFK")]), ("hour", hours)];
    assert_eq!(narrowed, Some(Expr::And(fields.map(|(field, values)| Expr::OneOf { field, values }).into())));
}

#[test]
fn what_holds_without_a_row_or_reads_much_narrows_to_nothing() {
    let mut memory = Memory::new(Some(user(1)));
    let post = memory.add(&POST, user(1), row!(user_id = "a", title = "t", likes = 0));
    for n in 0..300 {
        memory.add(&USER, user(1), row!(name = "many", age = n));
        memory.add(&COMMENT, user(2), row!(post_id = id(&post), user_id = "a", text = "often", at = n));
    }
    assert_eq!(narrow(&memory, &POST, "author", &gt("age", 298)), None, "no index has it");
    assert_eq!(narrow(&memory, &POST, "author", &eq("name", "many")), None, "too many keys");
    let only = Some(Expr::OneOf { field: "id", values: vec![id(&post)] });
    assert_eq!(narrow(&memory, &POST, "comments", &eq("text", "often")), only, "many children of one parent");
    for n in 0..1000 {
        memory.add(&COMMENT, user(2), row!(post_id = id(&post), user_id = "a", text = "often", at = n));
    }
    memory.reset();
    assert_eq!(narrow(&memory, &POST, "comments", &eq("text", "often")), None, "too many children");
    assert!(memory.counted().2 <= 1100, "{:?}", memory.counted());
    for quantifier in [Quantifier::All, Quantifier::None] {
        let expr = eq("text", "rare");
        let related = RelatedExpr { model: &POST, relation: "comments", quantifier, expr: &expr, mine: false };
        assert_eq!(memory.loader().narrow(related).unwrap(), None);
    }
}
