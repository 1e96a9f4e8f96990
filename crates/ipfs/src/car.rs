use crate::{
    block::sha256,
    store_mark::StoreMark,
    varint::{push_varint, varint_len},
};

/// Length of the header of a segment file, in bytes: its first group begins here.
pub(crate) const HEADER_LEN: u32 = 58;
/// Where in the header it stands how often the segment was rewritten.
pub(crate) const GENERATION: std::ops::Range<usize> = 29..33;

/// The header section of a segment: a CARv1 header whose one root is an identity CID (raw codec) of `debros1`, the
/// number of the segment, its generation (0, and one more each time that it is rewritten) and the mark of the store, so that files
/// that were swapped, renamed or taken from elsewhere are noticed.
pub(crate) fn header(segment: u32, mark: &StoreMark) -> [u8; HEADER_LEN as usize] {
    let mut header = [0; HEADER_LEN as usize];
    header[..25].copy_from_slice(b"\x39\xa2\x65roots\x81\xd8\x2a\x58\x24\x00\x01\x55\x00\x1fdebros1");
    header[25..29].copy_from_slice(&segment.to_be_bytes());
    header[33..49].copy_from_slice(mark.bytes());
    header[49..].copy_from_slice(b"\x67version\x01");
    header
}

/// What the first journal record of a segment names as its previous record: the hash of the segment's header.
pub(crate) fn chain_root(segment: u32, mark: &StoreMark) -> [u8; 32] {
    sha256(&header(segment, mark))
}

/// Adds a section: the length of CID and data, the CID, the data.
pub(crate) fn push_section(bytes: &mut Vec<u8>, cid: &[u8], data: &[u8]) {
    let len = (cid.len() + data.len()) as u32;
    bytes.reserve(varint_len(len) as usize + len as usize);
    push_section_head(bytes, cid, data.len() as u32);
    bytes.extend_from_slice(data);
}

/// Adds what stands before the data of a section: the length of CID and data, and the CID.
pub(crate) fn push_section_head(bytes: &mut Vec<u8>, cid: &[u8], data_len: u32) {
    push_varint(bytes, cid.len() as u32 + data_len);
    bytes.extend_from_slice(cid);
}

/// Name of a segment file.
pub(crate) fn segment_name(segment: u32) -> String {
    format!("{segment:010}.car")
}

/// Name of the index file of a sealed segment.
pub(crate) fn index_name(segment: u32) -> String {
    format!("{segment:010}.index")
}

/// The number in the name of a segment file, if it is one.
pub(crate) fn segment_number(name: &str) -> Option<u32> {
    let number = name.strip_suffix(".car")?.parse().ok()?;
    (name == segment_name(number) && number > 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ciborium::Value;
    use cid::Cid;

    #[test]
    fn the_header_is_a_car_header_with_the_number_of_the_segment() {
        let header = header(0x0102_0304, &StoreMark::from_bytes([7; 16]));
        assert_eq!(usize::from(header[0]), header.len() - 1);
        let value: Value = ciborium::from_reader(&header[1..]).unwrap();
        let map = value.into_map().unwrap();
        assert_eq!(map[0].0, Value::Text("roots".into()));
        assert_eq!(map[1], (Value::Text("version".into()), Value::Integer(1.into())));
        let root = map[0].1.as_array().unwrap()[0].as_tag().unwrap();
        assert_eq!(root.0, 42);
        let bytes = root.1.as_bytes().unwrap();
        assert_eq!(bytes[0], 0);
        let cid = Cid::try_from(&bytes[1..]).unwrap();
        assert_eq!((cid.codec(), cid.hash().code()), (0x55, 0));
        assert_eq!(cid.hash().digest(), [b"debros1\x01\x02\x03\x04\0\0\0\0".as_slice(), &[7; 16]].concat());
    }

    #[test]
    fn names_and_numbers() {
        assert_eq!(segment_name(7), "0000000007.car");
        assert_eq!(segment_number("0000000007.car"), Some(7));
        for name in ["7.car", "0000000000.car", "0000000007.index", "+000000007.car", "0000000007.car.torn", "x"] {
            assert_eq!(segment_number(name), None, "{name}");
        }
        assert_eq!(segment_number("4294967295.car"), Some(u32::MAX));
        assert_eq!(segment_number("4294967296.car"), None);
    }
}
