//! [`Entry`]: one signed operation of a log.

mod links;
mod parts;

use crate::{
    Address, Clock, Encryption, EncryptionError, Hash, Identity, IdentityBlock, NotAHash, NotAPublicKey, NotAnAddress,
    PublicKey, ScanError,
    encoder::Encoder,
    limits::{MAX_ACCEPTED, MAX_LINKS, MAX_TIME, MAX_WRITTEN},
    scanner::Scanner,
};
use debros_core::{DagCborError, Value};
pub use links::EntryLinks;
pub(crate) use parts::EntryParts;

/// One signed operation of a log, as OrbitDB 4 writes it.
///
/// ```
/// use debros_orbit::{Entry, Identity, Payload, SigningKey, AccessList, Manifest, DatabaseKind};
///
/// let me = Identity::new(&SigningKey::generate()?, SigningKey::generate()?);
/// let access = AccessList::new([me.id()]).address();
/// let log = Manifest { name: "notes".into(), kind: DatabaseKind::Events, access, meta: None }.address()?;
/// let first = Entry::create(&me, log, Payload::add("hello".into()).into_value(), &[], &[], 1)?;
/// let received = Entry::decode(first.bytes())?;
/// received.verify(me.block())?;
/// assert_eq!(received.hash(), first.hash());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    log: Address,
    key: PublicKey,
    signature: String,
    next: Vec<Hash>,
    refs: Vec<Hash>,
    clock: Clock,
    payload: Value,
    identity: Hash,
    hash: Hash,
    bytes: Vec<u8>,
    /// The block, if the entry is encrypted in it.
    sealed: Option<Vec<u8>>,
}

/// Why there is no such entry: it cannot be written, or what was received is none that we accept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// A payload that cannot be stored.
    #[error("this cannot be stored: {0}")]
    Payload(#[from] DagCborError),
    /// A payload that is nested too deep, or bytes that are no entry.
    #[error("{0}")]
    Scan(ScanError),
    /// Too large to write.
    #[error(
        "an entry of {0} bytes is too large: at most {MAX_WRITTEN} bytes (1 MiB) are written; store less in one record"
    )]
    TooLarge(usize),
    /// Too large to accept.
    #[error("an entry of {0} bytes is too large: at most {MAX_ACCEPTED} bytes (4 MiB) are accepted from others")]
    TooLargeToAccept(usize),
    /// Not the nine fields of an entry in canonical form.
    #[error("this block is no entry, which is a map of exactly nine fields in canonical form: {0}")]
    Fields(ScanError),
    /// Too many links to look up.
    #[error("the entry follows and refers to {0} others, and at most {MAX_LINKS} are looked up")]
    TooManyLinks(usize),
    /// Another version of the format.
    #[error("the entry is in version {0} of the format, and only version 2 is known")]
    Version(u64),
    /// The field `id`.
    #[error("the entry's `id` is wrong: {0}")]
    Log(#[from] NotAnAddress),
    /// The fields `next`, `refs` or `identity`.
    #[error("a link of the entry is wrong: {0}")]
    Link(#[from] NotAHash),
    /// The fields `key` or `clock.id`.
    #[error("a key of the entry is wrong: {0}")]
    Key(#[from] NotAPublicKey),
    /// A time that is none.
    #[error("the clock of the entry is {0}, and times go from 1 to {MAX_TIME}")]
    Time(u64),
    /// The clock is another key's.
    #[error("the clock of the entry belongs to {clock}, and its key is {key}")]
    Clock {
        /// The field `clock.id`.
        clock: PublicKey,
        /// The field `key`.
        key: PublicKey,
    },
    /// The key is another identity's.
    #[error("the entry says that it is by the identity {identity}, and its key {key} is not the key of that")]
    NotTheIdentitys {
        /// The field `identity`.
        identity: Hash,
        /// The field `key`.
        key: PublicKey,
    },
    /// It cannot be encrypted or decrypted.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),
    /// The signature.
    #[error("the signature of entry {0} is not by its key: it is forged or damaged")]
    Signature(Hash),
}

impl Entry {
    /// Makes and signs an entry.
    ///
    /// # Errors
    /// If the payload holds something that cannot be stored, is nested too deep or makes the entry larger than 1 MiB,
    /// or the time is out of range.
    pub fn create(
        identity: &Identity,
        log: Address,
        payload: Value,
        next: &[Hash],
        refs: &[Hash],
        time: u64,
    ) -> Result<Entry, EntryError> {
        let bytes = Entry::encode(identity, &log.to_string(), &encode_payload(&payload)?, next, refs, time)?;
        let parts = EntryParts::parse(&bytes)?;
        let (hash, signature, key) = (Hash::of(&bytes), parts.signature.to_owned(), identity.block().public_key);
        Ok(Entry {
            log,
            key,
            signature,
            next: next.to_vec(),
            refs: refs.to_vec(),
            clock: Clock { id: key, time },
            payload,
            identity: identity.hash(),
            hash,
            bytes,
            sealed: None,
        })
    }

    /// The bytes of a new entry; `payload` is encoded and was seen to be not too deep.
    ///
    /// Both the block and what is signed are made of the same pieces: of the nine fields in canonical order, the
    /// signature covers all but `key`, `sig` and `identity`.
    pub(crate) fn encode(
        identity: &Identity,
        log: &str,
        payload: &[u8],
        next: &[Hash],
        refs: &[Hash],
        time: u64,
    ) -> Result<Vec<u8>, EntryError> {
        if time == 0 || time > MAX_TIME {
            return Err(EntryError::Time(time));
        }
        let mut encoder = Encoder::with_capacity(payload.len() + 640 + 51 * (next.len() + refs.len()));
        let front = |encoder: &mut Encoder| {
            encoder.text("v").uint(2).text("id").text(log);
        };
        encoder.map(6);
        front(&mut encoder);
        let begin = encoder.len();
        for (name, hashes) in [("next", next), ("refs", refs)] {
            encoder.text(name).array(hashes.len());
            for hash in hashes {
                encoder.text(&hash.to_string());
            }
        }
        encoder.text("clock").map(2).text("id").text(identity.public_key()).text("time").uint(time);
        encoder.text("payload").encoded(payload);
        let signed = encoder.finish();
        let signature = identity.sign(&signed);

        let mut encoder = Encoder::with_capacity(signed.len() + 360);
        encoder.map(9);
        front(&mut encoder);
        encoder.text("key").text(identity.public_key()).text("sig").text(&signature);
        encoder.encoded(&signed[begin..]).text("identity").text(identity.hash_text());
        let bytes = encoder.finish();
        if bytes.len() > MAX_WRITTEN { Err(EntryError::TooLarge(bytes.len())) } else { Ok(bytes) }
    }

    /// Reads an entry that came from elsewhere, without checking its signature. What is accepted has exactly the nine
    /// fields, is canonical to the last byte, of version 2, and its clock is its own key's.
    ///
    /// # Errors
    /// If the bytes are anything else.
    pub fn decode(bytes: &[u8]) -> Result<Entry, EntryError> {
        if bytes.len() > MAX_ACCEPTED {
            return Err(EntryError::TooLargeToAccept(bytes.len()));
        }
        let parts = EntryParts::parse(bytes)?;
        if parts.version != 2 {
            return Err(EntryError::Version(parts.version));
        }
        let entry = Entry {
            log: parts.log.parse()?,
            key: parts.key.parse()?,
            signature: parts.signature.to_owned(),
            next: parts.next()?,
            refs: parts.refs()?,
            clock: Clock { id: parts.clock_id.parse()?, time: parts.time },
            payload: Value::from_dag_cbor(parts.payload)?,
            identity: parts.identity.parse()?,
            hash: Hash::of(bytes),
            bytes: bytes.to_vec(),
            sealed: None,
        };
        let links = entry.next.len() + entry.refs.len();
        if links > MAX_LINKS {
            return Err(EntryError::TooManyLinks(links));
        }
        if entry.clock.time == 0 || entry.clock.time > MAX_TIME {
            return Err(EntryError::Time(entry.clock.time));
        }
        if entry.clock.id != entry.key {
            return Err(EntryError::Clock { clock: entry.clock.id, key: entry.key });
        }
        Ok(entry)
    }

    /// Reads an entry out of a block in which it may be encrypted. Its payload stays as it is:
    /// [`Encryption::open_payload`].
    ///
    /// # Errors
    /// If it cannot be decrypted, or is none that [`Entry::decode`] takes.
    pub fn open(block: &[u8], encryption: &Encryption) -> Result<Entry, EntryError> {
        if !Encryption::is_sealed(block) {
            return Entry::decode(block);
        }
        let mut entry = Entry::decode(&encryption.open_block(block)?)?;
        entry.hash = Hash::of(block);
        entry.sealed = Some(block.to_vec());
        Ok(entry)
    }

    /// Encrypts the entry as a whole, if that is how replication is encrypted; its hash is that of the encrypted block
    /// then.
    ///
    /// # Errors
    /// If it cannot be encrypted, or becomes too large.
    pub fn seal(mut self, encryption: &Encryption) -> Result<Entry, EntryError> {
        if encryption.replication.is_some() {
            let block = encryption.seal_block(self.bytes.clone())?;
            self.hash = Hash::of(&block);
            self.sealed = Some(block);
        }
        Ok(self)
    }

    /// What the entries that these bytes follow and refer to are called, whatever these bytes are: to walk past an
    /// entry that is not accepted, towards those that it builds on.
    ///
    /// Everything that JavaScript takes for an entry is read, and of anything else what can be. Texts that are no
    /// hashes are left out, and of more than [`MAX_LINKS`] those that come last.
    ///
    /// ```
    /// use debros_orbit::{Entry, Hash};
    ///
    /// let before = Hash::of(b"an entry");
    /// let no_entry = [b"\xa1\x64next\x81\x78\x31".as_slice(), before.to_string().as_bytes()].concat();
    /// assert!(Entry::decode(&no_entry).is_err());
    /// assert_eq!(Entry::links_of(&no_entry).next, [before]);
    /// assert_eq!(Entry::links_of(b"anything").next, []);
    /// ```
    pub fn links_of(bytes: &[u8]) -> EntryLinks {
        EntryLinks::of(bytes)
    }

    /// Checks that the entry was signed by the identity that it names. Whether the identity itself is valid is for
    /// [`IdentityBlock::verify`].
    ///
    /// # Errors
    /// If it names another identity, its key is not that identity's, or the signature is not by that key.
    pub fn verify(&self, identity: &IdentityBlock) -> Result<(), EntryError> {
        if self.identity != identity.hash() || self.key != identity.public_key {
            return Err(EntryError::NotTheIdentitys { identity: self.identity, key: self.key });
        }
        self.verify_signature()
    }

    /// Checks that the entry was signed by its own key. Whether that is the key of the identity that it names is for
    /// [`Entry::verify`].
    ///
    /// # Errors
    /// If the signature is not by that key.
    pub fn verify_signature(&self) -> Result<(), EntryError> {
        let signed = EntryParts::parse(&self.bytes)?.signed();
        if self.key.verify(&signed, &self.signature) { Ok(()) } else { Err(EntryError::Signature(self.hash)) }
    }

    /// The log that it belongs to: the address of the database.
    pub fn log(&self) -> Address {
        self.log
    }

    /// The key that signed it.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// Its signature.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// The heads of the log when it was written, newest first.
    pub fn next(&self) -> &[Hash] {
        &self.next
    }

    /// Some entries before those, newest first.
    pub fn refs(&self) -> &[Hash] {
        &self.refs
    }

    /// Its clock.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// What it does.
    pub fn payload(&self) -> &Value {
        &self.payload
    }

    /// The identity of its writer.
    pub fn identity(&self) -> Hash {
        self.identity
    }

    /// Its name: the hash of its block.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The entry's bytes: those of its block, unless it is encrypted there.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The entry's bytes, taken out.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The bytes of its block, which are stored and sent: the entry's, or what they are encrypted in.
    pub fn block(&self) -> &[u8] {
        self.sealed.as_deref().unwrap_or(&self.bytes)
    }

    /// The bytes that are stored, taken out: those of the entry, or what they are encrypted to.
    pub(crate) fn into_block(self) -> Vec<u8> {
        self.sealed.unwrap_or(self.bytes)
    }

    /// The bytes that the signature covers: the entry without `key`, `sig` and `identity`.
    pub fn signed_bytes(&self) -> Vec<u8> {
        EntryParts::parse(&self.bytes).map(|parts| parts.signed()).unwrap_or_default()
    }
}

/// The bytes of a payload, which is seen to be not too deep.
pub(crate) fn encode_payload(payload: &Value) -> Result<Vec<u8>, EntryError> {
    let bytes = payload.to_dag_cbor()?;
    Scanner::new(&bytes).item().map_err(EntryError::Scan)?;
    Ok(bytes)
}
