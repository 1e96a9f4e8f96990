use crate::{
    CommandError, Exit,
    count::Count,
    inspect::{to_json, told_wrong},
    plain::Plain,
    size::Size,
};
use debros_orbit::Inspection;
use std::{fmt, io::Write, path::PathBuf};

/// What this command does not compare.
const NOT_COMPARED: &str = "Index rows and other tables follow from the entries by the application's own rules: its `db.verify()` compares them.";

/// Checks every block, chain and entry of a data folder
///
/// Every hash is computed, the chain of commits is followed, and every entry is judged anew, as one of a peer: form,
/// identity, signature, the right to write, whether what it follows is there, clock. Nothing in the folder is changed
/// but its lock file.
#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The data folder
    dir: PathBuf,
    /// Print one JSON value
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<Exit, CommandError> {
        let inspection = Inspection::checked(&self.dir)?;
        if self.json {
            let mut json = to_json(&inspection);
            json["notCompared"] = NOT_COMPARED.into();
            writeln!(out, "{json:#}")?;
        } else {
            write!(out, "{}", Plain(&Told(&inspection).to_string()))?;
        }
        Ok(Exit::of(inspection.is_clean()))
    }
}

/// The answer as a person likes to read it.
struct Told<'i>(&'i Inspection);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inspection = self.0;
        writeln!(
            f,
            "{}: checked {} ({}), and {} of {} by {}",
            inspection.folder.display(),
            Count::s(inspection.blocks, "block"),
            Size(inspection.block_bytes),
            Count(inspection.entries(), "entry", "entries"),
            Count::s(inspection.databases.len() as u64, "database"),
            Count(inspection.identities, "identity", "identities"),
        )?;
        told_wrong(f, inspection)?;
        if inspection.is_clean() {
            writeln!(f, "Everything is in order.")?;
        }
        writeln!(f, "{NOT_COMPARED}")
    }
}
