//! [`Coverage`]: how much of what a query asks for was read.

use std::fmt;

/// How much of what a query asks for was there to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// How many databases the query read.
    pub databases: usize,
    /// How many databases are known, should have been read, and are not held here.
    pub missing: usize,
    /// How many rows were left out because a row that they require, and that `.with(..)` asked for, is not here.
    pub left_out: u64,
}

impl Coverage {
    /// Was everything read that should have been? Rows that were left out do not count: to load a relation that a row
    /// requires is to join with it, and `db.problems()` lists the rows that fail.
    pub fn is_complete(&self) -> bool {
        self.missing == 0
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: u64| if n == 1 { "" } else { "s" };
        write!(f, "{} database{} read", self.databases, plural(self.databases as u64))?;
        if self.missing > 0 {
            write!(f, ", {} not held here", self.missing)?;
        }
        if self.left_out > 0 {
            let require = if self.left_out == 1 { "it requires" } else { "they require" };
            write!(f, ", {} row{} left out for want of a row {require}", self.left_out, plural(self.left_out))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_missing() {
        let coverage = Coverage { databases: 1, missing: 2, left_out: 1 };
        assert_eq!(
            coverage.to_string(),
            "1 database read, 2 not held here, 1 row left out for want of a row it requires"
        );
        assert!(!coverage.is_complete() && Coverage { missing: 0, ..coverage }.is_complete());
    }
}
