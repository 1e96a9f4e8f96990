use std::fmt;

/// Names an ordered table of derived state: byte keys to byte values, sorted by the bytes of the key.
///
/// Tables come into being with their first row. Names that begin with a control character belong to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Table(pub &'static str);

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
