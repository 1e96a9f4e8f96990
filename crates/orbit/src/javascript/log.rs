use super::{JavaScriptEntry, JavaScriptError};
use crate::{AccessList, Address, Hash, IdentityBlock};
use std::collections::{HashMap, HashSet};

/// The log of a JavaScript peer: what it accepts, its heads, and the order in which it reads.
///
/// Different from [`Log`](crate::Log), an entry that is forged or whose clock lies may be in it, and two peers with the
/// same entries may have them in another order, if clocks are equal. What JavaScript forgives in identity blocks is not
/// forgiven here: they are read as nodes read them.
///
/// ```
/// use debros_orbit::{AccessList, Address, Hash, Identity, JavaScriptLog, Log, Payload, SigningKey};
///
/// let me = Identity::new(&SigningKey::generate()?, SigningKey::generate()?);
/// let address = Address::of(Hash::of(b"a manifest"));
/// let mut ours = Log::new(address);
/// let one = ours.append(&me, Payload::add("one".into()).into_value(), 16)?;
/// let two = ours.append(&me, Payload::add("two".into()).into_value(), 16)?;
///
/// let mut theirs = JavaScriptLog::new(address, AccessList::new([me.id()]));
/// let block = |hash: &Hash| match ours.get(hash) {
///     Some(entry) => Some(entry.bytes().to_vec()),
///     None => (*hash == me.hash()).then(|| me.bytes().to_vec()),
/// };
/// theirs.join(&block(&two).unwrap(), block)?;
/// assert_eq!(theirs.traverse(), [two, one]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct JavaScriptLog {
    address: Address,
    access: AccessList,
    entries: HashMap<Hash, JavaScriptEntry>,
    heads: Vec<Hash>,
}

impl JavaScriptLog {
    /// An empty log of a database that these may write.
    pub fn new(address: Address, access: AccessList) -> JavaScriptLog {
        JavaScriptLog { address, access, entries: HashMap::new(), heads: Vec::new() }
    }

    /// The entry with this hash.
    pub fn get(&self, hash: &Hash) -> Option<&JavaScriptEntry> {
        self.entries.get(hash)
    }

    /// The heads, newest first.
    pub fn heads(&self) -> Vec<Hash> {
        let mut heads = self.heads.clone();
        self.sort(&mut heads);
        heads.reverse();
        heads
    }

    /// The heads in the order of their arrival, as they are stored.
    pub fn stored_heads(&self) -> &[Hash] {
        &self.heads
    }

    /// Joins an entry together with whatever of its ancestors is not here yet. `block` fetches blocks: entries and
    /// identities. False if it was here already.
    ///
    /// # Errors
    /// If the entry or an ancestor is not acceptable or not to be had. Nothing is added then, as in JavaScript.
    pub fn join(
        &mut self,
        head: &[u8],
        mut block: impl FnMut(&Hash) -> Option<Vec<u8>>,
    ) -> Result<bool, JavaScriptError> {
        let head = JavaScriptEntry::decode(head)?;
        if self.entries.contains_key(&head.hash()) {
            return Ok(false);
        }
        self.verify(&head, &mut block)?;
        let mut wanted: Vec<Hash> = head.next().iter().chain(head.refs()).copied().collect();
        let mut seen: HashSet<Hash> = wanted.iter().copied().chain([head.hash()]).collect();
        let mut added = Vec::new();
        let mut connected = HashSet::new();
        while let Some(hash) = wanted.pop() {
            let entry = JavaScriptEntry::decode(&block(&hash).ok_or(JavaScriptError::Missing(hash))?)?;
            self.verify(&entry, &mut block)?;
            for link in entry.next().iter().chain(entry.refs()) {
                if self.entries.contains_key(link) {
                    connected.insert(*link);
                } else if seen.insert(*link) {
                    wanted.push(*link);
                }
            }
            added.push(entry);
        }

        self.heads.push(head.hash());
        self.entries.insert(head.hash(), head);
        let followed: HashSet<Hash> =
            self.heads.iter().flat_map(|head| self.entries[head].next()).chain(&connected).copied().collect();
        self.heads.retain(|head| !followed.contains(head));
        self.entries.extend(added.into_iter().map(|entry| (entry.hash(), entry)));
        Ok(true)
    }

    /// Everything that JavaScript checks. It looks for the right to write at the identity that the entry names, and for
    /// the signature at its key, and never asks whether the two belong together.
    fn verify(
        &self,
        entry: &JavaScriptEntry,
        block: &mut impl FnMut(&Hash) -> Option<Vec<u8>>,
    ) -> Result<(), JavaScriptError> {
        let log = entry.text("id");
        if log != self.address.to_string() {
            let entry = log.chars().take(80).collect();
            return Err(JavaScriptError::OtherLog { entry, log: self.address });
        }
        let mut may_write = || {
            let identity = IdentityBlock::decode(&block(&entry.text("identity").parse().ok()?)?).ok()?;
            identity.verify().ok()?;
            self.access.allows(&identity.id.to_string()).then_some(())
        };
        may_write().ok_or(JavaScriptError::Denied(entry.hash()))?;
        entry.verify()
    }

    /// The entries, newest first: exactly in JavaScript's order, even where clocks lie. That follows from how it reads:
    /// before each entry, what has been fetched is sorted, and one more level of what that follows is fetched.
    pub fn traverse(&self) -> Vec<Hash> {
        let next = |hash: &Hash| self.entries[hash].next().iter().copied();
        let mut stack = self.heads();
        let (mut traversed, mut fetched) = (HashSet::new(), HashSet::new());
        let mut pending: Vec<Hash> = Vec::new();
        let mut order = Vec::new();
        loop {
            self.sort(&mut stack);
            let Some(hash) = stack.pop() else { break };
            if !traversed.insert(hash) {
                continue;
            }
            order.push(hash);
            fetched.insert(hash);
            pending.extend(next(&hash));
            // `insert` says which of the pending are fetched for the first time
            let ahead: Vec<Hash> = pending.drain(..).filter(|hash| fetched.insert(*hash)).collect();
            let mut known = HashSet::new();
            pending =
                ahead.iter().flat_map(next).filter(|hash| !fetched.contains(hash) && known.insert(*hash)).collect();
            stack.splice(0..0, ahead);
        }
        order
    }

    /// Sorts oldest first; what JavaScript cannot tell apart stays as it was.
    fn sort(&self, hashes: &mut [Hash]) {
        hashes.sort_by(|a, b| self.entries[a].compare(&self.entries[b]));
    }
}
