//! Models in a crate that lets no lint of clippy pass: `cargo xtask test clippy` reads this file.
#![deny(clippy::pedantic, clippy::style, clippy::complexity, clippy::perf, missing_docs)]

use debros::prelude::*;

/// Someone who writes.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The key.
    #[field(key)]
    pub id: Id<Author>,
    /// The name.
    #[field(unique, len = 3..=32, matches = "^[a-z]+$")]
    pub name: String,
    /// What they wrote.
    #[has_many]
    pub notes: HasMany<Note>,
}

/// Something written.
#[model(index(author_id, stars), sharding(strategy = hash, key = author_id, count = 2))]
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The key.
    #[field(key)]
    pub id: Id<Note>,
    /// Who wrote it.
    pub author_id: Id<Author>,
    /// How good it is.
    #[field(range = 0.0..=1.0, default = 0.5)]
    pub stars: f64,
    /// What it says.
    #[field(default)]
    pub text: String,
    /// When it was written.
    #[field(created)]
    pub at: Timestamp,
    /// Who made the record.
    #[field(owner)]
    pub owner: UserId,
    /// What kind it is.
    #[field(default = Kind::Short)]
    pub kind: Kind,
    /// Who wrote it.
    #[belongs_to]
    pub author: BelongsTo<Author>,
    /// What is like it.
    #[many_to_many]
    pub like: ManyToMany<Note>,
    /// What it is like.
    #[many_to_many(inverse = like)]
    pub liked: ManyToMany<Note>,
}

/// A kind of note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Value)]
pub enum Kind {
    /// Of few words.
    Short,
    /// Of many.
    Long,
}

#[test]
fn no_lint_tells_of_what_is_generated() {
    // that this file passes clippy is the test; here, that the models are the ones that were written
    let defs = models![Author, Note].defs();
    assert_eq!(defs.iter().map(|def| (def.name, def.fields.len())).collect::<Vec<_>>(), [("Author", 2), ("Note", 7)]);
    assert_ne!(Kind::Short, Kind::Long);
}
