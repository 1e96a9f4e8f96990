//! How large what we write, and what we take from others, may be.

/// The most bytes of a block that this node writes: 1 MiB. Kubo takes 2 MiB, JavaScript's exchange of heads 256 KiB.
pub const MAX_WRITTEN: usize = 1 << 20;
/// The most bytes of a block that is accepted from others: 4 MiB, what pubsub and bitswap carry.
pub const MAX_ACCEPTED: usize = 4 << 20;
/// The most levels of lists and maps within each other.
pub const MAX_DEPTH: usize = 64;
/// The largest time of a clock that is accepted and written: the largest integer that JavaScript counts exactly.
pub const MAX_TIME: u64 = (1 << 53) - 1;
/// How far the clock of an entry may be ahead of those that it follows. Honest writers are ahead by 1; without a bound,
/// one entry of a hostile writer would use up the clock for everyone.
pub const MAX_JUMP: u64 = 1 << 32;
/// The most bytes of a record's key, as its database sorts it.
pub const MAX_KEY: usize = 2048;
/// The most entries that one entry may follow and refer to, together.
pub const MAX_LINKS: usize = 4096;
/// The most heads that a log may have here: each entry that joins rewrites them all.
pub const MAX_HEADS: usize = 4096;
/// An entry that is written here follows at most so many heads. There are more only where hostile writers make them.
pub(crate) const MAX_NEXT: usize = 256;
