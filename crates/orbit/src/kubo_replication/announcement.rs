use crate::{Address, Hash};
use debros_ipfs::Cid;
use serde::{Deserialize, Serialize};

/// What is published on the topic of an application: what a daemon holds of some of its databases. It proves nothing, and nothing is
/// believed of it: every block and every entry that it leads to is checked.
///
/// In DAG-CBOR `{addresses, by, hints}`; the version stands in the name of the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The data folder, so that two that share a daemon are told apart.
    pub by: String,
    /// Where the daemon is, as multiaddresses with its peer id.
    pub addresses: Vec<String>,
    /// One for each database.
    pub hints: Vec<Hint>,
}

/// What a daemon holds of one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Which.
    pub database: Address,
    /// Whether somebody is known to who speaks who has other heads: then everybody says how it stands with them.
    pub apart: bool,
    /// How many entries its log has.
    pub entries: u64,
    /// The heads of its log, by their names; the latest, where there are more than [`Announcement::MAX_HEADS`].
    pub heads: Vec<Hash>,
    /// What [`Hint::state_of`] gives for all heads: two logs are the same if it is.
    pub state: Hash,
    /// The roots of the lists of its blocks, the earliest first. All of them are pinned.
    pub roots: Vec<Hash>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnnouncementBlock {
    addresses: Vec<String>,
    by: String,
    hints: Vec<HintBlock>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HintBlock {
    apart: bool,
    database: Cid,
    entries: u64,
    heads: Vec<Cid>,
    roots: Vec<Cid>,
    /// Where it does not follow from the heads that are named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<Cid>,
}

impl Announcement {
    /// Most bytes of one.
    pub const MAX_BYTES: usize = 48 << 10;
    /// Most hints of one.
    pub const MAX_HINTS: usize = 256;
    /// Most heads of a hint.
    pub const MAX_HEADS: usize = 128;
    /// Most roots of a hint.
    pub const MAX_ROOTS: usize = 128;
    /// Most addresses of a daemon, and characters of one.
    pub const MAX_ADDRESSES: (usize, usize) = (8, 256);
    /// Most characters of the name of a data folder.
    const MAX_BY: usize = 64;
    /// So many bytes a link takes in a block.
    const LINK: usize = 41;

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let cids = |hashes: &[Hash]| hashes.iter().map(Hash::cid).collect();
        let hint = |hint: &Hint| HintBlock {
            apart: hint.apart,
            database: hint.database.manifest().cid(),
            entries: hint.entries,
            heads: cids(&hint.heads),
            roots: cids(&hint.roots),
            state: (!hint.names_all()).then(|| hint.state.cid()),
        };
        let block = AnnouncementBlock {
            addresses: self.addresses.clone(),
            by: self.by.clone(),
            hints: self.hints.iter().map(hint).collect(),
        };
        serde_ipld_dagcbor::to_vec(&block).expect("numbers, texts and links have a form in DAG-CBOR")
    }

    /// Reads what somebody published; `None` if it is no announcement, or larger than one may be.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Announcement> {
        if bytes.len() > Announcement::MAX_BYTES {
            return None;
        }
        let AnnouncementBlock { addresses, by, hints } = serde_ipld_dagcbor::from_slice(bytes).ok()?;
        let (most, longest) = Announcement::MAX_ADDRESSES;
        let fits = addresses.len() <= most && addresses.iter().all(|address| address.len() <= longest);
        if !fits || by.len() > Announcement::MAX_BY || hints.len() > Announcement::MAX_HINTS {
            return None;
        }
        let hints = hints.into_iter().map(Hint::from_block).collect::<Option<_>>()?;
        Some(Announcement { by, addresses, hints })
    }
}

impl Hint {
    fn from_block(block: HintBlock) -> Option<Hint> {
        let HintBlock { apart, database, entries, heads, roots, state } = block;
        if heads.len() > Announcement::MAX_HEADS || roots.len() > Announcement::MAX_ROOTS {
            return None;
        }
        let hashes = |cids: Vec<Cid>| cids.iter().map(Hash::from_cid).collect::<Option<Vec<_>>>();
        let (heads, roots) = (hashes(heads)?, hashes(roots)?);
        let database = Address::of(Hash::from_cid(&database)?);
        let state = match state {
            Some(state) => Hash::from_cid(&state)?,
            None => Hint::state_of(&heads),
        };
        Some(Hint { database, apart, entries, heads, state, roots })
    }

    /// The SHA2-256 of the digests of all heads of a log, in the order of their bytes.
    #[must_use]
    pub fn state_of(heads: &[Hash]) -> Hash {
        let mut heads: Vec<[u8; 32]> = heads.iter().map(|head| *head.digest()).collect();
        heads.sort_unstable();
        heads.dedup();
        Hash::of(heads.as_flattened())
    }

    /// Whether it names all heads that there are.
    pub(super) fn names_all(&self) -> bool {
        self.state == Hint::state_of(&self.heads)
    }

    /// How many bytes it takes in an announcement, at most.
    pub(super) fn size(&self) -> usize {
        let state = usize::from(self.heads.len() >= Announcement::MAX_HEADS);
        80 + Announcement::LINK * (2 + state + self.heads.len() + self.roots.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(n: u32, heads: usize, roots: usize) -> Hint {
        let hash = |at: usize| Hash::of(&[n.to_be_bytes(), (at as u32).to_be_bytes()].concat());
        let (heads, roots): (Vec<Hash>, _) = ((0..heads).map(hash).collect(), (0..roots).map(hash).collect());
        let state = Hint::state_of(&heads);
        Hint { database: Address::of(hash(7)), apart: true, entries: u64::MAX, heads, state, roots }
    }

    #[test]
    fn announcements_survive_and_are_no_larger_than_is_said() {
        for (hints, heads, roots) in [(0, 0, 0), (1, 128, 128), (100, 1, 3), (256, 1, 1)] {
            let hints: Vec<_> = (0..hints).map(|n| hint(n, heads, roots)).collect();
            let size: usize = hints.iter().map(Hint::size).sum();
            let announcement = Announcement { by: "00ff".into(), addresses: vec!["/ip4/127.0.0.1".into()], hints };
            let bytes = announcement.encode();
            assert!(bytes.len() <= size + 200, "{} {size}", bytes.len());
            assert_eq!(Announcement::decode(&bytes), Some(announcement));
        }
    }

    #[test]
    fn what_is_too_much_is_none() {
        let good = Announcement { by: String::new(), addresses: Vec::new(), hints: vec![hint(1, 1, 1)] };
        assert!(Announcement::decode(&good.encode()).is_some());
        let many = |hints| Announcement { hints, ..good.clone() };
        let bad = [
            many(vec![hint(1, 129, 0)]),
            many(vec![hint(1, 0, 129)]),
            many((0..257).map(|n| hint(n, 0, 0)).collect()),
            Announcement { by: "x".repeat(65), ..good.clone() },
            Announcement { addresses: vec!["x".repeat(257)], ..good.clone() },
            Announcement { addresses: vec![String::new(); 9], ..good.clone() },
        ];
        for bad in bad {
            assert_eq!(Announcement::decode(&bad.encode()), None);
        }
        assert_eq!(Announcement::decode(&[0; Announcement::MAX_BYTES + 1]), None);
        assert_eq!(Announcement::decode(b""), None);
        assert_eq!(Announcement::decode(&[0x81; 1_000]), None);
    }

    #[test]
    fn logs_with_the_same_heads_have_the_same_state_and_no_others() {
        let heads: Vec<Hash> = (0..1_000_u32).map(|n| Hash::of(&n.to_be_bytes())).collect();
        let mut others = heads.clone();
        others.reverse();
        assert_eq!(Hint::state_of(&heads), Hint::state_of(&others));
        // as many, and one of them is another, of those that are not named
        let named = |heads: &[Hash]| heads[..Announcement::MAX_HEADS].to_vec();
        others = heads.clone();
        others[999] = Hash::of(b"another");
        assert_eq!(named(&heads), named(&others));
        assert_ne!(Hint::state_of(&heads), Hint::state_of(&others));
        let all = hint(1, 3, 1);
        assert!(all.names_all());
        let some = Hint { heads: named(&heads), state: Hint::state_of(&heads), ..all };
        assert!(!some.names_all());
        let announcement = Announcement { by: String::new(), addresses: Vec::new(), hints: vec![some] };
        assert_eq!(Announcement::decode(&announcement.encode()), Some(announcement));
    }
}
