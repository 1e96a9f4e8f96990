use crate::{
    documents::{entry, strings},
    filled, hashes, identity_of,
    javascript::{replay, same},
    load,
    manifest::database,
    text,
};
use debros_orbit::{Entry, Hash, Log, LogError};
use std::collections::{BTreeSet, HashMap};

/// Joins entries in any order: each as soon as its ancestors are there.
fn join_all(log: &mut Log, entries: &[&Entry]) {
    let mut waiting = entries.to_vec();
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|entry| match log.join((*entry).clone()) {
            Ok(_) => false,
            Err(LogError::Missing(_)) => true,
            Err(error) => panic!("{error}"),
        });
        assert!(waiting.len() < before);
    }
}

fn permutations<T: Copy>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let with = |at: usize| {
        let mut rest = items.to_vec();
        let first = rest.remove(at);
        permutations(&rest).into_iter().map(move |rest| [vec![first], rest].concat())
    };
    (0..items.len()).flat_map(with).collect()
}

#[test]
fn replicas_agree_where_those_of_javascript_do_not() {
    let user = load("identity.json")["users"]["A"].clone();
    let writer = identity_of(&user);
    for scenario in filled(&load("ties.json"), "scenarios") {
        let label = text(scenario, "label");
        let address = database(&scenario["db"]);
        let json = filled(scenario, "entries");
        let entries: Vec<Entry> = json.iter().map(|json| entry(json, writer.block())).collect();
        let by_hash: HashMap<String, &Entry> = entries.iter().map(|entry| (entry.hash().to_string(), entry)).collect();

        // ours agree, whatever the order in which entries arrive
        let mut outcomes = BTreeSet::new();
        for order in permutations(&entries.iter().collect::<Vec<_>>()) {
            let mut log = Log::new(address);
            join_all(&mut log, &order);
            let traversal: Vec<Hash> = log.traverse().map(Entry::hash).collect();
            outcomes.insert((log.heads().to_vec(), traversal));
        }
        assert_eq!(outcomes.len(), 1, "{label}");
        let (heads, traversal) = outcomes.pop_first().unwrap();
        // newest first; of entries with the same clock, the one with the larger hash is the newer
        let rank = |hash: &Hash| (by_hash[&hash.to_string()].clock(), *hash);
        assert!(heads.is_sorted_by_key(|hash| std::cmp::Reverse(rank(hash))), "{label}");
        assert!(traversal.is_sorted_by_key(|hash| std::cmp::Reverse(rank(hash))), "{label}");

        // JavaScript's, step by step
        let theirs = replay(scenario, label);
        let ends = scenario["final"].as_object().unwrap();
        assert_eq!(ends.len(), theirs.len());
        let mut orders = BTreeSet::new();
        for (name, end) in ends {
            same(&theirs[name.as_str()], end, label);
            orders.insert(hashes(&end["traversal_newest_first"]));
            // the same entries and the same heads as ours
            let sorted = |mut hashes: Vec<String>| {
                hashes.sort();
                hashes
            };
            assert_eq!(sorted(hashes(&end["heads"])), sorted(strings(&heads)), "{label}");
            assert_eq!(sorted(hashes(&end["traversal_newest_first"])), sorted(strings(&traversal)), "{label}");
            // where clocks differ, in the same order
            let times = |hashes: Vec<String>| hashes.iter().map(|hash| by_hash[hash].clock()).collect::<Vec<_>>();
            assert_eq!(times(hashes(&end["traversal_newest_first"])), times(strings(&traversal)), "{label}");
        }
        assert!(orders.len() > 1, "{label}: JavaScript's replicas disagree");
    }
}
