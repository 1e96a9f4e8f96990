//! A predicate in a form that the planner finds its way in.

use debros_core::{Compare, Expr};

/// The same predicate, with conjunctions and disjunctions flat, negations as far inside as they go, and constants
/// folded: the result is [`Expr::Always`], [never](is_never), or has neither in it.
pub(crate) fn simplify(expr: &Expr) -> Expr {
    match expr {
        Expr::And(all) => conjunction(all.iter().map(simplify)),
        Expr::Or(any) => disjunction(any.iter().map(simplify)),
        Expr::Not(inner) => negation(inner),
        Expr::OneOf { values, .. } if values.iter().all(debros_core::Value::is_null) => never(),
        other => other.clone(),
    }
}

/// Is this the predicate that holds for no row?
pub(crate) fn is_never(expr: &Expr) -> bool {
    matches!(expr, Expr::Or(any) if any.is_empty())
}

fn never() -> Expr {
    Expr::Or(Vec::new())
}

fn conjunction(all: impl Iterator<Item = Expr>) -> Expr {
    let mut flat = Vec::new();
    for one in all {
        match one {
            Expr::Always => {}
            Expr::And(more) => flat.extend(more),
            one if is_never(&one) => return one,
            one => flat.push(one),
        }
    }
    match flat.len() {
        0 => Expr::Always,
        1 => flat.swap_remove(0),
        _ => Expr::And(flat),
    }
}

fn disjunction(any: impl Iterator<Item = Expr>) -> Expr {
    let mut flat = Vec::new();
    for one in any {
        match one {
            Expr::Always => return Expr::Always,
            Expr::Or(more) => flat.extend(more),
            one => flat.push(one),
        }
    }
    if flat.len() == 1 { flat.swap_remove(0) } else { Expr::Or(flat) }
}

/// The negation of a predicate. Predicates have two values, so De Morgan's laws hold; an order does not turn into its
/// opposite, since both are false of an absent field.
fn negation(expr: &Expr) -> Expr {
    match expr {
        Expr::Always => never(),
        Expr::Not(inner) => simplify(inner),
        Expr::And(all) => disjunction(all.iter().map(negation)),
        Expr::Or(any) => conjunction(any.iter().map(negation)),
        Expr::OneOf { values, .. } if values.iter().all(debros_core::Value::is_null) => Expr::Always,
        Expr::Compare { field, op: Compare::Eq, value } => {
            Expr::Compare { field, op: Compare::Ne, value: value.clone() }
        }
        Expr::Compare { field, op: Compare::Ne, value } => {
            Expr::Compare { field, op: Compare::Eq, value: value.clone() }
        }
        other => Expr::Not(Box::new(other.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use debros_core::Value;

    fn eq(value: i64) -> Expr {
        Expr::Compare { field: "a", op: Compare::Eq, value: Value::from(value) }
    }
    fn ne(value: i64) -> Expr {
        Expr::Compare { field: "a", op: Compare::Ne, value: Value::from(value) }
    }
    fn lt(value: i64) -> Expr {
        Expr::Compare { field: "a", op: Compare::Lt, value: Value::from(value) }
    }
    fn not(expr: Expr) -> Expr {
        Expr::Not(Box::new(expr))
    }

    #[test]
    fn constants_fold_away() {
        assert_eq!(simplify(&Expr::And(vec![Expr::Always, eq(1), Expr::And(vec![])])), eq(1));
        assert!(is_never(&simplify(&Expr::And(vec![eq(1), never()]))));
        assert_eq!(simplify(&Expr::Or(vec![never(), eq(1)])), eq(1));
        assert_eq!(simplify(&Expr::Or(vec![eq(1), Expr::Always])), Expr::Always);
        assert!(is_never(&simplify(&Expr::OneOf { field: "a", values: vec![Value::Null] })));
    }

    #[test]
    fn negations_move_inside() {
        let both = Expr::And(vec![eq(1), not(eq(2))]);
        assert_eq!(simplify(&not(both)), Expr::Or(vec![ne(1), eq(2)]));
        let either = Expr::Or(vec![eq(1), lt(2)]);
        assert_eq!(simplify(&not(either)), Expr::And(vec![ne(1), not(lt(2))]));
        assert_eq!(simplify(&not(not(lt(1)))), lt(1));
    }

    #[test]
    fn nested_lists_become_one() {
        let nested = Expr::And(vec![eq(1), Expr::And(vec![eq(2), Expr::Or(vec![Expr::And(vec![lt(3), lt(4)])])])]);
        assert_eq!(simplify(&nested), Expr::And(vec![eq(1), eq(2), lt(3), lt(4)]));
    }
}
