// `Loaded!` names a column.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

fn program(_: &Loaded![Post { title }]) {}

fn main() {
    let _ = program;
}
