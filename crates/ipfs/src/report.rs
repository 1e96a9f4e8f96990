use std::fmt;

use crate::Damage;

/// A row that the stored state and the state rebuilt from the segments do not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Name of the table.
    pub table: String,
    /// Key of the row.
    pub key: Vec<u8>,
    /// The value in the stored state, if the row is there.
    pub stored: Option<Vec<u8>>,
    /// The value that the segments give, if they give one.
    pub rebuilt: Option<Vec<u8>>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (&self.stored, &self.rebuilt) {
            (Some(_), None) => "is in the state but does not follow from the segments",
            (None, Some(_)) => "follows from the segments but is missing from the state",
            _ => "has another value in the state than follows from the segments",
        };
        write!(f, "table {}, key {}: {what}", self.table, self.key.escape_ascii())
    }
}

/// What [`Store::verify`](crate::Store::verify) found. `Display` gives it as lines a person can read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Segment files read.
    pub segments: u32,
    /// Journal records (groups) read.
    pub groups: u64,
    /// Blocks whose hash was checked.
    pub blocks: u64,
    /// Bytes of blocks, without their framing.
    pub block_bytes: u64,
    /// Blocks that were taken out of the segments with the databases that they belonged to.
    pub gone: u64,
    /// Rows of state compared; 0 when damage made a comparison impossible.
    pub rows: u64,
    /// Broken places in the files.
    pub damage: Vec<Damage>,
    /// The first rows that differ, at most [`Report::MAX_DIFFERENCES`].
    pub differences: Vec<Difference>,
    /// How many rows differ in all.
    pub differing: u64,
}

impl Report {
    /// Most differences that a report lists.
    pub const MAX_DIFFERENCES: usize = 20;

    /// Whether everything is as it should be.
    pub fn is_clean(&self) -> bool {
        self.damage.is_empty() && self.differing == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} segments, {} groups, {} blocks ({} bytes) read, {} rows of state compared",
            self.segments, self.groups, self.blocks, self.block_bytes, self.rows
        )?;
        if self.gone > 0 {
            writeln!(f, "{} more blocks are gone with the databases that were dropped", self.gone)?;
        }
        for damage in &self.damage {
            writeln!(f, "damaged: {damage}")?;
        }
        if !self.damage.is_empty() {
            writeln!(f, "the state was not compared, because the segments cannot be replayed completely")?;
        }
        for difference in &self.differences {
            writeln!(f, "differs: {difference}")?;
        }
        if self.differing > self.differences.len() as u64 {
            writeln!(f, "and {} more rows differ", self.differing - self.differences.len() as u64)?;
        }
        if self.differing > 0 {
            writeln!(f, "open the store with a rebuild of its state to make it follow from the segments again")?;
        }
        if self.is_clean() {
            writeln!(f, "everything is in order")?;
        }
        Ok(())
    }
}
