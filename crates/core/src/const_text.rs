//! [`ConstText`]: a text put together while the program compiles, for the messages of checks.

/// A text of at most 300 bytes, put together by the compiler: `panic!` in constants takes no arguments but one text.
pub(crate) struct ConstText {
    bytes: [u8; 300],
    len: usize,
}

impl ConstText {
    /// An empty text.
    pub(crate) const fn new() -> ConstText {
        ConstText { bytes: [0; 300], len: 0 }
    }

    /// Appends a text; what does not fit is left out, at a boundary of characters.
    #[must_use]
    pub(crate) const fn add(mut self, text: &str) -> ConstText {
        let text = text.as_bytes();
        let mut end = text.len();
        if self.len + end > self.bytes.len() {
            end = self.bytes.len() - self.len;
            while end > 0 && text[end] & 0xc0 == 0x80 {
                end -= 1;
            }
        }
        let mut at = 0;
        while at < end {
            self.bytes[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
        self
    }

    /// The text.
    pub(crate) const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    /// Are these texts the same? `==` is not for constants.
    pub(crate) const fn same(a: &str, b: &str) -> bool {
        let (a, b) = (a.as_bytes(), b.as_bytes());
        if a.len() != b.len() {
            return false;
        }
        let mut at = 0;
        while at < a.len() {
            if a[at] != b[at] {
                return false;
            }
            at += 1;
        }
        true
    }
}

impl Default for ConstText {
    fn default() -> ConstText {
        ConstText::new()
    }
}
