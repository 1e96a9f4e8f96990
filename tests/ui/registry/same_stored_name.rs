// Two models are stored under one name.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
}

pub mod old {
    use debros::prelude::*;

    #[model]
    pub struct Note {
        #[field(key)]
        pub id: Id<Note>,
    }
}

fn main() {
    let _ = models![Note, old::Note];
}
