//! The tagged JSON of the vectors.

use debros_core::{Cid, Value};
use serde_json::Value as Json;

/// The value that a tagged JSON value stands for.
pub(crate) fn untag(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => Value::from(number.as_i64().expect("only whole numbers stand without a tag")),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(list) => Value::from(list.iter().map(untag).collect::<Vec<_>>()),
        Json::Object(fields) => match fields.iter().next() {
            Some((tag, Json::String(text))) if fields.len() == 1 && tag.starts_with('$') => match tag.as_str() {
                "$float" => Value::float(text.parse().unwrap()),
                "$int" => Value::Int(text.parse().unwrap()),
                "$bytes" => Value::Bytes(hex::decode(text).unwrap()),
                "$cid" => Value::from(Cid::try_from(text.as_str()).unwrap()),
                _ => panic!("the tag {tag} is unknown"),
            },
            _ => Value::Map(fields.iter().map(|(key, value)| (key.clone(), untag(value))).collect()),
        },
    }
}
