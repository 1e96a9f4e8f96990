// One mistake, in a model that is used in many places.
use debros::prelude::*;

#[model(scope = global, writers = anyone, index(titel))]
#[derive(Debug, Clone)]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    pub title: String,
    pub author_id: Id<Author>,
    #[belongs_to]
    pub author: BelongsTo<Author>,
}

#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub struct Author {
    #[field(key)]
    pub id: Id<Author>,
    #[has_many]
    pub notes: HasMany<Note>,
}

fn main() {
    let _ = models![Note, Author];
    let _ = Note::query().filter(|note| note.title.eq("a") & note.author.is(|author| author.id.ne(Id::from_uuid(Default::default()))));
    let _ = Note::FIELDS.title;
    let _ = |note: &Note| (note.title.clone(), note.id);
    let _ = |author_id| NewNote { title: String::new(), author_id };
}
