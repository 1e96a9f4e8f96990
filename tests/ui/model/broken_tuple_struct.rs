// A model whose fields have no names is used in many places.
use debros::prelude::*;

#[model]
#[derive(Debug, Clone)]
pub struct Note(#[field(key)] pub Id<Note>, pub String);

fn main() {
    let _ = models![Note];
}

pub async fn program(me: Session, note: Note) -> debros::Result<()> {
    let _ = Note::query().limit(3).fetch(&me).await?;
    Ok(me.delete(&note).await?)
}
