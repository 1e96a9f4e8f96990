//! [`Shown`]: a predicate as people read it.

use debros_core::{Compare, Expr, Quantifier, TextTest, Value};
use std::fmt;

/// A predicate as people read it.
pub(crate) struct Shown<'e>(pub(crate) &'e Expr);

/// At most this much of a text is shown.
const TEXT: usize = 40;
/// At most this many values of a list are shown.
const LIST: usize = 5;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expr::Always => f.write_str("always"),
            Expr::Compare { field, op: Compare::Eq, value: Value::Null } => write!(f, "{field} is absent"),
            Expr::Compare { field, op: Compare::Ne, value: Value::Null } => write!(f, "{field} is there"),
            Expr::Compare { field, op, value } => {
                let op = match op {
                    Compare::Eq => "=",
                    Compare::Ne => "!=",
                    Compare::Lt => "<",
                    Compare::Le => "<=",
                    Compare::Gt => ">",
                    Compare::Ge => ">=",
                };
                write!(f, "{field} {op} {}", ShownValue(value))
            }
            Expr::OneOf { field, values } => {
                write!(f, "{field} is one of ")?;
                list(f, values.iter().take(LIST).map(ShownValue), ", ")?;
                match values.len().checked_sub(LIST) {
                    None | Some(0) => Ok(()),
                    Some(more) => write!(f, " and {more} more"),
                }
            }
            Expr::Text { field, op, needle } => {
                let op = match op {
                    TextTest::Contains => "contains",
                    TextTest::StartsWith => "starts with",
                    TextTest::EndsWith => "ends with",
                };
                write!(f, "{field} {op} {}", text(needle))
            }
            Expr::Has { field, value } => write!(f, "{field} has {}", ShownValue(value)),
            Expr::IsNone { field } => write!(f, "{field} is absent"),
            Expr::Related { relation, quantifier, expr, mine } => {
                let quantifier = match quantifier {
                    Quantifier::Is => "is",
                    Quantifier::Any => "any",
                    Quantifier::All => "all",
                    Quantifier::None => "none",
                };
                let mine = if *mine { " of one's own" } else { "" };
                write!(f, "{relation}{mine} {quantifier} ({})", Shown(expr))
            }
            Expr::And(all) if all.is_empty() => f.write_str("always"),
            Expr::Or(any) if any.is_empty() => f.write_str("never"),
            Expr::And(all) => list(f, all.iter().map(ShownPart), " and "),
            Expr::Or(any) => list(f, any.iter().map(ShownPart), " or "),
            Expr::Not(not) => match &**not {
                Expr::IsNone { field } => write!(f, "{field} is there"),
                other => write!(f, "not {}", ShownPart(other)),
            },
        }
    }
}

/// A part of a larger predicate, in brackets where it has parts itself.
struct ShownPart<'e>(&'e Expr);

impl fmt::Display for ShownPart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expr::And(parts) | Expr::Or(parts) if parts.len() > 1 => write!(f, "({})", Shown(self.0)),
            other => Shown(other).fmt(f),
        }
    }
}

struct ShownValue<'v>(&'v Value);

impl fmt::Display for ShownValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("nothing"),
            Value::Bool(value) => value.fmt(f),
            Value::Int(int) => int.fmt(f),
            Value::Float(float) => float.fmt(f),
            Value::Text(value) => f.write_str(&text(value)),
            Value::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Value::List(values) => write!(f, "a list of {}", values.len()),
            Value::Map(map) => write!(f, "a map of {}", map.len()),
            Value::Link(cid) => cid.fmt(f),
        }
    }
}

fn text(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}..", &text[..end]),
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: impl Iterator<Item = T>, between: &str) -> fmt::Result {
    for (at, item) in items.enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_predicate_reads_like_a_sentence() {
        let published = Expr::Compare { field: "published", op: Compare::Eq, value: Value::from(true) };
        let title = Expr::Text { field: "title", op: TextTest::Contains, needle: "rust".into() };
        let bio = Expr::Not(Box::new(Expr::IsNone { field: "bio" }));
        let author = Expr::Related {
            relation: "author",
            quantifier: Quantifier::Is,
            expr: Box::new(Expr::OneOf { field: "age", values: (1..8).map(Value::from).collect() }),
            mine: false,
        };
        let all = Expr::And(vec![published, Expr::Or(vec![title, bio]), author]);
        assert_eq!(
            Shown(&all).to_string(),
            "published = true and (title contains \"rust\" or bio is there) and author is (age is one of 1, 2, 3, 4, 5 and 2 more)"
        );
    }

    #[test]
    fn long_texts_are_cut() {
        let expr = Expr::Compare { field: "a", op: Compare::Gt, value: Value::from("é".repeat(50)) };
        assert_eq!(Shown(&expr).to_string(), format!("a > \"{}\"..", "é".repeat(40)));
    }
}
