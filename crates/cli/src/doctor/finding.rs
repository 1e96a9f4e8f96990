use super::Level;
use serde_json::{Value, json};

/// What was found out about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The thing, in a word.
    pub(crate) about: &'static str,
    pub(crate) level: Level,
    /// One sentence.
    pub(crate) what: String,
    /// The command that mends it.
    pub(crate) mend: Option<String>,
}

impl Finding {
    pub(crate) fn good(about: &'static str, what: impl Into<String>) -> Finding {
        Finding { about, level: Level::Good, what: what.into(), mend: None }
    }

    pub(crate) fn note(about: &'static str, what: impl Into<String>) -> Finding {
        Finding { level: Level::Note, ..Finding::good(about, what) }
    }

    pub(crate) fn problem(about: &'static str, what: impl Into<String>) -> Finding {
        Finding { level: Level::Problem, ..Finding::good(about, what) }
    }

    pub(crate) fn mended_by(self, command: impl Into<String>) -> Finding {
        Finding { mend: Some(command.into()), ..self }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "about": self.about, "level": self.level.word(), "what": self.what, "mend": self.mend })
    }
}
