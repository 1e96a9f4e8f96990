use serde_json::{Value, json};

use crate::KuboDaemon;

/// How a [`KuboDaemon`] is to be: by default it lets everybody in and talks to no machine but this one.
#[derive(Debug, Clone, Default)]
pub struct KuboDaemonOptions {
    /// What is written into its `config`, besides what every daemon of the tests has: a path with dots, and a value.
    pub(crate) settings: Vec<(String, Value)>,
    /// What its own command line is let in with.
    pub(crate) secret: Option<String>,
    /// Whether it has nothing to do with other peers.
    pub(crate) offline: bool,
    /// Whether blocks are in one database, not in a file each.
    pub(crate) pebble: bool,
}

impl KuboDaemonOptions {
    /// The default.
    pub fn new() -> KuboDaemonOptions {
        KuboDaemonOptions::default()
    }

    /// Lets in only who has this secret, `basic:<user>:<password>` or `bearer:<token>`, and only to calls whose paths begin so, as
    /// `/api/v0`. Called again, it lets in another one, too. [`KuboDaemon::ipfs`] uses the first that may do everything.
    #[must_use]
    pub fn authorization(self, secret: &str, paths: &[&str]) -> KuboDaemonOptions {
        let number = self.settings.len();
        let own = self.secret.clone().or_else(|| paths.contains(&"/api/v0").then(|| secret.to_owned()));
        let entry = json!({ "AuthSecret": secret, "AllowedPaths": paths });
        KuboDaemonOptions { secret: own, ..self.setting(&format!("API.Authorizations.entry{number}"), entry) }
    }

    /// `Datastore.StorageMax`, as `10GB`.
    #[must_use]
    pub fn storage_max(self, max: &str) -> KuboDaemonOptions {
        self.setting("Datastore.StorageMax", json!(max))
    }

    /// Has nothing to do with other peers, and does not wait for them.
    #[must_use]
    pub fn offline(self) -> KuboDaemonOptions {
        KuboDaemonOptions { offline: true, ..self }
    }

    /// Keeps its blocks in a Pebble database (the profile `pebbleds`), which many small blocks want, and not in a file each.
    #[must_use]
    pub fn pebble(self) -> KuboDaemonOptions {
        KuboDaemonOptions { pebble: true, ..self }
    }

    /// Any setting of its `config`, as `Provide.Strategy`.
    #[must_use]
    pub fn setting(mut self, path: &str, value: Value) -> KuboDaemonOptions {
        self.settings.push((path.to_owned(), value));
        self
    }

    /// Starts such a daemon.
    pub fn start(self) -> KuboDaemon {
        KuboDaemon::with(self)
    }
}
