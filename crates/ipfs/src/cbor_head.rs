//! Heads of CBOR items ([RFC 8949, section 3](https://www.rfc-editor.org/rfc/rfc8949#section-3)).

/// How many bytes a head takes.
pub(crate) fn head_len(n: usize) -> usize {
    match n {
        0..=23 => 1,
        24..=0xff => 2,
        0x100..=0xffff => 3,
        _ => 5,
    }
}

/// Writes the shortest head: a major type (in the upper three bits) and a number of at most 32 bits.
pub(crate) fn push_head(bytes: &mut Vec<u8>, major: u8, n: usize) {
    match n {
        0..=23 => bytes.push(major | n as u8),
        24..=0xff => bytes.extend_from_slice(&[major | 24, n as u8]),
        0x100..=0xffff => {
            bytes.push(major | 25);
            bytes.extend_from_slice(&(n as u16).to_be_bytes());
        }
        _ => {
            bytes.push(major | 26);
            bytes.extend_from_slice(&(n as u32).to_be_bytes());
        }
    }
}

/// Reads a head of this major type in its shortest form, of at most 32 bits.
pub(crate) fn read_head(bytes: &mut &[u8], major: u8) -> Option<usize> {
    let (first, rest) = bytes.split_first()?;
    if first & 0xe0 != major {
        return None;
    }
    let extra = match first & 0x1f {
        small @ 0..=23 => {
            *bytes = rest;
            return Some(usize::from(small));
        }
        24 => 1,
        25 => 2,
        26 => 4,
        _ => return None,
    };
    let (number, rest) = rest.split_at_checked(extra)?;
    let n = number.iter().fold(0usize, |n, byte| n << 8 | usize::from(*byte));
    *bytes = rest;
    (head_len(n) == extra + 1).then_some(n)
}
