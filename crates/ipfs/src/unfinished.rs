use std::{fmt, path::PathBuf};

/// What an interrupted write left behind the last whole group of a data folder. It was answered to nobody, unless as
/// [`Durability::Buffered`](crate::Durability::Buffered) before a power cut. The next program that opens the folder
/// cuts it off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The segment file.
    pub file: PathBuf,
    /// Where it begins.
    pub offset: u64,
    /// How many bytes lie there.
    pub bytes: u64,
    /// Whole journal records among them, which a power cut made unusable; a copy is kept when they are cut off.
    pub records: u64,
    /// What is unfinished there.
    pub what: String,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unfinished { file, offset, bytes, records, what } = self;
        write!(f, "{}, byte {offset}: {bytes} bytes of an interrupted write ({what})", file.display())?;
        match records {
            0 => f.write_str("; opening the folder cuts them off"),
            _ => {
                write!(f, ", with {records} records that a power cut made unusable; opening the folder sets them aside")
            }
        }
    }
}
