mod address;
mod examination;
mod finding;
mod level;
mod pins;
mod settings;

pub(crate) use self::{address::Address, examination::Examination, finding::Finding, level::Level, settings::Settings};
use crate::{CommandError, Exit, count::Count, plain::Plain};
use debros_ipfs::{Kubo, KuboOptions};
use serde_json::json;
use std::{
    fmt::{self, Write as _},
    io::Write,
};

/// Looks at a Kubo daemon: what is wrong, and the command that mends it
///
/// It only asks: no setting, pin or block of the daemon is changed. Checking that pins hold all their blocks reads these
/// from the daemon, about ten thousand a second.
#[derive(clap::Args)]
pub(crate) struct Doctor {
    /// The address of its RPC: scheme, host and port, as http://127.0.0.1:5001
    url: String,
    /// A token of its API.Authorizations
    #[arg(long, env = "DEBROS_KUBO_TOKEN", hide_env_values = true, conflicts_with_all = ["user", "password"])]
    token: Option<String>,
    /// A user of its API.Authorizations
    #[arg(long, env = "DEBROS_KUBO_USER", requires = "password")]
    user: Option<String>,
    /// The user's password
    #[arg(long, env = "DEBROS_KUBO_PASSWORD", hide_env_values = true, requires = "user")]
    password: Option<String>,
    /// Print one JSON value
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<Exit, CommandError> {
        let mut options = KuboOptions::new(&self.url);
        if let Some(token) = &self.token {
            options = options.bearer(token);
        } else if let (Some(user), Some(password)) = (&self.user, &self.password) {
            options = options.basic(user, password);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let examination = runtime.map_err(CommandError::Runtime)?.block_on(async {
            let kubo = Kubo::new(options)?;
            Ok::<_, CommandError>(Examination::of(&kubo).await)
        })?;
        if self.json {
            let findings: Vec<_> = examination.findings.iter().map(Finding::to_json).collect();
            let (problems, notes) = (examination.count(Level::Problem), examination.count(Level::Note));
            let json = json!({
                "url": examination.url,
                "version": examination.version,
                "peer": examination.peer,
                "problems": problems,
                "notes": notes,
                "findings": findings,
            });
            writeln!(out, "{json:#}")?;
        } else {
            write!(out, "{}", Plain(&Told(&examination).to_string()))?;
        }
        Ok(Exit::of(examination.count(Level::Problem) == 0))
    }
}

impl fmt::Debug for Doctor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // neither a secret nor the address, which may hold one
        f.debug_struct("Doctor").field("json", &self.json).finish_non_exhaustive()
    }
}

/// The examination as a person likes to read it.
struct Told<'e>(&'e Examination);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Examination { url, version, peer, findings } = self.0;
        match (version, peer) {
            (Some(version), Some(peer)) => writeln!(f, "Kubo {version} at {url}, peer {peer}\n")?,
            _ => writeln!(f, "{url}\n")?,
        }
        for Finding { about, level, what, mend } in findings {
            writeln!(f, "{:8} {about}: {what}", level.word())?;
            for line in mend.iter().flat_map(|mend| mend.lines()) {
                writeln!(f, "           $ {line}")?;
            }
        }
        f.write_char('\n')?;
        match (self.0.count(Level::Problem), self.0.count(Level::Note)) {
            (0, 0) => writeln!(f, "Nothing is wrong."),
            (0, notes) => writeln!(f, "No problem, {}.", Count::s(notes, "note")),
            (problems, notes) => {
                let restart =
                    if self.0.version.is_some() { " Settings count after the daemon was restarted." } else { "" };
                writeln!(f, "{}, {}.{restart}", Count::s(problems, "problem"), Count::s(notes, "note"))
            }
        }
    }
}
