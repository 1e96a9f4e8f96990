//! The properties of the fuzz targets, briefly: on bytes that are almost what they should be, and on any.
//!
//! `DEBROS_FUZZ_SEED` repeats a run. `cargo xtask fuzz` looks for much longer, and where it sees new code.

use debros_tests::fuzzing::{Mutation, Target};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

fn seed() -> u64 {
    let asked = std::env::var("DEBROS_FUZZ_SEED").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or_else(|| u64::from(std::process::id()))
}

#[test]
fn what_is_almost_right_is_read_or_refused() {
    let seed = seed();
    for target in Target::ALL {
        let corpus = (target.corpus)();
        for bytes in corpus.iter().cloned().chain(Mutation::of(corpus.clone(), seed).take(target.brief as usize)) {
            // a failure is told with what it takes to repeat it
            if catch_unwind(AssertUnwindSafe(|| (target.check)(&bytes))).is_err() {
                panic!("`{}`, DEBROS_FUZZ_SEED={seed}: {}", target.name, hex::encode(bytes));
            }
        }
    }
}

#[test]
fn anything_is_read_or_refused() {
    for target in Target::ALL {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
        let config = Config { cases: target.brief / 10, failure_persistence: None, ..Config::default() };
        let strategy = prop::collection::vec(any::<u8>(), 0..200);
        let run = TestRunner::new_with_rng(config, rng).run(&strategy, |bytes| {
            (target.check)(&bytes);
            Ok(())
        });
        run.unwrap_or_else(|error| panic!("`{}`: {error}", target.name));
    }
}

#[test]
fn every_corpus_has_what_is_accepted() {
    use debros_orbit::{AccessList, Entry, IdentityBlock, Manifest, fuzzing::journal_op};
    let accepted = |name: &str, is: fn(&[u8]) -> bool| {
        let corpus = (Target::named(name).expect("a target").corpus)();
        corpus.iter().filter(|bytes| is(bytes)).count()
    };
    assert!(accepted("entry", |bytes| Entry::decode(bytes).is_ok_and(|e| e.verify_signature().is_ok())) > 100);
    assert!(accepted("identity", |bytes| IdentityBlock::decode(bytes).is_ok_and(|i| i.verify().is_ok())) > 2);
    assert!(accepted("manifest", |bytes| Manifest::decode(bytes).is_ok()) > 2);
    assert!(accepted("access_list", |bytes| AccessList::decode(bytes).is_ok()) > 1);
    assert_eq!(accepted("rendezvous", |bytes| debros_orbit::Rendezvous::read(bytes).is_ok()), 2);
    let corpus = (Target::named("journal").expect("a target").corpus)();
    let kinds: BTreeSet<u8> = corpus.iter().filter(|bytes| journal_op(bytes).is_some()).map(|bytes| bytes[1]).collect();
    let of_all_kinds = (1..=10).chain(13..=15).all(|kind| kinds.contains(&kind));
    assert!(of_all_kinds, "operations of each kind, of which there are {kinds:?}");
}
