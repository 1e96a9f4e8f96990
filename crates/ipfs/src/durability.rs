/// When a write is answered: how much must have happened to its bytes before the caller hears of success.
///
/// Whatever the mode, a write that was answered survives the death of the process (`kill -9`). The modes differ in
/// what survives the death of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Answered after the group commit has been written and synced to the disk: a power cut loses nothing answered.
    #[default]
    Local,
    /// Answered once the operating system holds the bytes. A power cut within the next seconds may lose the write
    /// (always whole groups from the end, never a part of one); the next checkpoint makes it durable.
    Buffered,
}
