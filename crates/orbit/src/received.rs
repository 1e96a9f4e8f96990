//! [`Received`]: an entry that came from elsewhere, looked at by itself.

use crate::{Address, Encryption, Entry, EntryLinks, Hash, Hold, JoinError, Limits, MAX_ACCEPTED, entry::EntryParts};

/// A block that came from elsewhere as an entry, with everything checked that can be checked of it alone: form, limits,
/// signature. This is what takes time, and needs nothing but the block: it can be done on any thread.
#[derive(Debug)]
pub struct Received(Looked);

#[derive(Debug)]
enum Looked {
    Entry(Box<Entry>),
    Refused(Box<Refused>),
}

/// A block that is no entry that anyone should have made.
#[derive(Debug)]
struct Refused {
    hash: Hash,
    bytes: Vec<u8>,
    /// What it builds on, and the log that it names, as far as that can be told.
    links: EntryLinks,
    log: Option<Address>,
    why: JoinError,
}

impl Received {
    /// Looks at a block.
    ///
    /// ```
    /// use debros_orbit::{Address, Encryption, Entry, Hash, Identity, Limits, Payload, Received, SigningKey};
    ///
    /// let me = Identity::new(&SigningKey::generate()?, SigningKey::generate()?);
    /// let log = Address::of(Hash::of(b"a manifest"));
    /// let entry = Entry::create(&me, log, Payload::add("hello".into()).into_value(), &[], &[], 1)?;
    /// let (limits, plain) = (Limits::default(), Encryption::default());
    /// assert!(Received::read(entry.bytes(), &limits, &plain).refusal().is_none());
    /// assert!(Received::read(b"no entry", &limits, &plain).refusal().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(block: &[u8], limits: &Limits, encryption: &Encryption) -> Received {
        let looked = Entry::open(block, encryption).map_err(JoinError::from).and_then(|entry| {
            limits.admits(&entry)?;
            entry.verify_signature()?;
            Ok(entry)
        });
        Received(match looked {
            Ok(entry) => Looked::Entry(Box::new(entry)),
            Err(why) => {
                // what is too large is not kept, so not copied
                let too_large = block.len() > limits.entry_bytes.min(MAX_ACCEPTED);
                let bytes = if too_large { Vec::new() } else { block.to_vec() };
                let opened = encryption.open_block(block).ok().filter(|_| !too_large);
                let links = opened.as_ref().map(|entry| Entry::links_of(entry)).unwrap_or_default();
                let log = opened.and_then(|entry| EntryParts::parse(&entry).ok()?.log.parse().ok());
                Looked::Refused(Box::new(Refused { hash: Hash::of(block), bytes, links, log, why }))
            }
        })
    }

    /// The name of the block.
    pub fn hash(&self) -> Hash {
        match &self.0 {
            Looked::Entry(entry) => entry.hash(),
            Looked::Refused(refused) => refused.hash,
        }
    }

    /// What is wrong with it, if it is none that should have been made.
    pub fn refusal(&self) -> Option<&JoinError> {
        match &self.0 {
            Looked::Entry(_) => None,
            Looked::Refused(refused) => Some(&refused.why),
        }
    }

    pub(crate) fn entry(&self) -> Option<&Entry> {
        match &self.0 {
            Looked::Entry(entry) => Some(entry),
            Looked::Refused(_) => None,
        }
    }

    /// Could it not be opened, for want of the key?
    pub(crate) fn is_sealed(&self) -> bool {
        self.refusal().and_then(Hold::of) == Some(Hold::Sealed)
    }

    /// Does it name this identity?
    pub(crate) fn names(&self, identity: &Hash) -> bool {
        self.entry().is_some_and(|entry| entry.identity() == *identity)
    }

    /// By which entries are sorted, so that what is followed comes before what follows it.
    pub(crate) fn time(&self) -> u64 {
        self.entry().map_or(0, |entry| entry.clock().time)
    }

    /// The log that it names, of whatever form it is.
    pub(crate) fn log(&self) -> Option<Address> {
        match &self.0 {
            Looked::Entry(entry) => Some(entry.log()),
            Looked::Refused(refused) => refused.log,
        }
    }

    pub(crate) fn links(&self) -> EntryLinks {
        match &self.0 {
            Looked::Entry(entry) => EntryLinks { next: entry.next().to_vec(), refs: entry.refs().to_vec() },
            Looked::Refused(refused) => refused.links.clone(),
        }
    }

    pub(crate) fn into_parts(self) -> (Vec<u8>, Result<Entry, JoinError>) {
        match self.0 {
            Looked::Entry(entry) => (entry.block().to_vec(), Ok(*entry)),
            Looked::Refused(refused) => (refused.bytes, Err(refused.why)),
        }
    }
}
