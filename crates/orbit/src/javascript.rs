//! What a JavaScript peer makes of blocks: the rules of `@orbitdb/core` 4, with all that they let pass.
//!
//! Nodes do not use any of this. It is for tests, and for tools that explain what a JavaScript peer sees: what it
//! accepts that we refuse, and in which order it reads what it has accepted.

mod decode;
mod entry;
mod error;
mod log;

pub use decode::{NotJavaScriptCbor, decode_as_javascript};
pub use entry::JavaScriptEntry;
pub use error::JavaScriptError;
pub use log::JavaScriptLog;
