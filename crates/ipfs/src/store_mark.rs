/// Sixteen random bytes, made with the store, that tell its journal records from anything that others could put into
/// its blocks. They never leave the data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoreMark([u8; 16]);

impl StoreMark {
    pub(crate) fn random() -> std::io::Result<StoreMark> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        Ok(StoreMark(bytes))
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> StoreMark {
        StoreMark(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// 32 hexadecimal digits.
    pub(crate) fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn from_hex(hex: &str) -> Option<StoreMark> {
        if hex.len() != 32 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 16];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()?;
        }
        Some(StoreMark(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_and_nothing_else_is_taken() {
        let mark = StoreMark::random().unwrap();
        assert_eq!(StoreMark::from_hex(&mark.to_hex()), Some(mark));
        assert_eq!(StoreMark::from_hex(&mark.to_hex()[1..]), None);
        assert_eq!(StoreMark::from_hex("+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1"), None);
        assert_eq!(StoreMark::from_hex("ä234567890123456789012345678901"), None);
    }
}
