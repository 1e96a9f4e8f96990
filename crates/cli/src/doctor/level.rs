/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// It is as it should be.
    Good,
    /// Worth knowing; it may be meant so.
    Note,
    /// It should be changed.
    Problem,
}

impl Level {
    /// Its word in the output.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Level::Good => "good",
            Level::Note => "note",
            Level::Problem => "problem",
        }
    }
}
