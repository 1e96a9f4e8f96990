//! [`Encoder`]: DAG-CBOR, written piece by piece.

/// Writes DAG-CBOR piece by piece, where a value would have to be built only to be written: the frame of an entry
/// around a payload that is already encoded.
#[derive(Default)]
pub(crate) struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    pub(crate) fn with_capacity(capacity: usize) -> Encoder {
        Encoder { bytes: Vec::with_capacity(capacity) }
    }

    fn head(&mut self, major: u8, argument: u64) {
        let major = major << 5;
        match argument {
            0..=0x17 => self.bytes.push(major | argument as u8),
            0x18..=0xff => self.bytes.extend([major | 24, argument as u8]),
            0x100..=0xffff => {
                self.bytes.push(major | 25);
                self.bytes.extend((argument as u16).to_be_bytes());
            }
            0x1_0000..=0xffff_ffff => {
                self.bytes.push(major | 26);
                self.bytes.extend((argument as u32).to_be_bytes());
            }
            _ => {
                self.bytes.push(major | 27);
                self.bytes.extend(argument.to_be_bytes());
            }
        }
    }

    pub(crate) fn uint(&mut self, value: u64) -> &mut Encoder {
        self.head(0, value);
        self
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Encoder {
        self.head(2, bytes.len() as u64);
        self.encoded(bytes)
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Encoder {
        self.head(3, text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    /// Begins an array of `len` items.
    pub(crate) fn array(&mut self, len: usize) -> &mut Encoder {
        self.head(4, len as u64);
        self
    }

    /// Begins a map of `len` pairs. The caller writes its keys in canonical order.
    pub(crate) fn map(&mut self, len: usize) -> &mut Encoder {
        self.head(5, len as u64);
        self
    }

    /// Bytes that are DAG-CBOR already.
    pub(crate) fn encoded(&mut self, bytes: &[u8]) -> &mut Encoder {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use debros_core::Value;

    #[test]
    fn heads_are_as_short_as_they_can_be() {
        for n in [0, 23, 24, 255, 256, 65_535, 65_536, u64::from(u32::MAX), 1 << 32, u64::MAX] {
            let mut encoder = Encoder::default();
            encoder.uint(n);
            assert_eq!(encoder.finish(), Value::from(n).to_dag_cbor().unwrap(), "{n}");
        }
    }
}
