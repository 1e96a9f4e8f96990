// The shard key of a record that is stored is set.
use debros::prelude::*;

#[model(sharding(strategy = hash, key = topic, count = 8))]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    pub topic: String,
}

pub async fn program(me: Session, note: Note) {
    let _ = me.update(&note).set(|n| n.topic, "rust").await;
}

fn main() {}
