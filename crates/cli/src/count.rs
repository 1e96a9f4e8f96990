use std::fmt;

/// A number of things: `1 entry`, `12,345 entries`.
pub(crate) struct Count(pub(crate) u64, pub(crate) &'static str, pub(crate) &'static str);

impl Count {
    /// Things whose plural has an `s`.
    pub(crate) fn s(number: u64, one: &'static str) -> impl fmt::Display {
        fmt::from_fn(move |f| write!(f, "{} {one}{}", Grouped(number), if number == 1 { "" } else { "s" }))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Grouped(self.0), if self.0 == 1 { self.1 } else { self.2 })
    }
}

/// A number with commas.
pub(crate) struct Grouped(pub(crate) u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_things_have_plurals() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(Grouped(number).to_string(), text);
        }
        assert_eq!(Count(1, "entry", "entries").to_string(), "1 entry");
        assert_eq!(Count(2_000, "entry", "entries").to_string(), "2,000 entries");
        assert_eq!(
            (Count::s(0, "block").to_string(), Count::s(1, "block").to_string()),
            ("0 blocks".into(), "1 block".into())
        );
    }
}
