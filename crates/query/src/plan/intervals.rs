//! [`Intervals`]: which encoded values of one field a predicate admits.

use crate::{evaluate, source::successor};
use debros_core::{Collation, Compare, Expr, INDEX_TEXT, ModelDef, TextTest, Value};

/// How the values of a field stand in what is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As in an index: cut at [`INDEX_TEXT`].
    Cut,
    /// As in a key: whole.
    Whole,
}

impl Form {
    /// Appends the value; false if it was cut.
    fn encode(self, collation: Collation, value: &Value, bytes: &mut Vec<u8>) -> bool {
        match self {
            Form::Cut => collation.encode(value, bytes),
            Form::Whole => {
                collation.encode_whole(value, bytes);
                true
            }
        }
    }
}

/// `start <= encoded value < end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) start: Vec<u8>,
    pub(crate) end: Option<Vec<u8>>,
    /// Does it hold exactly one encoded value, `start`?
    pub(crate) point: bool,
}

impl Interval {
    fn ends_before(&self, start: &[u8]) -> bool {
        self.end.as_deref().is_some_and(|end| end <= start)
    }
}

/// A set of encoded values of one field: intervals that are sorted and do not overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Intervals {
    pub(crate) list: Vec<Interval>,
    /// Does membership prove the predicate? Else the row decides.
    pub(crate) exact: bool,
}

impl Intervals {
    fn one(start: Vec<u8>, end: Option<Vec<u8>>, exact: bool) -> Intervals {
        let empty = end.as_ref().is_some_and(|end| *end <= start);
        Intervals { list: if empty { Vec::new() } else { vec![Interval { start, end, point: false }] }, exact }
    }

    fn point(collation: Collation, form: Form, value: &Value) -> Intervals {
        let mut start = Vec::new();
        let exact = form.encode(collation, value, &mut start);
        let end = successor(&start);
        Intervals { list: vec![Interval { start, end, point: true }], exact }
    }

    fn none() -> Intervals {
        Intervals { list: Vec::new(), exact: true }
    }

    pub(crate) fn all_points(&self) -> bool {
        self.list.iter().all(|interval| interval.point)
    }

    /// The one value that there is, if no two different values are within.
    pub(crate) fn constant(&self) -> Option<&[u8]> {
        match &self.list[..] {
            [one] if one.point && self.exact => Some(&one.start),
            _ => None,
        }
    }

    pub(crate) fn intersect(&self, other: &Intervals) -> Intervals {
        let mut list = Vec::new();
        let (mut left, mut right) = (self.list.iter().peekable(), other.list.iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let start = a.start.clone().max(b.start.clone());
            let (end, a_first) = match (&a.end, &b.end) {
                (Some(a), Some(b)) => (Some(a.min(b).clone()), a <= b),
                (Some(a), None) => (Some(a.clone()), true),
                (None, b) => (b.clone(), false),
            };
            if end.as_ref().is_none_or(|end| start < *end) {
                list.push(Interval { start, end, point: a.point || b.point });
            }
            if a_first {
                left.next();
            } else {
                right.next();
            }
        }
        Intervals { list, exact: self.exact && other.exact }
    }

    fn union(all: impl IntoIterator<Item = Intervals>) -> Intervals {
        let (mut sorted, mut exact) = (Vec::new(), true);
        for one in all {
            sorted.extend(one.list);
            exact &= one.exact;
        }
        sorted.sort_by(|a: &Interval, b| a.start.cmp(&b.start));
        let mut list: Vec<Interval> = Vec::new();
        for next in sorted {
            match list.last_mut() {
                Some(last) if !last.ends_before(&next.start) => {
                    if last.point && next.point {
                        continue; // the same point: two that differ do not overlap
                    }
                    last.point = false;
                    last.end = match (last.end.take(), next.end) {
                        (Some(last), Some(next)) => Some(last.max(next)),
                        _ => None,
                    };
                }
                _ => list.push(next),
            }
        }
        Intervals { list, exact }
    }

    /// The values that a predicate on a single field admits, with the field's name. `None` if no index can tell.
    pub(crate) fn of(model: &'static ModelDef, expr: &Expr, form: Form) -> Option<(&'static str, Intervals)> {
        match expr {
            Expr::Compare { field, op, value } => {
                let collation = collation(model, field, value)?;
                Some((field, Intervals::compared(collation, form, *op, value)?))
            }
            Expr::OneOf { field, values } => {
                let mut points = Vec::with_capacity(values.len());
                for value in values.iter().filter(|value| !value.is_null()) {
                    points.push(Intervals::point(collation(model, field, value)?, form, value));
                }
                Some((field, Intervals::union(points)))
            }
            Expr::Text { field, op: TextTest::StartsWith, needle } => {
                let field = evaluate::field(model, field).ok()?;
                if field.kind.collation() != Collation::Plain {
                    return None;
                }
                let mut prefix = Vec::new();
                Collation::encode_prefix(needle, &mut prefix);
                let end = successor(&prefix);
                Some((field.name, Intervals::one(prefix, end, needle.len() <= INDEX_TEXT)))
            }
            Expr::IsNone { field } => {
                Some((field, Intervals::point(collation(model, field, &Value::Null)?, form, &Value::Null)))
            }
            Expr::Not(not) => match &**not {
                Expr::IsNone { field } => {
                    let collation = collation(model, field, &Value::Null)?;
                    Some((field, Intervals::compared(collation, form, Compare::Ne, &Value::Null)?))
                }
                _ => None,
            },
            Expr::And(all) => {
                let mut of = all.iter().map(|one| Intervals::of(model, one, form));
                let (field, mut intervals) = of.next()??;
                for next in of {
                    let (other, more) = next?;
                    if other != field {
                        return None;
                    }
                    intervals = intervals.intersect(&more);
                }
                Some((field, intervals))
            }
            Expr::Or(any) => {
                let mut all = Vec::with_capacity(any.len());
                let mut field = None;
                for one in any {
                    let (name, intervals) = Intervals::of(model, one, form)?;
                    if *field.get_or_insert(name) != name {
                        return None;
                    }
                    all.push(intervals);
                }
                Some((field?, Intervals::union(all)))
            }
            Expr::Always | Expr::Text { .. } | Expr::Has { .. } | Expr::Related { .. } => None,
        }
    }

    fn compared(collation: Collation, form: Form, op: Compare, value: &Value) -> Option<Intervals> {
        let mut null = Vec::new();
        collation.encode(&Value::Null, &mut null);
        let present = successor(&null)?;
        if value.is_null() {
            return match op {
                Compare::Eq => Some(Intervals::point(collation, form, value)),
                Compare::Ne => Some(Intervals::one(present, None, true)),
                _ => Some(Intervals::none()),
            };
        }
        let mut key = Vec::new();
        let whole = form.encode(collation, value, &mut key);
        Some(match op {
            Compare::Eq => Intervals::point(collation, form, value),
            // nearly every row: no index is worth it
            Compare::Ne => return None,
            // values that were cut at the same place share their key, so a bound that was cut is let in and the row
            // decides
            Compare::Lt => Intervals::one(present, if whole { Some(key) } else { successor(&key) }, whole),
            Compare::Le => Intervals::one(present, successor(&key), whole),
            Compare::Gt => Intervals::one(if whole { successor(&key)? } else { key }, None, whole),
            Compare::Ge => Intervals::one(key, None, whole),
        })
    }
}

/// How a field's values compare, if `value` is of a kind that has an order.
fn collation(model: &'static ModelDef, field: &str, value: &Value) -> Option<Collation> {
    match value {
        Value::List(_) | Value::Map(_) | Value::Link(_) => None,
        _ => Some(evaluate::field(model, field).ok()?.kind.collation()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{Columns, model};
    use debros_core::Kind;

    fn one_field() -> &'static ModelDef {
        model(&Columns::new("id", Kind::Text).field("t", Kind::Text).field("n", Kind::Float))
    }
    fn text(op: Compare, value: &str) -> Expr {
        Expr::Compare { field: "t", op, value: Value::from(value) }
    }
    fn number(op: Compare, value: i64) -> Expr {
        Expr::Compare { field: "n", op, value: Value::from(value) }
    }
    fn of(expr: &Expr) -> Intervals {
        Intervals::of(one_field(), expr, Form::Cut).unwrap().1
    }
    fn admits(intervals: &Intervals, value: &Value) -> bool {
        let mut key = Vec::new();
        Collation::Plain.encode(value, &mut key);
        intervals.list.iter().any(|one| one.start <= key && one.end.as_ref().is_none_or(|end| key < *end))
    }

    #[test]
    fn a_range_holds_what_the_comparisons_admit() {
        let range = of(&Expr::And(vec![number(Compare::Gt, 3), number(Compare::Le, 9)]));
        for (value, within) in [(3, false), (4, true), (9, true), (10, false)] {
            assert_eq!(admits(&range, &Value::from(value)), within, "{value}");
        }
        assert!(!admits(&range, &Value::Null) && range.exact);
    }

    #[test]
    fn what_excludes_itself_is_empty() {
        assert!(of(&Expr::And(vec![number(Compare::Lt, 3), number(Compare::Gt, 3)])).list.is_empty());
        assert!(of(&number(Compare::Lt, 3)).list.len() == 1);
        assert!(of(&Expr::Compare { field: "n", op: Compare::Lt, value: Value::Null }).list.is_empty());
    }

    #[test]
    fn a_union_of_points_and_ranges_has_no_overlaps() {
        let union = of(&Expr::Or(vec![
            number(Compare::Eq, 7),
            number(Compare::Eq, 1),
            number(Compare::Eq, 1),
            Expr::And(vec![number(Compare::Ge, 5), number(Compare::Lt, 9)]),
            number(Compare::Gt, 8),
        ]));
        assert_eq!(union.list.len(), 2);
        assert!(union.list[0].point && !union.list[1].point);
        for pair in union.list.windows(2) {
            assert!(pair[0].ends_before(&pair[1].start));
        }
    }

    #[test]
    fn a_cut_value_is_let_in_and_proves_nothing() {
        let long = "x".repeat(INDEX_TEXT + 1);
        for op in [Compare::Eq, Compare::Lt, Compare::Le, Compare::Gt, Compare::Ge] {
            let intervals = of(&text(op, &long));
            assert!(!intervals.exact, "{op:?}");
            assert!(admits(&intervals, &Value::from(long.as_str())), "{op:?}");
            assert_eq!(intervals.constant(), None);
        }
        let whole = Intervals::of(one_field(), &text(Compare::Eq, &long), Form::Whole).unwrap().1;
        assert!(whole.exact && whole.constant().is_some());
    }

    #[test]
    fn predicates_on_two_fields_bind_neither() {
        let two = Expr::Or(vec![number(Compare::Eq, 1), text(Compare::Eq, "a")]);
        assert_eq!(Intervals::of(one_field(), &two, Form::Cut), None);
    }
}
