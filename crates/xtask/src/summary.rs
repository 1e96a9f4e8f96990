//! [`Summary`]: what ran, how it ended and how long it took.

use crate::{cargo::Ended, part::Part};
use std::{
    fmt, io,
    time::{Duration, Instant},
};

/// What ran, in order.
#[derive(Debug, Default)]
pub(crate) struct Summary(Vec<(Part, Ended, Duration)>);

impl Summary {
    /// Runs a part and notes how it ended; returns whether it succeeded.
    pub(crate) fn time(&mut self, part: Part, run: impl FnOnce() -> io::Result<Ended>) -> io::Result<bool> {
        println!("== {part}");
        let start = Instant::now();
        let ended = run()?;
        self.0.push((part, ended, start.elapsed()));
        Ok(ended.success)
    }

    /// Did every part succeed?
    pub(crate) fn success(&self) -> bool {
        self.0.iter().all(|(_, ended, _)| ended.success)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\npart     result   tests      time")?;
        let (mut passed, mut failed) = (0, 0);
        for (part, ended, time) in &self.0 {
            let result = if ended.success { "ok" } else { "FAILED" };
            let tests = ended.passed + ended.failed;
            writeln!(f, "{:<8} {result:<8} {tests:>5} {:>7.1} s", part.name(), time.as_secs_f64())?;
            passed += ended.passed;
            failed += ended.failed;
        }
        let total: Duration = self.0.iter().map(|(_, _, time)| *time).sum();
        writeln!(f, "{:<17} {:>5} {:>7.1} s\n", "together", passed + failed, total.as_secs_f64())?;
        write!(f, "{passed} passed, {failed} failed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_fails_the_whole() {
        let mut summary = Summary::default();
        let ran = summary.time(Part::Unit, || Ok(Ended { success: true, passed: 3, failed: 0 })).expect("no I/O");
        assert!(ran && summary.success());
        let ran = summary.time(Part::Doc, || Ok(Ended { success: false, passed: 1, failed: 2 })).expect("no I/O");
        assert!(!ran && !summary.success());
        let text = summary.to_string();
        assert!(text.contains("FAILED") && text.ends_with("\n4 passed, 2 failed"), "{text}");
    }
}
