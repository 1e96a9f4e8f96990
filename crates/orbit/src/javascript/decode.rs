//! DAG-CBOR, as JavaScript's decoder takes it.

use crate::{
    ScanError,
    limits::MAX_DEPTH,
    scanner::{Head, Scanner},
};
use debros_core::{Cid, Map, Value};

/// Why JavaScript does not decode bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotJavaScriptCbor {
    /// Another encoding, or more levels than we look into, which JavaScript may take.
    #[error("JavaScript does not decode these bytes: {0}")]
    Scan(#[from] ScanError),
    /// NaN or an infinity.
    #[error("JavaScript does not decode these bytes: the number {0} is none that it takes")]
    Number(String),
    /// A map with the same key twice.
    #[error("JavaScript does not decode these bytes: the key `{0}` stands twice in a map")]
    Twice(String),
    /// A link that is none.
    #[error("JavaScript does not decode these bytes: byte {0} begins a link that holds no CID")]
    Link(usize),
}

/// Reads DAG-CBOR as JavaScript's decoder does, and gives the value as JavaScript would write it again. More is taken
/// than [`Value::from_dag_cbor`] takes: short floats, `undefined`, map keys in any order, text that is no UTF-8.
///
/// ```
/// use debros_core::Value;
/// use debros_orbit::decode_as_javascript;
///
/// let short_float = [0xf9, 0x3e, 0x00];
/// assert!(Value::from_dag_cbor(&short_float).is_err());
/// assert_eq!(decode_as_javascript(&short_float), Ok(Value::float(1.5)));
/// ```
///
/// # Errors
/// If JavaScript does not decode the bytes, or something in them is more than [`MAX_DEPTH`] levels deep.
pub fn decode_as_javascript(bytes: &[u8]) -> Result<Value, NotJavaScriptCbor> {
    let mut walk = Scanner::lenient(bytes);
    let value = decode(&mut walk, 0)?;
    walk.end()?;
    Ok(value)
}

fn decode(walk: &mut Scanner<'_>, depth: usize) -> Result<Value, NotJavaScriptCbor> {
    let begin = walk.position();
    let head = walk.head()?;
    if depth >= MAX_DEPTH && matches!(head, Head::Array(_) | Head::Map(_) | Head::Link) {
        return Err(ScanError::TooDeep.into());
    }
    Ok(match head {
        Head::Null | Head::Undefined => Value::Null,
        Head::Bool(value) => Value::Bool(value),
        Head::Uint(value) => Value::from(value),
        Head::Negative(value) => Value::Int(-1 - i128::from(value)),
        Head::Float(value) if value.is_finite() => Value::float(value),
        Head::Float(value) => return Err(NotJavaScriptCbor::Number(value.to_string())),
        Head::Bytes(len) => Value::Bytes(walk.take(len)?.to_vec()),
        Head::Text(len) => Value::from(String::from_utf8_lossy(walk.take(len)?).into_owned()),
        Head::Array(len) => {
            let mut list = Vec::new();
            for _ in 0..len {
                list.push(decode(walk, depth + 1)?);
            }
            Value::from(list)
        }
        Head::Map(len) => {
            let mut map = Map::new();
            for _ in 0..len {
                let key = String::from_utf8_lossy(walk.text_bytes()?).into_owned();
                let value = decode(walk, depth + 1)?;
                if map.contains_key(&key) {
                    return Err(NotJavaScriptCbor::Twice(key.chars().take(80).collect()));
                }
                // assigned to an object, this key sets something else than a field
                if key != "__proto__" {
                    map.insert(key, value);
                }
            }
            Value::Map(map)
        }
        Head::Link => match decode(walk, depth + 1)? {
            Value::Bytes(bytes) if bytes.first() == Some(&0) => {
                Cid::try_from(&bytes[1..]).map_err(|_| NotJavaScriptCbor::Link(begin))?.into()
            }
            _ => return Err(NotJavaScriptCbor::Link(begin)),
        },
    })
}
