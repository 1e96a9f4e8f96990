use crate::{CommandError, Exit, plain::Plain};
use debros_core::Timestamp;
use debros_orbit::UserKey;
use serde_json::json;
use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
};

/// No key and no list is longer; of what is, so much is read that it is seen to be.
const MOST: u64 = 128 << 10;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Makes and reads lists of peers to begin with
///
/// A rendezvous list holds the addresses of nodes of an application that are there most of the time. The application
/// trusts whoever has a key, and takes their lists with `Db::builder(..).rendezvous(publisher, list)`.
#[derive(Debug, clap::Args)]
pub(crate) struct Rendezvous {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Key(Key),
    Sign(Sign),
    Show(Show),
}

/// Makes a key that signs lists, and prints its public half: the publisher
///
/// A user's exported key will do, too: who has either is that user.
#[derive(Debug, clap::Args)]
struct Key {
    /// Where to put it; a file that is there is left alone
    file: PathBuf,
}

/// Prints a signed list
#[derive(Debug, clap::Args)]
struct Sign {
    /// The key's file
    #[arg(long)]
    key: PathBuf,
    /// The application's name
    #[arg(long)]
    app: String,
    /// For how many days it is good
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..))]
    days: u16,
    /// Addresses that end with the id of their peer, as `/dns4/peers.example.org/tcp/4001/p2p/12D3Koo..`
    #[arg(required = true)]
    peers: Vec<String>,
}

/// Tells what is in a list, and whether it is good
#[derive(Debug, clap::Args)]
struct Show {
    /// The list
    file: PathBuf,
    /// Print one JSON value
    #[arg(long)]
    json: bool,
}

impl Rendezvous {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<Exit, CommandError> {
        match &self.action {
            Action::Key(key) => key.run(out),
            Action::Sign(sign) => sign.run(out),
            Action::Show(show) => show.run(out),
        }
    }
}

impl Key {
    fn run(&self, out: &mut dyn Write) -> Result<Exit, CommandError> {
        let key = UserKey::generate().map_err(CommandError::NewKey)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&self.file).and_then(|mut file| {
            file.write_all(key.export().as_bytes())?;
            file.sync_all()
        });
        written.map_err(|source| CommandError::File { file: self.file.clone(), source })?;
        writeln!(out, "{}", key.id())?;
        Ok(Exit::Clean)
    }
}

impl Sign {
    fn run(&self, out: &mut dyn Write) -> Result<Exit, CommandError> {
        let text = zeroize::Zeroizing::new(read(&self.key)?);
        let key = UserKey::import(&text).map_err(|source| CommandError::Key { file: self.key.clone(), source })?;
        let now = Timestamp::now();
        let expires = Timestamp::from_millis(now.as_millis() + i64::from(self.days) * DAY);
        let list = debros_orbit::Rendezvous::new(&self.app, now, expires, &self.peers)?;
        write!(out, "{}", list.sign(key.key()))?;
        Ok(Exit::Clean)
    }
}

impl Show {
    fn run(&self, out: &mut dyn Write) -> Result<Exit, CommandError> {
        let (list, publisher) = debros_orbit::Rendezvous::read(&read(&self.file)?)?;
        let is_good = list.expires() > Timestamp::now();
        let peers: Vec<String> = list.peers().collect();
        if self.json {
            let told = json!({
                "application": list.application(),
                "publisher": publisher.to_string(),
                "issued": list.issued().to_string(),
                "expires": list.expires().to_string(),
                "expired": !is_good,
                "peers": peers,
            });
            writeln!(out, "{told:#}")?;
        } else {
            let (application, issued, expires) = (list.application(), list.issued(), list.expires());
            writeln!(out, "peers of `{application}`, signed by {publisher}")?;
            writeln!(out, "issued {issued}, {} {expires}", if is_good { "expires" } else { "EXPIRED" })?;
            for peer in peers {
                writeln!(out, "  {}", Plain(&peer))?;
            }
        }
        Ok(Exit::of(is_good))
    }
}

fn read(file: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    let done: io::Result<usize> = fs::File::open(file).and_then(|file| file.take(MOST).read_to_end(&mut bytes));
    done.map_err(|source| CommandError::File { file: file.to_owned(), source })?;
    Ok(bytes)
}
