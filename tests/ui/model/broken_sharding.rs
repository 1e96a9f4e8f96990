// A model with a misspelt shard key is used in many places.
use debros::prelude::*;

#[model(sharding(strategy = hash, key = titel, count = 4))]
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
    pub name: String,
    #[has_many]
    pub notes: HasMany<Note>,
}


fn main() {
    let _ = models![Note, Author];
}

pub async fn program(me: Session, author: Author, notes: Vec<Loaded![Note { author }]>) -> debros::Result<()> {
    let _ = Note::query().filter(|n| n.title.eq("a") & n.author.is(|a| a.name.eq("b"))).with(|n| n.author).order_by(|n| n.title.asc()).page(3).fetch(&me).await?;
    let _ = Author::query().filter(|a| a.notes.any(|n| n.title.contains("x"))).with(|a| a.notes.with(|n| n.author)).first(&me).await?;
    let note = me.create(NewNote { author_id: author.id, title: "a".into() }).await?;
    me.update(&note).set(|n| n.title, "b").await?;
    let _ = Note::get(&note.id).fetch(&me).await?.map(|note| note.title.clone());
    for note in &notes {
        println!("{} {:?}", note.author().name, note);
    }
    let _ = author.related(|a| a.notes).update_all(&me).set(|n| n.title, "c").await?;
    let _ = Note::FIELDS.title.eq("d");
    Ok(me.delete(&note).await?)
}
