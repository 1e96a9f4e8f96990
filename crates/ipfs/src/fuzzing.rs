//! What fuzzing reaches that is not public otherwise.

use crate::{journal_record, store_mark::StoreMark};

/// The data of a journal record with these operations, as a store with this mark writes it.
pub fn write_record(mark: [u8; 16], sequence: u64, ops: Vec<Vec<u8>>) -> Vec<u8> {
    let record =
        journal_record::JournalRecord { sequence, synced: 58, blocks: 0, previous: [1; 32], heads: [2; 32], ops };
    let mark = StoreMark::from_bytes(mark);
    data_of(journal_record::section(&record, &mark).0)
}

/// What would be written for the journal record, of a store with this mark, that these bytes are; `None` if they are none.
pub fn journal_record(mark: [u8; 16], data: &[u8]) -> Option<Vec<u8>> {
    let mark = StoreMark::from_bytes(mark);
    let record = journal_record::decode(data, &mark)?;
    Some(data_of(journal_record::section(&record, &mark).0))
}

/// The content of a section: what follows its length and CID.
fn data_of(section: Vec<u8>) -> Vec<u8> {
    let at = section.iter().position(|byte| byte & 0x80 == 0).map_or(0, |last| last + 1) + journal_record::CID_LEN;
    section[at..].to_vec()
}

/// The contents of the blocks of a file that a daemon exported, which arrives in pieces of this length.
///
/// # Errors
/// If it is cut off, no such file, or a block is not what its CID says.
#[cfg(feature = "kubo")]
pub fn exported_blocks(file: &[u8], piece: usize) -> Result<Vec<crate::Bytes>, crate::KuboError> {
    use futures::{executor::block_on, stream};
    let pieces: Vec<_> = file.chunks(piece.max(1)).map(|piece| Ok(crate::Bytes::copy_from_slice(piece))).collect();
    let mut blocks = crate::ExportedBlocks::new(Box::new(stream::iter(pieces)), "http://daemon".to_owned());
    block_on(async {
        let mut all = Vec::new();
        while let Some((_, data)) = blocks.next().await? {
            all.push(data);
        }
        Ok(all)
    })
}
