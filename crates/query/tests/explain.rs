//! What `.explain(..)` says.

use debros_core::{Compare, Expr, IncludeSpec, Kind, SortKey, Value};
use debros_query::{
    Answered, End, Executor, Explained, Lookup, Query, QuerySpec, Reach, Sorting,
    oracle::{Columns, Memory, MemoryResolver, MemorySource, blog::Post, model, user},
};
use futures::executor::block_on;

fn explain(query: Query<Post, impl Sized, impl Sized>) -> String {
    block_on(query.explain(&Memory::blog())).expect("it is explained").to_string()
}

#[test]
fn an_index_that_fits_is_named() {
    let query = Query::<Post>::new()
        .filter(|p| p.published.eq(true) & p.rating.gt(0.5))
        .with(|p| p.author)
        .order_by(|p| p.likes.desc())
        .limit(20);
    assert_eq!(
        explain(query),
        "Post, in 1 database
- rows: by the index (published, likes), backwards; published is fixed
- checked on each: rating > 0.5
- order: likes desc; as the rows come
- at most 20 rows
- with: author"
    );
}

#[test]
fn a_range_of_an_index_is_named() {
    let query = Query::<Post>::new().filter(|p| p.likes.ge(10) & p.likes.lt(30));
    assert_eq!(explain(query), "Post, in 1 database\n- rows: by the index (likes); likes has a range");
}

#[test]
fn ties_are_sorted_among_themselves() {
    let query = Query::<Post>::new().order_by(|p| p.likes.asc()).order_by(|p| p.rating.desc()).limit(3);
    assert_eq!(
        explain(query),
        "Post, in 1 database
- rows: by the index (likes)
- order: likes, rating desc; rows that tie in the first column are sorted
- at most 3 rows"
    );
}

#[test]
fn without_an_index_all_are_read() {
    let query = Query::<Post>::new().filter(|p| p.rating.is_some()).order_by(|p| p.rating.asc());
    assert_eq!(
        explain(query),
        "Post, in 1 database
- rows: all, by key
- checked on each: rating is there
- order: rating; sorted in memory"
    );
}

#[test]
fn a_page_is_read_in_the_order_of_an_index() {
    let query = Query::<Post>::new().order_by(|p| p.likes.desc()).page(2);
    assert_eq!(
        block_on(query.explain(&Memory::blog())).unwrap().to_string(),
        "Post, in 1 database
- rows: by the index (likes), backwards
- order: likes desc; as the rows come
- at most 2 rows"
    );
}

#[test]
fn what_contradicts_itself_reads_nothing() {
    let query = Query::<Post>::new().filter(|p| p.likes.gt(3) & p.likes.lt(2));
    assert_eq!(explain(query), "Post, in 1 database\n- rows: none can match, nothing is read");
}

#[test]
fn several_indexes_find_the_sides_of_an_or() {
    let query = Query::<Post>::new().filter(|p| p.likes.eq(30) | p.author_name.one_of(["bob", "carol"]));
    assert_eq!(
        explain(query),
        "Post, in 1 database
- rows: by the index (likes); likes is fixed
- and: by the index (author_name); author_name is fixed; in 2 parts"
    );
}

fn plan(source: &MemorySource, spec: &QuerySpec) -> Explained {
    match Executor::new(source, &MemoryResolver::new(source)).run(spec, &End::Explain).expect("it is explained").found {
        Answered::Explained(plan) => plan,
        other => panic!("no plan: {other:?}"),
    }
}

#[test]
fn a_shard_key_names_its_database_and_many_users_are_read_in_one_scan() {
    let number = Kind::Int { min: 0, max: 9 };
    let row = model(&Columns::new("id", number).field("a", number).index(&["a"]).user_scoped().sharded("id", 2));
    let mut source = MemorySource::new([row]);
    for id in 0..60i64 {
        let record = [("_id", Value::from(id)), ("a", Value::from(id % 3))].into_iter().collect();
        source.insert(row, Some(user((id / 2) as u8)), record);
    }
    let mut spec = QuerySpec::new(row);
    spec.reach = Reach::Everywhere;
    spec.order = vec![SortKey { field: "a", descending: true }];
    spec.limit = Some(5);
    let everywhere = plan(&source, &spec);
    assert!(everywhere.one_scan && everywhere.databases > 16);
    assert_eq!(everywhere.sorting, Sorting::Ties(1));
    assert!(everywhere.to_string().contains(", by one scan over all of them\n"), "{everywhere}");

    let source = source.as_user(Some(user(3)));
    let mut spec = QuerySpec::new(row);
    spec.filter = Expr::Compare { field: "id", op: Compare::Eq, value: Value::from(7) };
    let one = plan(&source, &spec);
    assert_eq!(one.databases, 1);
    assert!(matches!(&one.lookup, Lookup::Scans(scans) if scans[0].fields.is_empty() && scans[0].fixed == ["id"]));
    assert_eq!(one.to_string(), "Row, in 1 database\n- rows: by key; id is fixed");
}

#[test]
fn includes_are_told_with_what_is_asked_of_them() {
    let row = model(&Columns::new("id", Kind::Text).has_many("kids", "Row", "id"));
    let source = MemorySource::new([row]);
    let include = |relation, includes| IncludeSpec {
        relation,
        filter: Expr::Always,
        order: Vec::new(),
        limit: None,
        mine: false,
        includes,
    };
    let mut spec = QuerySpec::new(row);
    spec.includes = vec![
        IncludeSpec {
            filter: Expr::IsNone { field: "id" },
            order: vec![SortKey { field: "id", descending: true }],
            limit: Some(3),
            mine: true,
            ..include("kids", vec![include("kids", Vec::new())])
        },
        include("kids", Vec::new()),
    ];
    let text = plan(&source, &spec).to_string();
    assert!(
        text.ends_with("\n- with: kids (one's own, where id is absent, id desc, 3 each, with kids); kids"),
        "{text}"
    );
}
