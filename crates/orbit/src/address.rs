//! [`Address`]: the name of a database.

use crate::Hash;
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AccessAddress {
    /// `/ipfs/zdpu…`: a list of those who may write, in a block.
    Ipfs(Hash),
    /// `/orbitdb/zdpu…`: a database whose rows say who may write.
    Orbitdb(Address),
    /// `/kind/zdpu…`: a rule of an application's own, and the block with what it wants to know.
    Custom {
        /// The type of the rule: 1 to 64 letters, digits, `-`, `_` and `.`.
        kind: String,
        /// The block.
        block: Hash,
    },
}

impl AccessAddress {
    /// Can an access controller of an application have this type?
    pub(crate) fn is_custom_kind(kind: &str) -> bool {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        (1..=64).contains(&kind.len()) && kind.bytes().all(letter) && kind != "ipfs" && kind != "orbitdb"
    }
}

impl fmt::Display for AccessAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccessAddress::Ipfs(hash) => write!(f, "/ipfs/{hash}"),
            AccessAddress::Orbitdb(address) => fmt::Display::fmt(address, f),
            AccessAddress::Custom { kind, block } => write!(f, "/{kind}/{block}"),
        }
    }
}

impl FromStr for AccessAddress {
    type Err = NotAnAccessAddress;

    fn from_str(text: &str) -> Result<AccessAddress, NotAnAccessAddress> {
        let parse = || {
            let (kind, hash) = text.strip_prefix('/')?.split_once('/')?;
            let block = hash.parse().ok()?;
            match kind {
                "ipfs" => Some(AccessAddress::Ipfs(block)),
                "orbitdb" => Some(AccessAddress::Orbitdb(Address::of(block))),
                kind if AccessAddress::is_custom_kind(kind) => {
                    Some(AccessAddress::Custom { kind: kind.to_owned(), block })
                }
                _ => None,
            }
        };
        parse().ok_or_else(|| NotAnAccessAddress(text.chars().take(80).collect()))
    }
}

/// A text that is no [`AccessAddress`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no address of an access controller: expected `/ipfs/zdpu…`, `/orbitdb/zdpu…` or another type in place of these"
)]
pub struct NotAnAccessAddress(pub String);
