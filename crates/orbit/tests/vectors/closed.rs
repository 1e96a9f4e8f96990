//! For whoever judges the hostile entries of the vectors.

/// What JavaScript accepts and we do not: the holes of its checks.
pub(crate) const CLOSED: [&str; 12] = [
    "B's identity hash, but key and signature are mallory's",
    "B's identity hash, B's clock id, but key and signature are mallory's",
    "A's identity hash on B's key and signature",
    "v = 1, signed",
    "extra unsigned field",
    "clock.id is another key",
    "clock.time huge",
    "clock.time negative",
    "clock.time fraction",
    "clock.time a string",
    "valid content, non-canonical map order",
    "float32 in payload, signature over the canonical float64 bytes",
];
