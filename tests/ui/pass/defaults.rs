// Defaults whose types the compiler works out.
#![deny(warnings)]
use debros::prelude::*;
use std::collections::BTreeMap;

const LIMIT: i64 = 7;
const NAME: &str = "name";

fn first<T: Default>() -> T {
    T::default()
}

fn is_even<T: Copy + Into<i64>>(number: &T) -> std::result::Result<(), String> {
    if Into::<i64>::into(*number) % 2 == 0 { Ok(()) } else { Err("is odd".to_owned()) }
}

#[derive(Debug, Clone, Default, Value)]
pub enum Status {
    #[default]
    Draft,
    Public,
}

#[model]
#[derive(Debug, Clone)]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(default = "text")]
    pub literal: String,
    #[field(default = "text".into())]
    pub into: String,
    #[field(default = Default::default())]
    pub by_trait: String,
    #[field(default = first())]
    pub generic: String,
    #[field(default = Some("x".into()))]
    pub some: Option<String>,
    #[field(default = NAME)]
    pub named: String,
    #[field(default = 3)]
    pub three: Option<i64>,
    #[field(default = None)]
    pub none: Option<i64>,
    #[field(default = vec![])]
    pub list: Vec<String>,
    #[field(default = [("a".to_owned(), 1)].into())]
    pub map: BTreeMap<String, u8>,
    #[field(default = LIMIT, check = is_even)]
    pub constant: i64,
    #[field(default = -1)]
    pub negative: i8,
    #[field(default = 0.5)]
    pub float: f64,
    #[field(default = Status::Public)]
    pub status: Status,
    #[field(default)]
    pub other: Status,
    #[field(default = "7".parse().unwrap_or(7))]
    pub parsed: u16,
    #[field(default = if cfg!(debug_assertions) { 1 } else { 2 })]
    pub branch: u32,
}

fn main() {
    let _ = models![Note];
    let _ = NewNote {};
}
