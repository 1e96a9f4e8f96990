//! A year of flights from New York, as five related models: they are imported once, and then they answer questions.
//!
//! - [`models`]: what is stored,
//! - [`import`]: how it gets there,
//! - [`answers`]: what can be asked,
//! - [`report`]: how the answers look.

pub mod answers;
pub mod import;
pub mod models;
pub mod report;
pub mod table;
