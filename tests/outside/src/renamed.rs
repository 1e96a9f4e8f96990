//! An application whose Cargo.toml has the crate under another name.
#![deny(warnings)]
use orm::prelude::*;

#[model(crate = ::orm, scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub(crate) struct Author {
    #[field(key)]
    pub(crate) id: Id<Author>,
    #[has_many]
    pub(crate) notes: HasMany<Note>,
}

#[model(crate = ::orm)]
#[derive(Debug, Clone)]
pub(crate) struct Note {
    #[field(key)]
    pub(crate) id: Id<Note>,
    #[field(len = 1..=9, default = "a")]
    pub(crate) text: String,
    pub(crate) author_id: Id<Author>,
    #[belongs_to]
    pub(crate) author: BelongsTo<Author>,
    #[many_to_many]
    pub(crate) others: ManyToMany<Note>,
}

fn text(note: &Loaded![Note { author, others }]) -> (&str, usize) {
    (&note.text, note.others().len())
}

fn main() {
    let _ = text;
    let _ = |author: Author| (author.id, author.notes);
    let _ = |note: Note| (note.id, note.author_id, note.author);
    let _ = |author_id| NewNote { author_id };
    let models: Vec<&str> = models![Note, Author].defs().iter().map(|def| def.name).collect();
    println!("{}", models.join(", "));
}
