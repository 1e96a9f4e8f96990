/// How a store works. The defaults suit a laptop and a server alike.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreOptions {
    /// A segment file is sealed once it has this many bytes (default 64 MiB, at most 2 GiB). A group is never
    /// divided, so a file may become longer by one group.
    pub segment_size: u32,
    /// Memory for pages of the state file, in bytes (default 64 MiB).
    pub cache_size: usize,
    /// Memory for blocks that were read lately, in bytes (default 32 MiB; 0: none are kept).
    pub block_cache: usize,
    /// A checkpoint starts when this many bytes were appended to the segments since the last one (default 4 MiB).
    /// Opening after a crash replays at most about
    /// four times as many, and seldom more than twice.
    pub checkpoint_bytes: u64,
    /// A checkpoint also starts when nothing was written for this long (default 300 ms).
    pub checkpoint_idle: std::time::Duration,
    /// Jobs that may wait to run; when so many wait, `commit` waits before it queues another (default 1,024).
    pub queue: usize,
    /// Throw the derived state away when opening, and build it anew from the segments (default false).
    pub rebuild: bool,
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions {
            segment_size: 64 << 20,
            cache_size: 64 << 20,
            block_cache: 32 << 20,
            checkpoint_bytes: 4 << 20,
            checkpoint_idle: std::time::Duration::from_millis(300),
            queue: 1024,
            rebuild: false,
        }
    }
}
