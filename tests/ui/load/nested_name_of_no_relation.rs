// Inside `Loaded!` a relation of a relation is misspelt.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub fn program(_: &Loaded![Post { author, comments { autor } }]) {}

fn main() {}
