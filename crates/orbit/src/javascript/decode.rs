//! DAG-CBOR, as JavaScript's decoder takes it.

use crate::{
    ScanError,
    limits::{MAX_ACCEPTED, MAX_DEPTH},
    scanner::{Head, Scanner},
};
use debros_core::{Cid, Value};

/// Why JavaScript does not decode bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotJavaScriptCbor {
    /// Another encoding, or more levels than we look into, which JavaScript may take.
    #[error("JavaScript does not decode these bytes: {0}")]
    Scan(#[from] ScanError),
    /// More than we look at.
    #[error("{0} bytes are not looked at: at most {MAX_ACCEPTED} bytes (4 MiB) travel between peers")]
    TooLarge(usize),
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
/// If JavaScript does not decode the bytes, they are more than [`MAX_ACCEPTED`], or something in them is more than
/// [`MAX_DEPTH`] levels deep.
pub fn decode_as_javascript(bytes: &[u8]) -> Result<Value, NotJavaScriptCbor> {
    if bytes.len() > MAX_ACCEPTED {
        return Err(NotJavaScriptCbor::TooLarge(bytes.len()));
    }
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
            let mut pairs = Vec::new();
            for _ in 0..len {
                let key = String::from_utf8_lossy(walk.text_bytes()?).into_owned();
                pairs.push((key, decode(walk, depth + 1)?));
            }
            // a map takes what comes in its own order fast, and anything else slowly
            pairs.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
            if let Some(twice) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                return Err(NotJavaScriptCbor::Twice(twice[0].0.chars().take(80).collect()));
            }
            // assigned to an object, this key sets something else than a field
            pairs.retain(|(key, _)| key != "__proto__");
            Value::Map(pairs.into_iter().collect())
        }
        Head::Link => match decode(walk, depth + 1)? {
            Value::Bytes(bytes) if bytes.first() == Some(&0) => {
                Cid::try_from(&bytes[1..]).map_err(|_| NotJavaScriptCbor::Link(begin))?.into()
            }
            _ => return Err(NotJavaScriptCbor::Link(begin)),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn maps_in_the_worst_order_cost_no_more_than_others() {
        let count = 200_000_u32;
        let mut bytes = vec![0xba];
        bytes.extend(count.to_be_bytes());
        for n in (0..count).rev() {
            bytes.extend(format!("\x68{n:08}\x00").as_bytes());
        }
        let value = decode_as_javascript(&bytes).unwrap();
        assert_eq!(value.as_map().unwrap().len(), 200_000);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels| [vec![0x81; levels], vec![0xf6]].concat();
        assert!(decode_as_javascript(&nested(MAX_DEPTH)).is_ok());
        let too_deep = Err(NotJavaScriptCbor::Scan(ScanError::TooDeep));
        assert_eq!(decode_as_javascript(&nested(MAX_DEPTH + 1)), too_deep);
        assert_eq!(decode_as_javascript(&nested(1 << 20)), too_deep);
    }

    proptest! {
        #[test]
        fn what_nodes_take_javascript_takes(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let ours = Value::from_dag_cbor(&bytes);
            let theirs = decode_as_javascript(&bytes);
            if let Ok(ours) = ours {
                prop_assert_eq!(theirs.as_ref(), Ok(&ours));
            }
            if let Ok(theirs) = theirs {
                // it can be written, as JavaScript does before it checks a signature
                prop_assert!(theirs.to_dag_cbor().is_ok());
            }
        }
    }
}
