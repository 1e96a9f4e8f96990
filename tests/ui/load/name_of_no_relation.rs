// `Loaded!` names a field that is no relation.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

pub fn program(_: &Loaded![Post { autor }]) {}

fn main() {}
