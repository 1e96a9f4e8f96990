//! [`Address`]: the name of a database.

use crate::{Hash, NotAHash};
use std::{fmt, str::FromStr};

/// The name of a database, the same on every device: `/orbitdb/` and the hash of its manifest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    manifest: Hash,
}

const PREFIX: &str = "/orbitdb/";

impl Address {
    /// The address of the database with this manifest.
    pub const fn of(manifest: Hash) -> Address {
        Address { manifest }
    }

    /// The hash of the manifest.
    pub const fn manifest(&self) -> Hash {
        self.manifest
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.manifest)
    }
}
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no [`Address`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address of a database: expected `/orbitdb/zdpu…`")]
pub struct NotAnAddress(pub String);

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Address, NotAnAddress> {
        let manifest = text.strip_prefix(PREFIX).and_then(|hash| hash.parse().ok());
        manifest.map(Address::of).ok_or_else(|| NotAnAddress(text.chars().take(80).collect()))
    }
}

/// Where the access controller of a database is: what the manifest's `accessController` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessAddress {
    /// `/ipfs/zdpu…`: a list of those who may write, in a block.
    Ipfs(Hash),
    /// `/orbitdb/zdpu…`: a database whose rows say who may write.
    Orbitdb(Address),
}

impl fmt::Display for AccessAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccessAddress::Ipfs(hash) => write!(f, "/ipfs/{hash}"),
            AccessAddress::Orbitdb(address) => fmt::Display::fmt(address, f),
        }
    }
}

impl FromStr for AccessAddress {
    type Err = NotAnAccessAddress;

    fn from_str(text: &str) -> Result<AccessAddress, NotAnAccessAddress> {
        let parsed = match text.strip_prefix("/ipfs/") {
            Some(hash) => hash.parse().map(AccessAddress::Ipfs).map_err(|e: NotAHash| e.0),
            None => text.parse().map(AccessAddress::Orbitdb).map_err(|e: NotAnAddress| e.0),
        };
        parsed.map_err(|_| NotAnAccessAddress(text.chars().take(80).collect()))
    }
}

/// A text that is no [`AccessAddress`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no access controller that is known: expected `/ipfs/zdpu…` or `/orbitdb/zdpu…`")]
pub struct NotAnAccessAddress(pub String);
