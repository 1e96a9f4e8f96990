// The list has a struct that is no model.
use debros::prelude::*;

pub struct User {
    pub name: String,
}

fn main() {
    let _ = models![User];
}
