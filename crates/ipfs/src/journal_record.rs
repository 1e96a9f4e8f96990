use crate::{
    block::sha256,
    cbor_head::{head_len, push_head, read_head},
    store_mark::StoreMark,
    varint::{push_varint, varint_len},
};

/// First bytes of every journal record: CBOR for an array of nine, the first of which is the text `debros-journal`,
/// the second the version 1, and the third sixteen bytes (the mark of the store).
const MAGIC: [u8; 18] = *b"\x89\x6edebros-journal\x01\x50";
/// Length of what all records of a store begin with: the magic and the mark.
pub(crate) const PREFIX_LEN: usize = 34;
/// Bytes of a CID of a record: version 1, raw codec, sha2-256, 32 bytes.
pub(crate) const CID_PREFIX: [u8; 4] = [0x01, 0x55, 0x12, 0x20];
/// Length of a record's CID.
pub(crate) const CID_LEN: usize = 36;
/// Offset of the array of operations in a record.
const OPS_AT: usize = PREFIX_LEN + 91;

/// The last section of every group: what was done with its blocks, chained to the record before it.
///
/// CBOR: `["debros-journal", 1, mark, sequence, synced, blocks, previous, heads, [op, ..]]`, the three numbers in 8, 8 and 4
/// bytes so that their places are fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JournalRecord {
    /// Counts the groups of the store, from 1, over all segments.
    pub(crate) sequence: u64,
    /// How many bytes of this file were known to be on the disk when the record was written.
    pub(crate) synced: u64,
    /// Number of blocks of the group: the sections between the record before and this one.
    pub(crate) blocks: u32,
    /// SHA-256 of the record before it in the file; of the file's header in the first one.
    pub(crate) previous: [u8; 32],
    /// SHA-256 of what frames the blocks: the length and CID of each. Their content is covered by their CIDs.
    pub(crate) heads: [u8; 32],
    /// The operations, opaque to the store.
    pub(crate) ops: Vec<Vec<u8>>,
}

/// What all journal records of a store begin with. A block that begins so is refused: only somebody who knows the
/// mark of this store can make one, so no record is ever confused with a block.
pub(crate) fn prefix(mark: &StoreMark) -> [u8; PREFIX_LEN] {
    let mut prefix = [0; PREFIX_LEN];
    prefix[..MAGIC.len()].copy_from_slice(&MAGIC);
    prefix[MAGIC.len()..].copy_from_slice(mark.bytes());
    prefix
}

/// Length of the CID and record of a group with these operations.
fn body_len(ops: &[Vec<u8>]) -> u32 {
    let ops_len: usize = ops.iter().map(|op| head_len(op.len()) + op.len()).sum();
    (CID_LEN + OPS_AT + head_len(ops.len()) + ops_len) as u32
}

/// Length of the whole section (varint, CID, record) of a group with these operations.
pub(crate) fn section_len(ops: &[Vec<u8>]) -> u32 {
    let body = body_len(ops);
    varint_len(body) + body
}

/// The section of a record, and its hash, which the next record names as the previous one.
pub(crate) fn section(record: &JournalRecord, mark: &StoreMark) -> (Vec<u8>, [u8; 32]) {
    let body = body_len(&record.ops);
    let mut bytes = Vec::with_capacity((varint_len(body) + body) as usize);
    push_varint(&mut bytes, body);
    bytes.extend_from_slice(&CID_PREFIX);
    let digest_at = bytes.len();
    bytes.extend_from_slice(&[0; 32]);
    let data_at = bytes.len();
    bytes.extend_from_slice(&prefix(mark));
    bytes.push(0x1b);
    bytes.extend_from_slice(&record.sequence.to_be_bytes());
    bytes.push(0x1b);
    bytes.extend_from_slice(&record.synced.to_be_bytes());
    bytes.push(0x1a);
    bytes.extend_from_slice(&record.blocks.to_be_bytes());
    bytes.extend_from_slice(&[0x58, 0x20]);
    bytes.extend_from_slice(&record.previous);
    bytes.extend_from_slice(&[0x58, 0x20]);
    bytes.extend_from_slice(&record.heads);
    push_head(&mut bytes, 0x80, record.ops.len());
    for op in &record.ops {
        push_head(&mut bytes, 0x40, op.len());
        bytes.extend_from_slice(op);
    }
    debug_assert_eq!(bytes.len() as u32, section_len(&record.ops));
    let digest = sha256(&bytes[data_at..]);
    bytes[digest_at..data_at].copy_from_slice(&digest);
    (bytes, digest)
}

/// Reads a record; `None` unless the bytes are exactly what [`section`] writes for it.
pub(crate) fn decode(data: &[u8], mark: &StoreMark) -> Option<JournalRecord> {
    let fixed = data.get(..OPS_AT)?.strip_prefix(&prefix(mark))?;
    let (sequence, fixed) = fixed.strip_prefix(&[0x1b])?.split_first_chunk::<8>()?;
    let (synced, fixed) = fixed.strip_prefix(&[0x1b])?.split_first_chunk::<8>()?;
    let (blocks, fixed) = fixed.strip_prefix(&[0x1a])?.split_first_chunk::<4>()?;
    let (previous, fixed) = fixed.strip_prefix(&[0x58, 0x20])?.split_first_chunk::<32>()?;
    let heads = fixed.strip_prefix(&[0x58, 0x20])?;
    let mut rest = &data[OPS_AT..];
    let count = read_head(&mut rest, 0x80)?;
    // Every operation takes at least one byte, so a count beyond the bytes is refused before memory is asked for.
    if count > rest.len() {
        return None;
    }
    let mut ops = Vec::with_capacity(count);
    for _ in 0..count {
        let len = read_head(&mut rest, 0x40)?;
        let (op, after) = rest.split_at_checked(len)?;
        ops.push(op.to_vec());
        rest = after;
    }
    rest.is_empty().then_some(JournalRecord {
        sequence: u64::from_be_bytes(*sequence),
        synced: u64::from_be_bytes(*synced),
        blocks: u32::from_be_bytes(*blocks),
        previous: *previous,
        heads: heads.try_into().ok()?,
        ops,
    })
}

/// The digest in the bytes of a record's CID, if they are those of one.
pub(crate) fn cid_digest(cid: &[u8]) -> Option<[u8; 32]> {
    cid.strip_prefix(&CID_PREFIX)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::varint::read_varint;
    use ciborium::Value;
    use proptest::prelude::*;

    const MARK: StoreMark = StoreMark::from_bytes([3; 16]);

    fn data(section: &[u8]) -> &[u8] {
        let (len, at) = read_varint(section).unwrap();
        assert_eq!(section.len(), at + len as usize);
        &section[at + CID_LEN..]
    }

    #[test]
    fn a_record_is_cbor_that_others_read() {
        let record = JournalRecord {
            sequence: 5,
            synced: 1 << 33,
            blocks: 2,
            previous: [9; 32],
            heads: [8; 32],
            ops: vec![b"op".to_vec(), vec![], vec![1; 300]],
        };
        let (section, digest) = section(&record, &MARK);
        let data = data(&section);
        assert_eq!(sha256(data), digest);
        let value: Value = ciborium::from_reader(data).unwrap();
        let bytes = |b: &[u8]| Value::Bytes(b.to_vec());
        assert_eq!(
            value,
            Value::Array(vec![
                Value::Text("debros-journal".into()),
                Value::Integer(1.into()),
                bytes(&[3; 16]),
                Value::Integer(5.into()),
                Value::Integer((1u64 << 33).into()),
                Value::Integer(2.into()),
                bytes(&[9; 32]),
                bytes(&[8; 32]),
                Value::Array(vec![bytes(b"op"), bytes(b""), bytes(&[1; 300])]),
            ])
        );
    }

    #[test]
    fn a_count_of_operations_that_cannot_be_there_is_refused() {
        let record =
            JournalRecord { sequence: 1, synced: 0, blocks: 0, previous: [0; 32], heads: [0; 32], ops: vec![] };
        let (section, _) = section(&record, &MARK);
        let mut data = data(&section).to_vec();
        data.truncate(OPS_AT);
        data.extend_from_slice(&[0x9a, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(decode(&data, &MARK), None);
    }

    proptest! {
        #[test]
        fn records_round_trip(sequence: u64, synced: u64, blocks: u32, previous: [u8; 32], heads: [u8; 32],
            ops in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..40))
        {
            let record = JournalRecord { sequence, synced, blocks, previous, heads, ops };
            let (section, digest) = section(&record, &MARK);
            prop_assert_eq!(section.len() as u32, section_len(&record.ops));
            prop_assert_eq!(sha256(data(&section)), digest);
            prop_assert_eq!(decode(data(&section), &MARK), Some(record));
        }

        #[test]
        fn whatever_decodes_is_what_would_be_written(mut bytes in prop::collection::vec(any::<u8>(), 0..60), flip: prop::sample::Index) {
            let record = JournalRecord { sequence: 1, synced: 2, blocks: 3, previous: [4; 32], heads: [5; 32], ops: vec![bytes.clone(), b"x".to_vec()] };
            let (whole, _) = section(&record, &MARK);
            bytes = data(&whole).to_vec();
            let at = flip.index(bytes.len());
            bytes[at] ^= 0x41;
            if let Some(read) = decode(&bytes, &MARK) {
                let (again, _) = section(&read, &MARK);
                prop_assert_eq!(data(&again), &bytes[..]);
            }
        }
    }
}
