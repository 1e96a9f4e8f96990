//! The executor against the naive oracle.

use debros_query::{
    Aggregate, Answered, End,
    oracle::{Case, Change, cases, user, walks},
};
use proptest::prelude::*;

/// The case with all of its indexes, with none, and with each alone.
fn with_and_without_indexes(case: &Case) -> Vec<Case> {
    let indexes = case.tables[0].indexes.len();
    let mut all = vec![case.clone(), case.with_indexes(|_| false)];
    if indexes > 1 {
        all.extend((0..indexes).map(|alone| case.with_indexes(|at| at == alone)));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_what_the_oracle_says(case in cases()) {
        for case in with_and_without_indexes(&case) {
            let source = case.source();
            let answer = case.execute(&source);
            if let Some(difference) = case.disagreement(&answer) {
                let plan = Case { end: End::Explain, ..case.clone() }.execute(&source);
                prop_assert!(false, "{difference}\nplan: {plan:?}");
            }
        }
    }

    #[test]
    fn pages_miss_no_row_and_give_none_twice(walk in walks()) {
        for case in with_and_without_indexes(&walk.case) {
            let mut walk = walk.clone();
            walk.case = case.clone();
            let source = std::cell::RefCell::new(case.source());
            let difference = walk.disagreement(
                |change| match change {
                    Change::Insert(row) => {
                        source.borrow_mut().insert(case.tables[row.table], row.owner.map(user), row.record.clone());
                    }
                    Change::Remove(row) => {
                        source.borrow_mut().remove(case.tables[row.table], row.owner.map(user), &row.record);
                    }
                },
                |spec, end| Case { spec: spec.clone(), end: end.clone(), ..case.clone() }.execute(&source.borrow()),
            );
            prop_assert_eq!(difference, None);
        }
    }

    /// Without an order the rows are any, but every end means the same.
    #[test]
    fn every_end_acts_on_the_rows_that_fetch_gives(case in cases(), limit in 0usize..12) {
        let mut case = case;
        case.spec.order.clear();
        case.spec.limit = Some(limit);
        let source = case.source();
        let answer = |end: End| {
            let answer = Case { end, ..case.clone() }.execute(&source);
            answer.map(|outcome| outcome.found).map_err(|error| TestCaseError::fail(error.to_string()))
        };
        let Answered::Rows(rows) = answer(End::Rows)? else { return Err(TestCaseError::fail("no rows")) };
        prop_assert_eq!(answer(End::Count)?, Answered::Count(rows.len() as u64));
        prop_assert_eq!(answer(End::Exists)?, Answered::Exists(!rows.is_empty()));
        prop_assert_eq!(answer(End::First)?, Answered::Row(rows.first().cloned()));
        let sum: i128 = rows.iter().filter_map(|row| row.record.field("n").as_int()).sum();
        prop_assert_eq!(answer(End::Aggregate(Aggregate::Sum("n")))?, Answered::Value(debros_core::Value::Int(sum)));
    }
}

/// What the generators never make is not tested.
#[test]
fn the_generators_reach_every_kind_of_plan() {
    use debros_query::{Lookup, Sorting, Start};
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};
    use std::collections::BTreeMap;

    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..3000 {
        let case = cases().new_tree(&mut runner).unwrap().current();
        let source = case.source();
        let explain = Case { end: End::Explain, ..case.clone() };
        let Answered::Explained(plan) = explain.execute(&source).unwrap().found else { panic!("no plan") };
        let mut see = |what, is: bool| *seen.entry(what).or_default() += u32::from(is);
        see("nothing", plan.lookup == Lookup::Nothing);
        see("key", plan.lookup == Lookup::Key);
        see("relation", matches!(plan.lookup, Lookup::Relation(_)));
        let scans = if let Lookup::Scans(scans) = &plan.lookup { &scans[..] } else { &[] };
        see("union", scans.len() > 1);
        see("points", scans.iter().any(|scan| !scan.fixed.is_empty()));
        see("several points", scans.iter().any(|scan| !scan.fixed.is_empty() && scan.spans > 1));
        see("range", scans.iter().any(|scan| scan.range.is_some()));
        see("points and range", scans.iter().any(|scan| !scan.fixed.is_empty() && scan.range.is_some()));
        see("keys", scans.iter().any(|scan| scan.fields.is_empty() && !scan.fixed.is_empty()));
        see("backwards", scans.iter().any(|scan| scan.backwards));
        see("one scan", plan.one_scan);
        see("one scan, ties", plan.one_scan && matches!(plan.sorting, Sorting::Ties(_)));
        see("several databases in order", plan.databases > 1 && plan.sorting == Sorting::AsFound);
        see("ordered by index", plan.sorting == Sorting::AsFound && scans.iter().any(|scan| !scan.fields.is_empty()));
        see("ties", matches!(plan.sorting, Sorting::Ties(_)));
        see("memory", plan.sorting == Sorting::InMemory);
        see(
            "nothing to check",
            plan.check == debros_core::Expr::Always && case.spec.filter != debros_core::Expr::Always,
        );
        see("related", matches!(case.spec.start, Start::Related { .. }));
        let rows = case.expect().rows.len();
        see("some rows", rows > 1);
        see("many rows", rows > 10);
        let count = case.spec.limit.is_some_and(|limit| limit < rows && limit > 0);
        see("a limit that cuts", count);
        see("a limit that cuts an order by index", count && plan.sorting == Sorting::AsFound);
        see("a limit that cuts in ties", count && matches!(plan.sorting, Sorting::Ties(_)));
    }
    for (what, times) in seen {
        println!("{what}: {times}");
        assert!(times >= 10, "{what}: {times} of 3000");
    }
}
