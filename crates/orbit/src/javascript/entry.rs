use super::{JavaScriptError, decode_as_javascript};
use crate::{Hash, PublicKey};
use debros_core::{Map, Value};
use std::cmp::Ordering;

/// An entry as a JavaScript peer reads it. It need not have the fields of an entry, nor anything sensible in them:
/// [`Entry`](crate::Entry) is what nodes take.
#[derive(Clone, Debug, PartialEq)]
pub struct JavaScriptEntry {
    hash: Hash,
    fields: Map,
    next: Vec<Hash>,
    refs: Vec<Hash>,
}

/// The fields that the signature covers.
const SIGNED: [&str; 6] = ["v", "id", "next", "refs", "clock", "payload"];

impl JavaScriptEntry {
    /// Reads a block.
    ///
    /// # Errors
    /// If it does not decode, is no map, or `next` or `refs` holds anything else than hashes.
    pub fn decode(block: &[u8]) -> Result<JavaScriptEntry, JavaScriptError> {
        let Value::Map(fields) = decode_as_javascript(block)? else { return Err(JavaScriptError::Field("v")) };
        let links = |name| hashes(fields.get(name)).ok_or(JavaScriptError::Field(name));
        let (next, refs) = (links("next")?, links("refs")?);
        Ok(JavaScriptEntry { hash: Hash::of(block), fields, next, refs })
    }

    /// The name of its block.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// A field; null if there is none.
    pub fn field(&self, name: &str) -> &Value {
        self.fields.field(name)
    }

    /// The hashes of the entries that it follows.
    pub fn next(&self) -> &[Hash] {
        &self.next
    }

    /// The hashes of further entries that it builds on.
    pub fn refs(&self) -> &[Hash] {
        &self.refs
    }

    /// Checks what JavaScript checks of an entry alone: that the fields are there, and that the signature is by the
    /// field `key`, whosever that is.
    ///
    /// # Errors
    /// If a field is missing, or the signature is by another key.
    pub fn verify(&self) -> Result<(), JavaScriptError> {
        let missing = SIGNED.into_iter().find(|field| !self.fields.contains_key(field));
        // of these, what JavaScript takes for nothing is nothing
        let empty = ["key", "sig"].into_iter().find(|&field| self.text(field).is_empty());
        if let Some(field) = missing.or(empty) {
            return Err(JavaScriptError::NoField { entry: self.hash, field });
        }
        let signed = SIGNED.into_iter().map(|field| (field, self.field(field).clone()));
        let signed = Value::from(Map::from_iter(signed)).to_dag_cbor();
        let key = self.text("key").parse::<PublicKey>();
        match (key, signed) {
            (Ok(key), Ok(signed)) if key.verify(&signed, self.text("sig")) => Ok(()),
            _ => Err(JavaScriptError::Signature(self.hash)),
        }
    }

    pub(super) fn text(&self, field: &str) -> &str {
        self.field(field).as_text().unwrap_or_default()
    }

    /// Older first: by time, then by the writer's key. With equal clocks JavaScript has no order.
    pub(super) fn compare(&self, other: &JavaScriptEntry) -> Ordering {
        let id = |entry: &JavaScriptEntry| entry.clock("id").as_text().unwrap_or_default().to_owned();
        let by_id = || id(self).encode_utf16().cmp(id(other).encode_utf16());
        self.time().total_cmp(&other.time()).then_with(by_id)
    }

    fn clock(&self, field: &str) -> &Value {
        self.field("clock").as_map().map_or(&Value::Null, |clock| clock.field(field))
    }

    /// The time as the number that JavaScript calculates with. What is no number has no place in its order; here it
    /// comes before all.
    fn time(&self) -> f64 {
        let time = match self.clock("time") {
            Value::Text(text) if text.trim().is_empty() => Some(0.0),
            Value::Text(text) => text.trim().parse().ok().filter(|time: &f64| time.is_finite()),
            Value::Bool(value) => Some(f64::from(u8::from(*value))),
            Value::Null => Some(0.0),
            number => number.as_number(),
        };
        time.unwrap_or(f64::NEG_INFINITY)
    }
}

/// The hashes of a field that need not be there.
fn hashes(field: Option<&Value>) -> Option<Vec<Hash>> {
    match field {
        None => Some(Vec::new()),
        Some(Value::List(list)) => list.iter().map(|hash| hash.as_text()?.parse().ok()).collect(),
        Some(_) => None,
    }
}
