// An index names a field that is not there, and a relation.
use debros::prelude::*;

#[model(unique(user_id, nme), index(author))]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    pub user_id: UserId,
    pub name: String,
    pub author_id: Id<Note>,
    #[belongs_to]
    pub author: BelongsTo<Note>,
}

fn main() {}
