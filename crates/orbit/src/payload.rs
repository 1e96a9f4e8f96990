//! [`Payload`]: what an entry does.

use debros_core::{Map, Value};

/// What an entry does to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Sets it (documents, keyvalue).
    Put,
    /// Removes it (documents, keyvalue).
    Del,
    /// Adds a value, without a key (events).
    Add,
}

impl Op {
    /// The word in the entry.
    pub const fn word(self) -> &'static str {
        match self {
            Op::Put => "PUT",
            Op::Del => "DEL",
            Op::Add => "ADD",
        }
    }
}

/// The payload of an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    /// What is done.
    pub op: Op,
    /// To which key; null for [`Op::Add`].
    pub key: Value,
    /// The new value; null for [`Op::Del`].
    pub value: Value,
}

impl Payload {
    /// Sets a key.
    pub fn put(key: Value, value: Value) -> Payload {
        Payload { op: Op::Put, key, value }
    }

    /// Removes a key.
    pub fn del(key: Value) -> Payload {
        Payload { op: Op::Del, key, value: Value::Null }
    }

    /// Adds a value.
    pub fn add(value: Value) -> Payload {
        Payload { op: Op::Add, key: Value::Null, value }
    }

    /// As the payload of an entry.
    pub fn into_value(self) -> Value {
        let fields = Map::from_iter([("op", Value::text(self.op.word())), ("key", self.key), ("value", self.value)]);
        Value::from(fields)
    }

    /// What the payload of an entry means; `None` if it means nothing, which anyone who may write can write, and which
    /// changes no state. More fields than the three are read over: later versions may have some.
    pub fn from_value(payload: Value) -> Option<Payload> {
        let Value::Map(mut fields) = payload else { return None };
        let op = match fields.field("op").as_text()? {
            "PUT" => Op::Put,
            "DEL" => Op::Del,
            "ADD" => Op::Add,
            _ => return None,
        };
        let key = fields.remove("key").unwrap_or_default();
        Some(Payload { op, key, value: fields.remove("value").unwrap_or_default() })
    }
}
