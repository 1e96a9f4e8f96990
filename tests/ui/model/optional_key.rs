// The key may be absent.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub title: Option<String>,
}

fn main() {}
