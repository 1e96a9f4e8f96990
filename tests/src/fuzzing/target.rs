//! [`Target`]: something that reads bytes of others.

use super::{access_list, cipher, entry, heads, identity, javascript, journal, manifest, rendezvous, segment};

/// Something that reads bytes of others, and what must hold whatever they are.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Panics if a property does not hold for these bytes.
    pub check: fn(&[u8]),
    /// Bytes that are worth changing.
    pub corpus: fn() -> Vec<Vec<u8>>,
    /// How many cases the other tests run: fewer where one takes long.
    pub brief: u32,
}

impl Target {
    /// All of them.
    pub const ALL: &[Target] = &[
        Target { name: "access_list", check: access_list::check, corpus: access_list::corpus, brief: 10_000 },
        #[cfg(feature = "export")]
        Target {
            name: "announcement",
            check: super::announcement::check,
            corpus: super::announcement::corpus,
            brief: 10_000,
        },
        Target { name: "cipher", check: cipher::check, corpus: cipher::corpus, brief: 5_000 },
        Target { name: "entry", check: entry::check, corpus: entry::corpus, brief: 10_000 },
        #[cfg(feature = "export")]
        Target { name: "export", check: super::export::check, corpus: super::export::corpus, brief: 5_000 },
        Target { name: "heads", check: heads::check, corpus: heads::corpus, brief: 2_000 },
        Target { name: "identity", check: identity::check, corpus: identity::corpus, brief: 10_000 },
        Target { name: "javascript", check: javascript::check, corpus: javascript::corpus, brief: 10_000 },
        Target { name: "journal", check: journal::check, corpus: journal::corpus, brief: 10_000 },
        Target { name: "manifest", check: manifest::check, corpus: manifest::corpus, brief: 10_000 },
        #[cfg(feature = "network")]
        Target {
            name: "peer_message",
            check: super::peer_message::check,
            corpus: super::peer_message::corpus,
            brief: 10_000,
        },
        Target { name: "rendezvous", check: rendezvous::check, corpus: rendezvous::corpus, brief: 5_000 },
        Target { name: "segment", check: segment::check, corpus: segment::corpus, brief: 2_000 },
    ];

    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Target> {
        Target::ALL.iter().find(|target| target.name == name)
    }
}
