//! A hash over what a log means.

use super::{
    Core, DocumentRow, StateError,
    tables::{DOCUMENTS, TOMBSTONES, key_of, past},
};
use crate::{DatabaseInfo, Hash};
use debros_ipfs::ReadState;
use sha2::{Digest as _, Sha256};

/// Begins what is hashed, and names its form.
const FORM: &[u8] = b"debros state 1";

/// A hash over what the log of a database means, which does not depend on how this node came to know it: the sorted heads;
/// then, key by key, the entry that a key holds and whether it is a row, and who was first to put something there; then the
/// same of deletions. Numbers of databases and identities, and positions, are this node's own and not in it.
pub(crate) fn state_hash(state: &dyn ReadState, core: &Core, database: &DatabaseInfo) -> Result<[u8; 32], StateError> {
    let mut hash = Sha256::new();
    hash.update(FORM);
    hash.update(database.address.manifest().digest());
    let mut heads: Vec<Hash> = core.log(state, database.id)?.heads.iter().map(|head| head.hash).collect();
    heads.sort_unstable();
    hash.update((heads.len() as u64).to_be_bytes());
    for head in heads {
        hash.update(head.digest());
    }
    let prefix = key_of(database.id, &[]);
    for table in [DOCUMENTS, TOMBSTONES] {
        hash.update([0xff]);
        for row in state.scan(table, &prefix, past(&prefix).as_deref(), false) {
            let (key, row) = row?;
            let row = DocumentRow::from_bytes(&row)
                .ok_or_else(|| StateError::Broken(format!("a row of database {} is unreadable", database.id)))?;
            let key = &key[prefix.len()..];
            hash.update((key.len() as u64).to_be_bytes());
            hash.update(key);
            hash.update(Hash::of(&state.block_at(row.position)?).digest());
            hash.update([u8::from(row.problem)]);
            // of a deletion it matters who was first only where something is known to have been there
            if let Some(first) = row.first {
                hash.update(core.author(state, first.author)?.key.as_bytes());
                hash.update(first.time.to_be_bytes());
            }
        }
    }
    Ok(hash.finalize().into())
}
