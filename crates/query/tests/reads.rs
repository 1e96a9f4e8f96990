//! How much an answer reads.

use debros_core::{Compare, Expr, Kind, Map, ModelDef, SortKey, TextTest, Value};
use debros_query::{
    Aggregate, Answered, End, Executor, QuerySpec, Reach,
    oracle::{Columns, MemoryResolver, MemorySource, ReadCounts, model, user},
};

const ROWS: i64 = 4000;

fn number() -> Kind {
    Kind::Int { min: i64::MIN.into(), max: i64::MAX.into() }
}

fn columns() -> Columns {
    Columns::new("id", number())
        .field("a", number())
        .field("b", number())
        .field("t", Kind::Text)
        .index(&["a"])
        .index(&["b"])
        .index(&["a", "b"])
        .index(&["t"])
}

/// `a` is one of four values, `b` unique, `t` begins with the same 300 letters in ten rows each.
fn record(id: i64) -> Map {
    let text = if id % 400 == 0 { "z".to_owned() } else { format!("{:04}{}{id}", id / 10, "x".repeat(300)) };
    let fields =
        [("_id", Value::from(id)), ("a", Value::from(id % 4)), ("b", Value::from(ROWS - id)), ("t", Value::from(text))];
    fields.into_iter().collect()
}

fn filled(columns: &Columns) -> (&'static ModelDef, MemorySource) {
    let model = model(columns);
    let mut source = MemorySource::new([model]);
    for id in 0..ROWS {
        source.insert(model, Some(user((id % 5) as u8)), record(id));
    }
    (model, source)
}

fn run(source: &MemorySource, spec: &QuerySpec, end: End) -> (Answered, ReadCounts) {
    let before = source.reads();
    let outcome = Executor::new(source, &MemoryResolver::new(source)).run(spec, &end).expect("it is answered");
    let after = source.reads();
    (outcome.found, ReadCounts { scanned: after.scanned - before.scanned, loaded: after.loaded - before.loaded })
}

fn eq(field: &'static str, value: i64) -> Expr {
    Expr::Compare { field, op: Compare::Eq, value: Value::from(value) }
}
fn by(field: &'static str, descending: bool) -> SortKey {
    SortKey { field, descending }
}

#[test]
fn a_page_in_the_order_of_an_index_reads_a_page() {
    let (model, source) = filled(&columns());
    let mut spec = QuerySpec::new(model);
    spec.filter = eq("a", 3);
    spec.order = vec![by("b", true)];
    for page in 0..20 {
        let (Answered::Page(found), reads) = run(&source, &spec, End::Page(20)) else { panic!() };
        assert_eq!(found.rows.len(), 20);
        assert_eq!(found.rows[0].record.field("b"), &Value::from(ROWS - 3 - 80 * page));
        assert!(reads.loaded <= 22 && reads.scanned <= 24, "page {page}: {reads:?}");
        spec.after = found.cursor;
    }
}

#[test]
fn a_page_from_many_databases_reads_a_page_and_a_row_of_each() {
    let (model, source) = filled(&columns().user_scoped().sharded("id", 2));
    let mut spec = QuerySpec::new(model);
    spec.reach = Reach::Everywhere;
    spec.order = vec![by("b", false)];
    for _ in 0..5 {
        let (Answered::Page(found), reads) = run(&source, &spec, End::Page(10)) else { panic!() };
        assert!(reads.loaded <= 12 && reads.scanned <= 12 + 10 + 1, "{reads:?}");
        spec.after = found.cursor;
    }
}

#[test]
fn counts_load_nothing_where_an_index_tells() {
    let (model, source) = filled(&columns());
    let mut spec = QuerySpec::new(model);
    let (count, reads) = run(&source, &spec, End::Count);
    assert_eq!((count, reads.loaded), (Answered::Count(ROWS as u64), 0));
    let (count, reads) = run(&source.clone().counted(), &spec, End::Count);
    assert_eq!((count, reads.loaded + reads.scanned), (Answered::Count(ROWS as u64), 0));
    spec.filter = eq("a", 1);
    let (count, reads) = run(&source, &spec, End::Count);
    assert_eq!((count, reads.loaded), (Answered::Count(1000), 0));
    let (exists, reads) = run(&source, &spec, End::Exists);
    assert_eq!(exists, Answered::Exists(true));
    assert!(reads.loaded == 0 && reads.scanned <= 2, "{reads:?}");
    spec.limit = Some(10);
    let (count, reads) = run(&source, &spec, End::Count);
    assert_eq!(count, Answered::Count(10));
    assert!(reads.loaded == 0 && reads.scanned <= 11, "{reads:?}");
}

#[test]
fn the_smallest_and_largest_value_are_read_from_the_index() {
    let (model, source) = filled(&columns());
    let spec = QuerySpec::new(model);
    for (aggregate, value) in [(Aggregate::Min("b"), 1), (Aggregate::Max("b"), ROWS)] {
        let (figure, reads) = run(&source, &spec, End::Aggregate(aggregate));
        assert_eq!(figure, Answered::Value(Value::from(value)));
        assert!(reads.loaded <= 1 && reads.scanned <= 300, "{reads:?}");
    }
}

#[test]
fn a_lookup_by_key_reads_one_row_of_each_database() {
    let (model, source) = filled(&columns().sharded("id", 8));
    let mut spec = QuerySpec::new(model);
    spec.filter = eq("id", 77);
    let (Answered::Rows(rows), reads) = run(&source, &spec, End::Rows) else { panic!() };
    assert_eq!(rows.len(), 1);
    // the shard key names the database
    assert_eq!(reads, ReadCounts { scanned: 1, loaded: 1 });
}

#[test]
fn a_predicate_on_the_beginning_of_a_text_reads_that_part_of_the_index() {
    let (model, source) = filled(&columns());
    let mut spec = QuerySpec::new(model);
    spec.filter = Expr::Text { field: "t", op: TextTest::StartsWith, needle: "0012".into() };
    let (Answered::Rows(rows), reads) = run(&source, &spec, End::Rows) else { panic!() };
    assert_eq!((rows.len(), reads.loaded), (10, 10));
}

#[test]
fn texts_that_were_cut_are_sorted_run_by_run() {
    let (model, source) = filled(&columns());
    let mut spec = QuerySpec::new(model);
    spec.order = vec![by("t", true)];
    let mut last: Option<Value> = None;
    for _ in 0..10 {
        let (Answered::Page(found), reads) = run(&source, &spec, End::Page(7)) else { panic!() };
        // ten rows share what the index holds of their texts
        assert!(reads.loaded <= 31, "{reads:?}");
        for row in found.rows {
            let text = row.record.field("t").clone();
            assert!(last.is_none_or(|last| last.as_text() >= text.as_text()));
            last = Some(text);
        }
        spec.after = found.cursor;
    }
}

#[test]
fn a_limit_ends_a_scan_that_needs_no_order() {
    let (model, source) = filled(&columns());
    let mut spec = QuerySpec::new(model);
    spec.filter = Expr::Text { field: "t", op: TextTest::Contains, needle: "xx".into() };
    spec.limit = Some(5);
    let (Answered::Rows(rows), reads) = run(&source, &spec, End::Rows) else { panic!() };
    assert_eq!(rows.len(), 5);
    assert!(reads.loaded <= 7, "{reads:?}");
}
