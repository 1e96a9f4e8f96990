// A model without fields is used in many places.
use debros::prelude::*;

#[model]
#[derive(Debug, Clone)]
pub struct Note;

fn main() {
    let _ = models![Note];
}

pub async fn program(me: Session, note: Note) -> debros::Result<()> {
    let _ = Note::query().fetch(&me).await?;
    let _ = me.create(NewNote {}).await?;
    Ok(me.delete(&note).await?)
}
