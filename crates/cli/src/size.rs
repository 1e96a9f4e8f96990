use std::fmt;

/// A number of bytes, as people say it.
#[derive(Clone, Copy)]
pub(crate) struct Size(pub(crate) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1_024 {
            return write!(f, "{} bytes", self.0);
        }
        let mut size = self.0 as f64 / 1_024.0;
        let mut unit = 0;
        // what would be shown as 1024.0 is one of the next
        while size >= 1_023.95 && unit + 1 < UNITS.len() {
            size /= 1_024.0;
            unit += 1;
        }
        write!(f, "{size:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1_023, "1023 bytes"),
            (1_024, "1.0 KiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (5 << 29, "2.5 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }
}
