use super::{Course, Ended, Failure};
use std::{
    fs,
    num::NonZero,
    ops::Range,
    panic,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// Runs many courses, on all cores.
#[derive(Clone, Debug)]
pub struct Search {
    /// These.
    pub seeds: Range<u64>,
    /// So many things are done in each; the seeds say how many, if it is `None`.
    pub steps: Option<u64>,
    /// So many at a time.
    pub threads: usize,
    /// Where data folders are made: better in memory, as all that they cost is disk.
    pub folder: PathBuf,
}

impl Search {
    /// Of these seeds, in this folder.
    pub fn new(seeds: Range<u64>, folder: &Path) -> Search {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        Search { seeds, steps: None, threads, folder: folder.to_path_buf() }
    }

    /// Runs them until one fails, which is made as short as it gets, and traced. `done` is told of each that went well.
    ///
    /// # Errors
    /// If one fails.
    pub fn run(&self, done: impl Fn(&Ended) + Sync) -> Result<(), Box<Failure>> {
        let (next, failed) = (AtomicU64::new(self.seeds.start), Mutex::new(None::<Box<Failure>>));
        thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= self.seeds.end {
                            return;
                        }
                        match self.course(Course { seed, steps: self.steps }, false) {
                            Ok(ended) => done(&ended),
                            Err(failure) => {
                                next.store(self.seeds.end, Ordering::Relaxed);
                                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
                            }
                        }
                    }
                });
            }
        });
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(failure) => Err(self.shortened(*failure)),
        }
    }

    /// Runs one, in a folder that is gone afterwards.
    fn course(&self, course: Course, traced: bool) -> Result<Ended, Box<Failure>> {
        let folder = self.folder.join(format!("seed-{}", course.seed));
        let ended = panic::catch_unwind(|| course.run(&folder, traced)).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            let what = format!("it panicked: {}", text.unwrap_or("and did not say why"));
            Err(Box::new(Failure { course, what, trace: Vec::new() }))
        });
        // what cannot be removed goes with the folder around it
        let _ = fs::remove_dir_all(&folder);
        ended
    }

    /// The same things are done, but fewer of them, as long as it fails.
    fn shortened(&self, failure: Failure) -> Box<Failure> {
        let mut shortest = failure.course;
        let shorter = |steps: u64| [steps / 4, steps / 2, steps * 3 / 4, steps.saturating_sub(1)];
        'again: loop {
            let steps = shortest.steps();
            for fewer in shorter(steps).into_iter().filter(|fewer| *fewer < steps) {
                let course = Course { steps: Some(fewer), ..shortest };
                if self.course(course, false).is_err() {
                    shortest = course;
                    continue 'again;
                }
            }
            break;
        }
        match self.course(shortest, true) {
            Err(failure) => failure,
            // then it is not the same each time, which is a fault of the simulation
            Ok(ended) => {
                let what = format!("it failed, and does not any more: {}", failure.what);
                Box::new(Failure { course: shortest, what, trace: ended.trace })
            }
        }
    }
}
