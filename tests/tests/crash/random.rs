//! [`Random`]: choices that a seed repeats.

/// Choices that a seed repeats.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        // neighbouring seeds begin far apart
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    /// Of the seed that was asked for, which is printed, or of another one for each process.
    pub(crate) fn of_this_run() -> Random {
        let asked = std::env::var("DEBROS_CRASH_SEED").ok().and_then(|text| text.parse().ok());
        let seed = asked.unwrap_or_else(|| u64::from(std::process::id()));
        println!("DEBROS_CRASH_SEED={seed}");
        Random::new(seed)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// Brings them into another order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}
