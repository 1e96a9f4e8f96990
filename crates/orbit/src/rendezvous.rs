//! [`Rendezvous`]: a signed list of peers to begin with.

mod accepted_lists;

pub(crate) use accepted_lists::AcceptedLists;

use crate::{PublicKey, SigningKey};
use debros_core::Timestamp;
use multiaddr::{Multiaddr, Protocol};
use std::fmt::Write as _;

/// A list of peers to begin with, for whoever knows nobody yet: the addresses of some nodes of an application that are there most of
/// the time, signed by a key that the application trusts, until it expires.
///
/// It is a text, which can be shipped with the application, put beside it, or come from anywhere, since it is signed:
///
/// ```text
/// debros-rendezvous 1
/// application chat
/// by 021ffd59…
/// issued 2026-01-01T00:00:00Z
/// expires 2027-01-01T00:00:00Z
/// peer /dns4/peers.example.org/tcp/4001/p2p/12D3Koo…
/// signature 3045…
/// ```
///
/// The signature is over the lines before it, by the key of the line `by`. An address ends with the id of its peer, so that nobody else
/// answers for it. What a list gives is nothing but connections: what peers send is checked as ever.
///
/// ```
/// use debros_core::Timestamp;
/// use debros_orbit::{Rendezvous, SigningKey};
///
/// let key = SigningKey::generate()?;
/// let peer = "/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
/// let list = Rendezvous::new("chat", "2026-01-01T00:00:00Z".parse()?, "2027-01-01T00:00:00Z".parse()?, [peer])?;
/// let text = list.sign(&key);
///
/// let now: Timestamp = "2026-06-01T00:00:00Z".parse()?;
/// assert_eq!(Rendezvous::open(text.as_bytes(), "chat", &key.public_key(), now)?, list);
/// let late = "2027-06-01T00:00:00Z".parse()?;
/// assert!(Rendezvous::open(text.as_bytes(), "chat", &key.public_key(), late).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendezvous {
    application: String,
    issued: Timestamp,
    expires: Timestamp,
    peers: Vec<Multiaddr>,
}

/// Why a list of peers is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RendezvousError {
    /// It does not begin as a list does, or is much too long.
    #[error(
        "this is no rendezvous list: it does not begin with `debros-rendezvous`, or is longer than {MAX_LIST} bytes"
    )]
    NotAList,
    /// Written by a newer version.
    #[error(
        "this rendezvous list is in version {0} of the format, and this program knows version 1; use a newer program"
    )]
    Newer(String),
    /// A line is missing, surplus or unreadable.
    #[error("this rendezvous list is damaged: {0}; get it again")]
    Damaged(&'static str),
    /// What is no address of a peer.
    #[error(
        "`{address}` cannot stand in a rendezvous list: {reason}; expected one as `/dns4/peers.example.org/tcp/4001/p2p/12D3Koo…`"
    )]
    Address {
        /// The text.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// None, or more than there may be.
    #[error("a rendezvous list has 1 to {MAX_PEERS} peers, and this one has {0}")]
    Count(usize),
    /// A name that no application has.
    #[error("`{0}` cannot be the name of an application: take 1 to 64 of A-Z, a-z, 0-9, `_`, `.` and `-`")]
    Name(String),
    /// It expires before it was issued.
    #[error("the rendezvous list was issued at {issued}, after it expires, at {expires}")]
    Times {
        /// When it was issued.
        issued: Timestamp,
        /// When it expires.
        expires: Timestamp,
    },
    /// It is another application's.
    #[error("this rendezvous list is for the application `{found}`, not for `{expected}`")]
    Application {
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// It is signed by somebody else.
    #[error("this rendezvous list is signed by {found}, not by {expected}, whom the application trusts")]
    Publisher {
        /// Who says to have signed it.
        found: PublicKey,
        /// Who should have.
        expected: PublicKey,
    },
    /// The signature is not of this list.
    #[error("the signature of this rendezvous list is not by {0}, or something was changed in it; get it again")]
    Signature(PublicKey),
    /// It has expired.
    #[error("this rendezvous list has expired at {0}; get a newer one")]
    Expired(Timestamp),
    /// A newer list of the same publisher was accepted before.
    #[error(
        "this rendezvous list was issued at {issued}, and one that was issued at {newest} was accepted here before: give that one, or a newer"
    )]
    Older {
        /// When it was issued.
        issued: Timestamp,
        /// When the newest was that was accepted.
        newest: Timestamp,
    },
    /// What was accepted before could not be read or recorded.
    #[error("which rendezvous lists were accepted stands in {file}, which could not be read or written: {reason}")]
    Memory {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
}

/// The most bytes of a list.
const MAX_LIST: usize = 64 << 10;
/// The most peers of a list.
const MAX_PEERS: usize = 64;
/// The most bytes of an address.
const MAX_ADDRESS: usize = 512;
/// Begins every list.
const FIRST: &str = "debros-rendezvous ";

impl Rendezvous {
    /// A list that is not signed yet.
    ///
    /// # Errors
    /// If the name is none of an application, it expires before it was issued, there are no peers or more than 64, or an
    /// address does not end with the id of its peer.
    pub fn new(
        application: &str,
        issued: Timestamp,
        expires: Timestamp,
        peers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Rendezvous, RendezvousError> {
        let is_of_name = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
        if !(1..=64).contains(&application.len()) || !application.bytes().all(is_of_name) {
            return Err(RendezvousError::Name(application.chars().take(80).collect()));
        }
        if issued > expires {
            return Err(RendezvousError::Times { issued, expires });
        }
        let peers = peers.into_iter().map(|peer| address(peer.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if !(1..=MAX_PEERS).contains(&peers.len()) {
            return Err(RendezvousError::Count(peers.len()));
        }
        Ok(Rendezvous { application: application.to_owned(), issued, expires, peers })
    }

    /// The list as a text, signed by this key.
    pub fn sign(&self, key: &SigningKey) -> String {
        let lines = self.lines(&key.public_key());
        let signature = key.sign(lines.as_bytes());
        format!("{lines}signature {signature}\n")
    }

    /// Reads a list, if it is for this application, by this publisher, and has not expired. [`Node::accept_rendezvous`](crate::Node::accept_rendezvous)
    /// refuses older ones, too.
    ///
    /// # Errors
    /// See [`RendezvousError`].
    pub fn open(
        text: &[u8],
        application: &str,
        publisher: &PublicKey,
        now: Timestamp,
    ) -> Result<Rendezvous, RendezvousError> {
        let (list, found) = Rendezvous::read(text)?;
        if found != *publisher {
            return Err(RendezvousError::Publisher { found, expected: *publisher });
        }
        if list.application != application {
            let expected = application.to_owned();
            return Err(RendezvousError::Application { found: list.application, expected });
        }
        if list.expires <= now {
            return Err(RendezvousError::Expired(list.expires));
        }
        Ok(list)
    }

    /// Reads a list, of whatever application and by whomever, expired or not; also who signed it. Spaces around lines and empty
    /// lines do no harm.
    ///
    /// # Errors
    /// If it is no list, damaged, or not signed by who it says.
    pub fn read(text: &[u8]) -> Result<(Rendezvous, PublicKey), RendezvousError> {
        let damaged = RendezvousError::Damaged;
        if text.len() > MAX_LIST {
            return Err(RendezvousError::NotAList);
        }
        let text = std::str::from_utf8(text).map_err(|_| RendezvousError::NotAList)?;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let version = lines.next().and_then(|line| line.strip_prefix(FIRST)).ok_or(RendezvousError::NotAList)?;
        if version != "1" {
            return Err(RendezvousError::Newer(version.chars().take(20).collect()));
        }
        let mut line = |name: &str, missing| {
            let line = lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.ok_or(damaged(missing))
        };
        let application = line("application", "the line `application` is missing")?;
        let by = line("by", "the line `by` is missing")?;
        let by: PublicKey = by.parse().map_err(|_| damaged("the line `by` holds no public key"))?;
        let moment = |text: &str| text.parse().map_err(|_| damaged("a line holds no moment"));
        let issued = moment(line("issued", "the line `issued` is missing")?)?;
        let expires = moment(line("expires", "the line `expires` is missing")?)?;
        let (mut peers, mut signature) = (Vec::new(), None);
        for line in lines {
            match (signature, line.split_once(' ')) {
                (None, Some(("peer", peer))) => peers.push(peer),
                (None, Some(("signature", signed))) => signature = Some(signed),
                _ => return Err(damaged("a line is none of a rendezvous list, or follows its last one")),
            }
        }
        let signature = signature.ok_or(damaged("the line `signature` is missing"))?;
        let list = Rendezvous::new(application, issued, expires, peers)?;
        // over the text as it is written, so over what was understood
        if !by.verify(list.lines(&by).as_bytes(), signature) {
            return Err(RendezvousError::Signature(by));
        }
        Ok((list, by))
    }

    /// The name of the application.
    pub fn application(&self) -> &str {
        &self.application
    }

    /// When it was issued.
    pub fn issued(&self) -> Timestamp {
        self.issued
    }

    /// When it expires.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The addresses of the peers.
    pub fn peers(&self) -> impl Iterator<Item = String> + '_ {
        self.peers.iter().map(ToString::to_string)
    }

    /// What is signed.
    fn lines(&self, by: &PublicKey) -> String {
        let Rendezvous { application, issued, expires, peers } = self;
        let mut text = format!("{FIRST}1\napplication {application}\nby {by}\nissued {issued}\nexpires {expires}\n");
        for peer in peers {
            // writing to a string cannot fail
            let _ = writeln!(text, "peer {peer}");
        }
        text
    }
}

fn address(text: &str) -> Result<Multiaddr, RendezvousError> {
    let wrong = |reason: String| RendezvousError::Address { address: text.chars().take(200).collect(), reason };
    if text.len() > MAX_ADDRESS {
        return Err(wrong(format!("it is longer than {MAX_ADDRESS} bytes")));
    }
    let address: Multiaddr = text.parse().map_err(|error: multiaddr::Error| wrong(error.to_string()))?;
    match address.iter().last() {
        Some(Protocol::P2p(_)) if address.iter().count() > 1 => Ok(address),
        _ => Err(wrong("it does not end with `/p2p/` and the id of the peer".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "/dns4/peers.example.org/tcp/4001/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    fn at(day: u32) -> Timestamp {
        format!("2026-01-{day:02}T00:00:00Z").parse().unwrap()
    }

    fn key(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32]).unwrap()
    }

    fn list() -> Rendezvous {
        Rendezvous::new("chat", at(1), at(20), [PEER, &PEER.replace("4001", "4002")]).unwrap()
    }

    #[test]
    fn a_list_survives_text() {
        let text = list().sign(&key(7));
        let pasted = text.replace('\n', " \r\n\r\n  ");
        for text in [text, pasted] {
            let opened = Rendezvous::open(text.as_bytes(), "chat", &key(7).public_key(), at(2)).unwrap();
            assert_eq!(opened, list());
            assert_eq!(opened.peers().next().as_deref(), Some(PEER));
        }
    }

    #[test]
    fn what_is_not_meant_for_this_application_now_is_refused() {
        let text = list().sign(&key(7));
        let open = |application, by: u8, day| {
            Rendezvous::open(text.as_bytes(), application, &key(by).public_key(), at(day)).unwrap_err()
        };
        assert_eq!(open("chat", 7, 20), RendezvousError::Expired(at(20)));
        assert!(matches!(open("blog", 7, 2), RendezvousError::Application { found, .. } if found == "chat"));
        let by = open("chat", 8, 2);
        assert!(matches!(by, RendezvousError::Publisher { found, .. } if found == key(7).public_key()));
        // who signs for another
        let forged = text.replace(&key(7).public_key().to_string(), &key(8).public_key().to_string());
        let forged = Rendezvous::open(forged.as_bytes(), "chat", &key(8).public_key(), at(2));
        assert_eq!(forged, Err(RendezvousError::Signature(key(8).public_key())));
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let text = list().sign(&key(7));
        for at in 0..text.len() - 1 {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
            assert!(Rendezvous::read(&changed).is_err(), "{}", String::from_utf8_lossy(&changed));
        }
        let lines: Vec<&str> = text.lines().collect();
        for left_out in 0..lines.len() {
            let mut fewer = lines.clone();
            fewer.remove(left_out);
            assert!(Rendezvous::read(fewer.join("\n").as_bytes()).is_err(), "{left_out}");
        }
    }

    #[test]
    fn what_cannot_be_in_a_list_is_said() {
        let new =
            |name: &str, from, until, peers: &[&str]| Rendezvous::new(name, at(from), at(until), peers).unwrap_err();
        assert_eq!(new("chat", 1, 2, &[]), RendezvousError::Count(0));
        assert_eq!(new("chat", 1, 2, &[PEER; 65]), RendezvousError::Count(65));
        assert!(matches!(new("a chat", 1, 2, &[PEER]), RendezvousError::Name(_)));
        assert!(matches!(new("chat", 3, 2, &[PEER]), RendezvousError::Times { .. }));
        for address in ["nowhere", "/ip4/192.0.2.1/tcp/4001", &PEER[PEER.find("/p2p").unwrap()..], &"/tcp/1".repeat(99)]
        {
            assert!(matches!(new("chat", 1, 2, &[address]), RendezvousError::Address { .. }), "{address}");
        }
        let read = |text: &str| Rendezvous::read(text.as_bytes()).unwrap_err();
        assert_eq!(read(""), RendezvousError::NotAList);
        assert_eq!(read(&"x".repeat(70_000)), RendezvousError::NotAList);
        assert_eq!(read("debros-rendezvous 2\n"), RendezvousError::Newer("2".to_owned()));
    }
}
