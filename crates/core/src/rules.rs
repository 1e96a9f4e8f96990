//! The rules of fields: `len`, `range`, `matches`, `check`. Generated code calls these functions.

use crate::{Field, Kind, Timestamp, Violations};
use regex::Regex;
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Display,
    ops::RangeBounds,
    sync::OnceLock,
};

/// Types that `len` measures: characters of text, elements of lists and maps, bytes of bytes.
#[diagnostic::on_unimplemented(
    message = "`len` does not fit a field of type `{Self}`",
    label = "has no length",
    note = "`len` counts the characters of text, the elements of lists and maps, the bytes of bytes; for numbers there is `range`"
)]
pub trait Length {
    /// How long it is; `None` if it is absent.
    fn length(&self) -> Option<usize>;
    /// What is counted, for messages.
    const UNIT: &'static str;
}
impl Length for String {
    const UNIT: &'static str = "characters";
    fn length(&self) -> Option<usize> {
        Some(self.chars().count())
    }
}
impl<T: Field> Length for Vec<T> {
    const UNIT: &'static str = if matches!(T::LIST, Kind::Bytes) { "bytes" } else { "elements" };
    fn length(&self) -> Option<usize> {
        Some(self.len())
    }
}
impl<T> Length for BTreeMap<String, T> {
    const UNIT: &'static str = "elements";
    fn length(&self) -> Option<usize> {
        Some(self.len())
    }
}
impl<T, S> Length for HashMap<String, T, S> {
    const UNIT: &'static str = "elements";
    fn length(&self) -> Option<usize> {
        Some(self.len())
    }
}
#[diagnostic::do_not_recommend]
impl<T: Length> Length for Option<T> {
    const UNIT: &'static str = T::UNIT;
    fn length(&self) -> Option<usize> {
        self.as_ref().and_then(T::length)
    }
}

/// Types that `range` compares: numbers and moments.
#[diagnostic::on_unimplemented(
    message = "`range` does not fit a field of type `{Self}`",
    label = "is no number",
    note = "`range` compares numbers and moments; for text and lists there is `len`, for anything else `check`"
)]
pub trait Ranged {
    /// What its bounds are.
    type Bound: PartialOrd + Display;
    /// The value to compare; `None` if it is absent.
    fn bound(&self) -> Option<&Self::Bound>;
}
macro_rules! ranged {
    ($($number:ty),*) => { $(
        impl Ranged for $number {
            type Bound = $number;
            fn bound(&self) -> Option<&$number> {
                Some(self)
            }
        }
    )* };
}
ranged!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, Timestamp);
#[cfg(feature = "decimal")]
ranged!(rust_decimal::Decimal);
#[diagnostic::do_not_recommend]
impl<T: Ranged> Ranged for Option<T> {
    type Bound = T::Bound;
    fn bound(&self) -> Option<&T::Bound> {
        self.as_ref().and_then(T::bound)
    }
}

/// Types that `matches` looks at: text.
#[diagnostic::on_unimplemented(
    message = "`matches` does not fit a field of type `{Self}`",
    label = "is no text",
    note = "`matches` compares text with a regular expression; for anything else there is `check`"
)]
pub trait Matched {
    /// The text; `None` if it is absent.
    fn matched(&self) -> Option<&str>;
}
impl Matched for String {
    fn matched(&self) -> Option<&str> {
        Some(self)
    }
}
impl Matched for Option<String> {
    fn matched(&self) -> Option<&str> {
        self.as_deref()
    }
}

/// A regular expression of `#[field(matches = "..")]`, compiled when first used.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// This expression; the macro has checked its syntax.
    pub const fn new(text: &'static str) -> Pattern {
        Pattern { text, compiled: OnceLock::new() }
    }

    fn is_match(&self, text: &str) -> Result<bool, String> {
        match self.compiled.get_or_init(|| Regex::new(self.text).ok()) {
            Some(regex) => Ok(regex.is_match(text)),
            None => Err(format!("cannot be checked: `{}` is no regular expression", self.text)),
        }
    }
}

/// `len = range`.
pub fn len<T: Length>(
    value: &T,
    range: impl RangeBounds<usize>,
    field: &'static str,
    rule: &'static str,
    out: &mut Violations,
) {
    if let Some(length) = value.length().filter(|length| !range.contains(length)) {
        let wanted = rule.trim_start_matches("len = ");
        out.add(field, rule, format!("has {length} {}, but `len = {wanted}`", T::UNIT));
    }
}

/// `range = range`.
pub fn range<T: Ranged>(
    value: &T,
    range: impl RangeBounds<T::Bound>,
    field: &'static str,
    rule: &'static str,
    out: &mut Violations,
) {
    if let Some(bound) = value.bound().filter(|bound| !range.contains(*bound)) {
        out.add(field, rule, format!("is {bound}, outside `{rule}`"));
    }
}

/// `matches = "regex"`: the expression must match somewhere in the text; `^` and `$` tie it to the ends.
pub fn matches<T: Matched>(
    value: &T,
    pattern: &'static Pattern,
    field: &'static str,
    rule: &'static str,
    out: &mut Violations,
) {
    let Some(text) = value.matched() else { return };
    match pattern.is_match(text) {
        Ok(true) => {}
        Ok(false) => out.add(field, rule, format!("is {text:?}, which does not match `{}`", pattern.text)),
        Err(reason) => out.add(field, rule, reason),
    }
}

/// Functions that check a field that holds `T`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot check a field that holds `{T}`",
    label = "expected a `fn(&{T}) -> Result<(), E>`, where `E` can be displayed"
)]
pub trait Checks<T> {
    /// What is wrong with the value, as the end of a sentence that begins with the field's name.
    fn check(self, value: &T) -> Option<String>;
}
#[diagnostic::do_not_recommend]
impl<T, E: Display> Checks<T> for fn(&T) -> Result<(), E> {
    fn check(self, value: &T) -> Option<String> {
        self(value).err().map(|reason| reason.to_string())
    }
}

/// A function as what [`Checks`] is for, whatever it takes.
pub fn function<T: ?Sized, R>(function: fn(&T) -> R) -> fn(&T) -> R {
    function
}

/// `check = path`: a function of the application's own.
pub fn check<T>(value: &T, check: impl Checks<T>, field: &'static str, rule: &'static str, out: &mut Violations) {
    if let Some(reason) = check.check(value) {
        out.add(field, rule, reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_broken_rule_is_told() {
        static SMALL: Pattern = Pattern::new("^[a-z]+$");
        let mut out = Violations::default();
        len(&"\u{e9}\u{e9}".to_string(), 3..=32, "name", "len = 3..=32", &mut out);
        len(&None::<String>, 3..=32, "bio", "len = 3..=32", &mut out);
        len(&vec![1u8; 4], ..4, "data", "len = ..4", &mut out);
        range(&Some(7i64), 0..=5, "age", "range = 0..=5", &mut out);
        range(&f64::NAN, 0.0..=5.0, "score", "range = 0.0..=5.0", &mut out);
        matches(&"Abc".to_string(), &SMALL, "slug", "matches = \"^[a-z]+$\"", &mut out);
        check(&1, function(|_| Err("is odd")), "even", "check = even", &mut out);
        let told: Vec<String> = out.into_iter().map(|v| format!("{} {}", v.field, v.message)).collect();
        assert_eq!(
            told,
            [
                "name has 2 characters, but `len = 3..=32`",
                "data has 4 bytes, but `len = ..4`",
                "age is 7, outside `range = 0..=5`",
                "score is NaN, outside `range = 0.0..=5.0`",
                "slug is \"Abc\", which does not match `^[a-z]+$`",
                "even is odd",
            ]
        );
    }
}
