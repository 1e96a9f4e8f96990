// `Loaded!` names a column.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

pub fn program(_: &Loaded![Post { title }]) {}

fn main() {}
