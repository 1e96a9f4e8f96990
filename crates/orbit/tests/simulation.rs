//! Whole nodes in a world that a seed decides: `cargo xtask sim` runs many more.

use debros_orbit::simulation::{Course, Search};
use tempfile::TempDir;

/// So many in the part `unit`: less than a minute on two cores.
const SEEDS: u64 = 500;

/// In memory, where there is such a folder: all that it costs is disk.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

#[test]
fn whatever_happens_all_agree_in_the_end() {
    let folder = folder();
    if let Err(failure) = Search::new(0..SEEDS, folder.path()).run(|_| ()) {
        panic!("{failure}\nagain: cargo xtask sim --seed {}", failure.course.seed);
    }
}

#[test]
fn the_same_seed_is_the_same_course() {
    for seed in 0..20 {
        let course = Course { seed, steps: None };
        let [once, again] = [folder(), folder()].map(|folder| course.run(folder.path(), true).expect("it goes well"));
        assert!(once.trace.len() > 10);
        for (once, again) in once.trace.iter().zip(&again.trace) {
            assert_eq!(once, again, "seed {seed}");
        }
        assert_eq!(once, again);
    }
}
