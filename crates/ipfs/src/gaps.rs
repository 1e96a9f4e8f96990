//! What stands in a rewritten segment for the blocks that were taken out of it.

use cid::Cid;

use crate::{
    block::sha256,
    car::{HEADER_LEN, push_section},
    journal_record::{CID_LEN, CID_PREFIX},
    store_mark::StoreMark,
    varint::{MAX_VARINT, read_varint, varint_len},
};

/// CBOR for an array of four, the first of which is this text, the second the version 1, and the third sixteen bytes (the mark
/// of the store): the table of the gaps.
const TABLE: [u8; 15] = *b"\x84\x6bdebros-gaps\x01\x50";
/// The same, of the heads of the blocks that are gone.
const HEADS: [u8; 15] = *b"\x84\x6bdebros-gone\x01\x50";
/// Magic, mark, and the head of the byte string that is the fourth item: five bytes.
const CONTENT_AT: usize = 36;
/// Where a gap begins, how many bytes were there, and how many stand for them: four bytes each.
const ENTRY: usize = 12;
/// Most blocks that one gap stands for, so that looking into it takes little.
pub(crate) const MAX_BLOCKS: usize = 4096;

/// Where blocks were taken out of a segment file.
///
/// Every offset that anybody knows of counts bytes as they were before. This says where they are now.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    gaps: Vec<Gap>,
    /// Bytes that the table takes, behind the header of the file.
    table_len: u32,
    /// How often the file was rewritten.
    generation: u32,
}

/// A place from which blocks were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Offset of what was there.
    pub(crate) at: u32,
    /// Its length.
    pub(crate) len: u32,
    /// Length of the section that stands for it.
    pub(crate) stands: u32,
    /// Where that section is in the file.
    pub(crate) stands_at: u64,
}

impl Gap {
    pub(crate) fn end(&self) -> u32 {
        self.at + self.len
    }
}

impl Gaps {
    /// Of gaps in order, whose places in the file follow from each other.
    pub(crate) fn new(generation: u32, mut gaps: Vec<Gap>) -> Gaps {
        let table_len = table_len(gaps.len());
        let (mut at, mut place) = (HEADER_LEN, u64::from(HEADER_LEN) + u64::from(table_len));
        for gap in &mut gaps {
            gap.stands_at = place + u64::from(gap.at - at);
            place = gap.stands_at + u64::from(gap.stands);
            at = gap.end();
        }
        Gaps { gaps, table_len, generation }
    }

    /// How often the file was rewritten.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    pub(crate) fn all(&self) -> &[Gap] {
        &self.gaps
    }

    /// The gap in which this byte was.
    pub(crate) fn at(&self, offset: u64) -> Option<&Gap> {
        let next = self.gaps.partition_point(|gap| u64::from(gap.end()) <= offset);
        self.gaps.get(next).filter(|gap| u64::from(gap.at) <= offset)
    }

    /// Where a byte that was not taken out is now, and how many bytes lie between it and the next gap.
    pub(crate) fn place(&self, offset: u64) -> (u64, u64) {
        let next = self.gaps.partition_point(|gap| u64::from(gap.end()) <= offset);
        let until = self.gaps.get(next).map_or(u64::MAX, |gap| u64::from(gap.at).saturating_sub(offset));
        let place = match next.checked_sub(1).map(|before| &self.gaps[before]) {
            Some(before) => before.stands_at + u64::from(before.stands) + (offset - u64::from(before.end())),
            None => offset + if offset < u64::from(HEADER_LEN) { 0 } else { u64::from(self.table_len) },
        };
        (place, until)
    }

    /// How long a file of this length was before.
    pub(crate) fn len_before(&self, len: u64) -> u64 {
        let (taken, stand): (u64, u64) =
            self.gaps.iter().fold((0, u64::from(self.table_len)), |(taken, stand), gap| {
                (taken + u64::from(gap.len), stand + u64::from(gap.stands))
            });
        (len + taken).saturating_sub(stand)
    }

    /// The section of the table.
    pub(crate) fn table(&self, mark: &StoreMark) -> Vec<u8> {
        let mut entries = Vec::with_capacity(4 + self.gaps.len() * ENTRY);
        entries.extend_from_slice(&self.generation.to_be_bytes());
        for gap in &self.gaps {
            for number in [gap.at, gap.len, gap.stands] {
                entries.extend_from_slice(&number.to_be_bytes());
            }
        }
        section(&TABLE, mark, &entries)
    }

    /// Reads what [`Gaps::table`] wrote from the section at the beginning of `bytes`; `None` if it is damaged, or none.
    pub(crate) fn read(bytes: &[u8], mark: &StoreMark) -> Option<Gaps> {
        let (generation, entries) = content(bytes, &TABLE, mark)?.split_first_chunk::<4>()?;
        let (entries, rest) = entries.as_chunks::<ENTRY>();
        if !rest.is_empty() {
            return None;
        }
        let mut at = HEADER_LEN;
        let mut gaps = Vec::with_capacity(entries.len());
        for entry in entries {
            let number = |from: usize| entry[from..from + 4].try_into().map(u32::from_be_bytes).ok();
            let gap = Gap { at: number(0)?, len: number(4)?, stands: number(8)?, stands_at: 0 };
            if gap.at < at || gap.len == 0 {
                return None;
            }
            at = gap.at.checked_add(gap.len)?;
            gaps.push(gap);
        }
        Some(Gaps::new(u32::from_be_bytes(*generation), gaps))
    }
}

/// How long the section of a table is.
fn table_len(gaps: usize) -> u32 {
    let body = (CID_LEN + CONTENT_AT + 4 + gaps * ENTRY) as u32;
    varint_len(body) + body
}

/// The length of the section that begins here, with that of its length; `None` if there is none.
pub(crate) fn section_len(bytes: &[u8]) -> Option<u64> {
    let (len, varint) = read_varint(bytes)?;
    Some(u64::from(len) + varint as u64)
}

/// How many bytes must be looked at to know it.
pub(crate) const LEN_BYTES: usize = MAX_VARINT;

/// The section that stands for blocks with these heads (the length and CID of each, one after the other).
pub(crate) fn stand_in(heads: &[u8], mark: &StoreMark) -> Vec<u8> {
    section(&HEADS, mark, heads)
}

/// What was in a gap, as far as it is known: `out` gets the bytes from `from` on (counted from the beginning of the gap), with the
/// heads of the blocks, and zeros for their contents. What cannot be read stays zero.
pub(crate) fn fill(stand_in: &[u8], mark: &StoreMark, from: u64, out: &mut [u8]) {
    let Some(mut heads) = content(stand_in, &HEADS, mark) else { return };
    let (mut at, until) = (0, from + out.len() as u64);
    while !heads.is_empty() && at < until {
        let Some(head) = head_len(heads) else { return };
        let Some(len) = section_len(heads) else { return };
        let bytes;
        (bytes, heads) = heads.split_at(head);
        for (n, byte) in bytes.iter().enumerate() {
            if let Some(place) = (at + n as u64).checked_sub(from).and_then(|place| out.get_mut(place as usize)) {
                *place = *byte;
            }
        }
        at += len;
    }
}

/// How long the head of the section at the beginning of `bytes` is.
fn head_len(bytes: &[u8]) -> Option<usize> {
    let (len, varint) = read_varint(bytes)?;
    let mut rest = bytes.get(varint..)?;
    let before = rest.len();
    Cid::read_bytes(&mut rest).ok()?;
    let cid = before - rest.len();
    (cid <= len as usize).then_some(varint + cid)
}

/// Whether a block would pass for one of these sections.
pub(crate) fn is_reserved(data: &[u8], mark: &StoreMark) -> bool {
    [TABLE, HEADS].iter().any(|magic| data.strip_prefix(magic).is_some_and(|rest| rest.starts_with(mark.bytes())))
}

fn section(magic: &[u8; 15], mark: &StoreMark, content: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(CONTENT_AT + content.len());
    data.extend_from_slice(magic);
    data.extend_from_slice(mark.bytes());
    data.push(0x5a);
    data.extend_from_slice(&(content.len() as u32).to_be_bytes());
    data.extend_from_slice(content);
    let cid = [&CID_PREFIX[..], &sha256(&data)].concat();
    let mut bytes = Vec::new();
    push_section(&mut bytes, &cid, &data);
    bytes
}

/// The content of the section at the beginning of `bytes`, if it is exactly one that [`section`] makes.
fn content<'b>(bytes: &'b [u8], magic: &[u8; 15], mark: &StoreMark) -> Option<&'b [u8]> {
    let (len, varint) = read_varint(bytes)?;
    let body = bytes.get(varint..)?.get(..len as usize)?;
    let (cid, data) = body.split_at_checked(CID_LEN)?;
    let content = data.get(CONTENT_AT..)?;
    let right = cid.strip_prefix(&CID_PREFIX)? == sha256(data)
        && data.strip_prefix(magic)?.strip_prefix(mark.bytes())?.strip_prefix(&[0x5a])?[..4]
            == (content.len() as u32).to_be_bytes();
    right.then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        block::{RAW, SHA2_256},
        car::push_section_head,
    };
    use cid::multihash::Multihash;
    use proptest::prelude::*;

    const MARK: StoreMark = StoreMark::from_bytes([3; 16]);

    fn cid(n: u8) -> Cid {
        Cid::new_v1(RAW, Multihash::wrap(SHA2_256, &sha256(&[n])).unwrap())
    }

    fn gap(at: u32, len: u32, stands: u32) -> Gap {
        Gap { at, len, stands, stands_at: 0 }
    }

    #[test]
    fn offsets_of_before_are_found() {
        let gaps = Gaps::new(1, vec![gap(58, 1000, 100), gap(2000, 500, 90), gap(2500, 300, 80)]);
        let table = u64::from(table_len(3));
        assert_eq!(gaps.table(&MARK).len() as u64, table);
        assert_eq!(gaps.place(0), (0, 58));
        assert_eq!(gaps.at(57), None);
        assert_eq!(gaps.at(58).unwrap().stands_at, 58 + table);
        assert_eq!(gaps.at(1057).unwrap().at, 58);
        assert_eq!(gaps.at(1058), None);
        assert_eq!(gaps.place(1058), (58 + table + 100, 942));
        assert_eq!(gaps.at(2000).unwrap().stands_at, 58 + table + 100 + 942);
        assert_eq!(gaps.at(2500).unwrap().stands_at, 58 + table + 100 + 942 + 90);
        assert_eq!(gaps.place(2800), (58 + table + 100 + 942 + 90 + 80, u64::MAX));
        assert_eq!(gaps.len_before(58 + table + 100 + 942 + 90 + 80 + 7), 2807);
        let none = Gaps::default();
        assert_eq!((none.place(58), none.at(58).is_none(), none.len_before(99)), ((58, u64::MAX), true, 99));
    }

    #[test]
    fn a_table_survives_bytes_and_damage_is_seen() {
        let gaps = Gaps::new(1, vec![gap(58, 1000, 100), gap(2000, 500, 90)]);
        let bytes = gaps.table(&MARK);
        assert_eq!(Gaps::read(&[&bytes[..], b"more"].concat(), &MARK).unwrap().all(), gaps.all());
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 1;
            assert!(Gaps::read(&broken, &MARK).is_none(), "{at}");
            assert!(Gaps::read(&bytes[..at], &MARK).is_none(), "{at}");
        }
        assert!(Gaps::read(&bytes, &StoreMark::from_bytes([4; 16])).is_none());
        for wrong in [vec![gap(57, 1, 1)], vec![gap(58, 0, 1)], vec![gap(70, 5, 1), gap(74, 5, 1)]] {
            let entries = wrong.iter().flat_map(|gap| [gap.at, gap.len, gap.stands]);
            let entries: Vec<u8> = [1].into_iter().chain(entries).flat_map(u32::to_be_bytes).collect();
            assert!(Gaps::read(&section(&TABLE, &MARK, &entries), &MARK).is_none());
        }
    }

    proptest! {
        #[test]
        fn what_is_filled_in_has_the_heads_in_their_places(lens in prop::collection::vec(0..300_u32, 1..20),
            from: prop::sample::Index, len in 0..400_usize)
        {
            let (mut heads, mut before) = (Vec::new(), Vec::new());
            for (n, len) in lens.iter().enumerate() {
                for bytes in [&mut heads, &mut before] {
                    push_section_head(bytes, &cid(n as u8).to_bytes(), *len);
                }
                before.resize(before.len() + *len as usize, 0);
            }
            let stand_in = stand_in(&heads, &MARK);
            let from = from.index(before.len());
            let mut out = vec![0; len.min(before.len() - from)];
            fill(&stand_in, &MARK, from as u64, &mut out);
            prop_assert_eq!(&out[..], &before[from..from + out.len()]);
            // what is damaged, or of another store, stays zero
            let mut zeros = vec![0; out.len()];
            let mut broken = stand_in.clone();
            broken[60] ^= 1;
            fill(&broken, &MARK, from as u64, &mut zeros);
            prop_assert!(zeros.iter().all(|byte| *byte == 0));
            prop_assert!(is_reserved(&stand_in[stand_in.len() - CONTENT_AT - heads.len()..], &MARK));
        }
    }
}
