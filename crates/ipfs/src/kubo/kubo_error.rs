use std::{fmt, time::Duration};

use crate::Cid;

/// The oldest Kubo that is talked to. Before it, a peer could exhaust a daemon's memory through names of topics
/// (CVE-2026-46679), and answers had other forms.
pub(crate) const OLDEST: (u32, u32) = (0, 43);

/// Why a Kubo daemon did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KuboError {
    /// The address makes no sense.
    #[error("`{url}` is no address of a Kubo RPC: {reason}; write scheme, host and port, as `http://127.0.0.1:5001`")]
    Url {
        /// What was given, without its password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing answers there.
    #[error(
        "no Kubo daemon answers at {url} ({reason}): start it by `ipfs daemon`, or give the address of its RPC (`ipfs config Addresses.API`)"
    )]
    Unreachable {
        /// The address.
        url: String,
        /// What the connection said.
        reason: String,
    },
    /// It takes too long.
    #[error("the Kubo daemon at {url} has not answered `{call}` within {within:?}")]
    Timeout {
        /// The address.
        url: String,
        /// What it was asked for.
        call: &'static str,
        /// How long was waited.
        within: Duration,
    },
    /// No encrypted connection can be made.
    #[error(
        "no encrypted connection can be made to {url} ({reason}): use `http://` if the daemon is plain, or trust its authority by `KuboOptions::root_certificate`"
    )]
    Tls {
        /// The address.
        url: String,
        /// What the connection said.
        reason: String,
    },
    /// It does not let us in.
    #[error(
        "the Kubo daemon at {url} does not let us in to `{call}`: give a user and password, or a token, of its `API.Authorizations` by `KuboOptions::basic` or `KuboOptions::bearer`, whose `AllowedPaths` have `/api/v0`"
    )]
    Unauthorized {
        /// The address.
        url: String,
        /// What it was asked for.
        call: &'static str,
    },
    /// It is too old.
    #[error("the Kubo daemon at {url} is of version {version}: {}.{} or a newer one is needed, update it", OLDEST.0, OLDEST.1)]
    TooOld {
        /// The address.
        url: String,
        /// Its version.
        version: String,
    },
    /// It is no Kubo.
    #[error(
        "what answers at {url} is not the RPC of a Kubo daemon ({reason}): give the address of `ipfs config Addresses.API`, not that of its gateway or of another server"
    )]
    NotKubo {
        /// The address.
        url: String,
        /// What it said.
        reason: String,
    },
    /// It says that it could not do it.
    #[error("the Kubo daemon at {url} could not do `{call}`: {message}")]
    Refused {
        /// The address.
        url: String,
        /// What it was asked for.
        call: &'static str,
        /// What it said.
        message: String,
    },
    /// Its pubsub is off.
    #[error(
        "the Kubo daemon at {url} has its pubsub off: say `ipfs config --json Pubsub.Enabled true` and start it again, or start it by `ipfs daemon --enable-pubsub-experiment`"
    )]
    NoPubsub {
        /// The address.
        url: String,
    },
    /// Its answer ends in the middle, or makes no sense.
    #[error("the answer of the Kubo daemon at {url} to `{call}` is broken: {reason}")]
    Broken {
        /// The address.
        url: String,
        /// What it was asked for.
        call: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// It gave other bytes than those that were asked for.
    #[error(
        "the Kubo daemon at {url} gave bytes for the block {cid} that have another hash: its repository is damaged, check it by `ipfs repo verify`"
    )]
    WrongBlock {
        /// The address.
        url: String,
        /// The block.
        cid: Box<Cid>,
    },
}

impl KuboError {
    /// Whether there is no daemon that can be used, rather than one that could not do something.
    pub fn is_unreachable(&self) -> bool {
        match self {
            KuboError::Url { .. }
            | KuboError::Unreachable { .. }
            | KuboError::Timeout { .. }
            | KuboError::Tls { .. }
            | KuboError::Unauthorized { .. }
            | KuboError::TooOld { .. }
            | KuboError::NotKubo { .. } => true,
            KuboError::Refused { .. }
            | KuboError::NoPubsub { .. }
            | KuboError::Broken { .. }
            | KuboError::WrongBlock { .. } => false,
        }
    }
}

/// An answer that makes no sense.
pub(crate) fn broken(url: &str, call: &'static str, reason: String) -> KuboError {
    KuboError::Broken { url: url.to_owned(), call, reason }
}

/// The deepest reason that an error gives, which says most.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The beginning of something that may be long.
pub(crate) fn shortened(text: impl fmt::Display) -> String {
    let text = text.to_string();
    let text = text.trim();
    if text.chars().count() <= 300 { text.to_owned() } else { text.chars().take(300).chain("…".chars()).collect() }
}
