//! The order of values, and its form as bytes that sort alike.

use crate::{Value, id::stored_uuid};
use rust_decimal::Decimal;
use std::{cmp::Ordering, str::FromStr as _};

/// Of text and bytes, an index key keeps this many bytes; what is longer is told apart by reading the row.
pub const INDEX_TEXT: usize = 256;

/// How the values of a field compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Collation {
    /// Numbers by size, text and bytes by their bytes.
    Plain,
    /// Text that is a decimal number, by size.
    Decimal,
    /// Text that is a UUID: 16 bytes in a key instead of 36.
    Uuid,
}

const NULL: u8 = 0x05;
const FALSE: u8 = 0x10;
const TRUE: u8 = 0x11;
const NUMBER: u8 = 0x20;
const UUID: u8 = 0x2e;
const TEXT: u8 = 0x30;
const BYTES: u8 = 0x40;
const OTHER: u8 = 0x50;

impl Collation {
    /// Compares two values. Null comes first, then bools, numbers, text, bytes and the rest; numbers compare by
    /// size whether they are integers or floats.
    pub fn compare(self, a: &Value, b: &Value) -> Ordering {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => match self {
                Collation::Plain => a.as_bytes().cmp(b.as_bytes()),
                Collation::Decimal => parsed(Decimal::from_str(a).ok(), Decimal::from_str(b).ok(), a, b),
                Collation::Uuid => parsed(stored_uuid(a), stored_uuid(b), a, b),
            },
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            _ => {
                let (mut x, mut y) = (Vec::new(), Vec::new());
                self.encode(a, &mut x);
                self.encode(b, &mut y);
                x.cmp(&y)
            }
        }
    }

    /// Appends the key of `value` to `key`: bytes that sort as [`Collation::compare`] does, and that no other value's
    /// key begins with. Gives false if text or bytes were cut at [`INDEX_TEXT`], so that different values may
    /// share the key.
    pub fn encode(self, value: &Value, key: &mut Vec<u8>) -> bool {
        self.encode_up_to(INDEX_TEXT, value, key)
    }

    /// Appends the whole key of `value`: as [`Collation::encode`], but nothing is cut, so that different values never share
    /// it. The two sort among each other, except where the one was cut.
    pub fn encode_whole(self, value: &Value, key: &mut Vec<u8>) {
        self.encode_up_to(usize::MAX, value, key);
    }

    /// Divides a key that begins with an encoded value: the value's bytes, what follows, and whether the value was cut at
    /// [`INDEX_TEXT`]. `None` if the bytes begin with no value.
    pub fn split(self, key: &[u8]) -> Option<(&[u8], &[u8], bool)> {
        let (at, cut) = match *key.first()? {
            NULL | FALSE | TRUE => (1, false),
            NUMBER if self == Collation::Decimal => match *key.get(1)? {
                0x80 => (2, false),
                0x81 => (3 + key.get(2..)?.iter().position(|&b| b == 0)?, false),
                _ => (3 + key.get(2..)?.iter().position(|&b| b == 0xff)?, false),
            },
            NUMBER => (11, false),
            UUID => (17, false),
            TEXT | BYTES | OTHER => {
                let mut at = 1;
                loop {
                    match (*key.get(at)?, key.get(at + 1)) {
                        (0, Some(0xff)) => at += 2,
                        (0, Some(&end)) => break (at + 2, end == 1),
                        (0, None) => return None,
                        _ => at += 1,
                    }
                }
            }
            _ => return None,
        };
        (at <= key.len()).then(|| (&key[..at], &key[at..], cut))
    }

    fn encode_up_to(self, limit: usize, value: &Value, key: &mut Vec<u8>) -> bool {
        match value {
            Value::Null => key.push(NULL),
            Value::Bool(false) => key.push(FALSE),
            Value::Bool(true) => key.push(TRUE),
            Value::Int(int) => {
                // the nearest float orders all but the last bits of a large integer; they follow as the difference
                let near = *int as f64;
                number(near, (int - near as i128) as i16, key);
            }
            Value::Float(float) => number(*float, 0, key),
            Value::Text(text) => {
                if self == Collation::Decimal
                    && let Ok(decimal) = Decimal::from_str(text)
                {
                    key.push(NUMBER);
                    self::decimal(decimal, key);
                } else if self == Collation::Uuid
                    && let Some(uuid) = stored_uuid(text)
                {
                    key.push(UUID);
                    key.extend_from_slice(uuid.as_bytes());
                } else {
                    key.push(TEXT);
                    return bytes(text.as_bytes(), limit, key);
                }
            }
            Value::Bytes(data) => {
                key.push(BYTES);
                return bytes(data, limit, key);
            }
            Value::List(_) | Value::Map(_) | Value::Link(_) => {
                key.push(OTHER);
                // without an order of their own: any fixed order will do, and what does not encode was never stored
                return bytes(&value.to_dag_cbor().unwrap_or_default(), limit, key);
            }
        }
        true
    }

    /// The key of all texts that begin with `prefix`: every such text's key begins with these bytes.
    pub fn encode_prefix(prefix: &str, key: &mut Vec<u8>) {
        key.push(TEXT);
        escape(&prefix.as_bytes()[..prefix.len().min(INDEX_TEXT)], key);
    }
}

fn parsed<T: Ord>(a: Option<T>, b: Option<T>, a_text: &str, b_text: &str) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a_text.as_bytes().cmp(b_text.as_bytes()),
    }
}

fn number(float: f64, rest: i16, key: &mut Vec<u8>) {
    key.push(NUMBER);
    let bits = (float + 0.0).to_bits(); // -0.0 is 0.0
    let ordered = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    key.extend_from_slice(&ordered.to_be_bytes());
    key.extend_from_slice(&((rest as u16) ^ 0x8000).to_be_bytes());
}

/// Sign, then the number of digits before the point, then the digits without trailing zeros.
fn decimal(decimal: Decimal, key: &mut Vec<u8>) {
    let decimal = decimal.normalize();
    if decimal.is_zero() {
        key.push(0x80);
        return;
    }
    let digits = decimal.mantissa().unsigned_abs().to_string();
    let before = digits.len() as i32 - decimal.scale() as i32;
    let mut magnitude = vec![(before + 64) as u8];
    magnitude.extend(digits.trim_end_matches('0').bytes());
    magnitude.push(0);
    if decimal.is_sign_negative() {
        key.push(0x7f);
        key.extend(magnitude.iter().map(|b| !b));
    } else {
        key.push(0x81);
        key.extend(magnitude);
    }
}

fn escape(data: &[u8], key: &mut Vec<u8>) {
    for &byte in data {
        key.push(byte);
        if byte == 0 {
            key.push(0xff);
        }
    }
}

fn bytes(data: &[u8], limit: usize, key: &mut Vec<u8>) -> bool {
    let whole = data.len() <= limit;
    escape(&data[..data.len().min(limit)], key);
    key.extend_from_slice(if whole { &[0, 0] } else { &[0, 1] });
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-3i64..3).prop_map(Value::from),
            (i64::MAX - 3..i64::MAX).prop_map(Value::from),
            (-2.0..2.0f64).prop_map(Value::from),
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
            "[a\0b]{0,4}".prop_map(Value::from),
            proptest::collection::vec(0u8..3, 0..4).prop_map(Value::Bytes),
        ]
    }
    fn key(collation: Collation, value: &Value) -> Vec<u8> {
        let mut key = Vec::new();
        collation.encode(value, &mut key);
        key
    }

    proptest! {
        #[test]
        fn keys_sort_as_values_do(a in values(), b in values()) {
            prop_assert_eq!(Collation::Plain.compare(&a, &b), key(Collation::Plain, &a).cmp(&key(Collation::Plain, &b)));
        }
        #[test]
        fn decimal_keys_sort_by_size(a in any::<i64>(), s in 0u32..20, b in -2000i64..2000, t in 0u32..4) {
            let (a, b) = (Decimal::new(a, s), Decimal::new(b, t));
            let (x, y) = (Value::from(a.to_string()), Value::from(b.to_string()));
            prop_assert_eq!(a.cmp(&b), key(Collation::Decimal, &x).cmp(&key(Collation::Decimal, &y)));
            prop_assert_eq!(a.cmp(&b), Collation::Decimal.compare(&x, &y));
        }
        #[test]
        fn no_key_begins_another(a in values(), b in values()) {
            let (x, y) = (key(Collation::Plain, &a), key(Collation::Plain, &b));
            prop_assert!(x == y || !y.starts_with(&x));
        }
    }

    proptest! {
        #[test]
        fn a_key_divides_after_its_value(a in values(), rest in proptest::collection::vec(any::<u8>(), 0..4)) {
            let mut bytes = key(Collation::Plain, &a);
            let length = bytes.len();
            bytes.extend(&rest);
            prop_assert_eq!(Collation::Plain.split(&bytes), Some((&bytes[..length], &rest[..], false)));
        }
        #[test]
        fn a_decimal_key_divides_after_its_value(a in any::<i64>(), s in 0u32..20) {
            let mut bytes = key(Collation::Decimal, &Value::from(Decimal::new(a, s).to_string()));
            let length = bytes.len();
            bytes.extend(b"rest");
            prop_assert_eq!(Collation::Decimal.split(&bytes), Some((&bytes[..length], &b"rest"[..], false)));
        }
        #[test]
        fn bytes_that_are_no_key_divide_nowhere(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            for collation in [Collation::Plain, Collation::Decimal, Collation::Uuid] {
                if let Some((value, rest, _)) = collation.split(&bytes) {
                    prop_assert_eq!(value.len() + rest.len(), bytes.len());
                }
            }
        }
    }

    #[test]
    fn large_integers_keep_their_last_digit() {
        let keys: Vec<_> =
            [i128::from(u64::MAX) - 1, i128::from(u64::MAX)].map(|i| key(Collation::Plain, &Value::Int(i))).into();
        assert!(keys[0] < keys[1]);
    }

    #[test]
    fn a_long_text_says_that_it_was_cut() {
        let mut key = Vec::new();
        assert!(Collation::Plain.encode(&Value::from("x".repeat(INDEX_TEXT)), &mut key));
        assert!(!Collation::Plain.encode(&Value::from("x".repeat(INDEX_TEXT + 1)), &mut key));
    }
}
