use std::{fmt, time::Duration};

/// Where a Kubo daemon's RPC is, and what it takes to be let in.
///
/// ```
/// use debros_ipfs::KuboOptions;
///
/// let local = KuboOptions::from("http://127.0.0.1:5001");
/// let remote = KuboOptions::new("https://kubo.example.org").bearer("a secret of API.Authorizations");
/// # let _ = (local, remote);
/// ```
#[derive(Clone)]
pub struct KuboOptions {
    pub(crate) url: String,
    pub(crate) authorization: Option<Authorization>,
    pub(crate) connect_within: Duration,
    pub(crate) answer_within: Duration,
    pub(crate) roots: Vec<Vec<u8>>,
}

/// What a daemon with `API.Authorizations` wants to see.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Authorization {
    Basic { user: String, password: String },
    Bearer { token: String },
}

impl KuboOptions {
    /// The daemon whose RPC is at this address: scheme, host and port, as `http://127.0.0.1:5001`. A user and a password may stand
    /// in it. Whether it makes sense is found out when it is used.
    pub fn new(url: impl Into<String>) -> KuboOptions {
        KuboOptions {
            url: url.into(),
            authorization: None,
            connect_within: Duration::from_secs(5),
            answer_within: Duration::from_secs(60),
            roots: Vec::new(),
        }
    }

    /// Lets in with a user and a password: `basic:<user>:<password>` in the daemon's `API.Authorizations`.
    #[must_use]
    pub fn basic(mut self, user: impl Into<String>, password: impl Into<String>) -> KuboOptions {
        self.authorization = Some(Authorization::Basic { user: user.into(), password: password.into() });
        self
    }

    /// Lets in with a token: `bearer:<token>` in the daemon's `API.Authorizations`.
    #[must_use]
    pub fn bearer(mut self, token: impl Into<String>) -> KuboOptions {
        self.authorization = Some(Authorization::Bearer { token: token.into() });
        self
    }

    /// How long making a connection may take: 5 seconds by default.
    #[must_use]
    pub fn connect_within(mut self, within: Duration) -> KuboOptions {
        self.connect_within = within;
        self
    }

    /// How long the daemon may say nothing while it answers: 60 seconds by default. What is known to take longer, as storing many
    /// blocks, is given ten times as long.
    #[must_use]
    pub fn answer_within(mut self, within: Duration) -> KuboOptions {
        self.answer_within = within;
        self
    }

    /// Trusts this authority, beside those that the system trusts: a certificate in DER, of who signed the daemon's.
    #[must_use]
    pub fn root_certificate(mut self, der: impl Into<Vec<u8>>) -> KuboOptions {
        self.roots.push(der.into());
        self
    }
}

impl From<&str> for KuboOptions {
    fn from(url: &str) -> KuboOptions {
        KuboOptions::new(url)
    }
}
impl From<String> for KuboOptions {
    fn from(url: String) -> KuboOptions {
        KuboOptions::new(url)
    }
}

impl fmt::Debug for KuboOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // neither the secret nor the address, which may hold it
        f.debug_struct("KuboOptions").field("authorization", &self.authorization.is_some()).finish_non_exhaustive()
    }
}
