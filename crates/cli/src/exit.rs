use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing is wrong: 0.
    Clean,
    /// Something is wrong with what was looked at: 1.
    Wrong,
    /// The command was misused, or could not look: 2.
    Unusable,
}

impl Exit {
    pub(crate) fn of(is_clean: bool) -> Exit {
        if is_clean { Exit::Clean } else { Exit::Wrong }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
