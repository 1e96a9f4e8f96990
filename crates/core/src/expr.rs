//! Queries as data: predicates, orders and includes, without types.
//!
//! The typed surface ([`Filter`](crate::Filter), [`Sort`](crate::Sort), [`Inc`](crate::Inc)) only makes these.

use crate::Value;

/// A predicate over one record. Absent values follow Rust's `Option`: see the variants.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// Holds always.
    Always,
    /// `field op value`. Of an absent field `Eq` is false and `Ne` true against a value; orders are false. Against null, `Eq` asks
    /// for absence.
    Compare {
        /// The field's name in the struct.
        field: &'static str,
        /// How.
        op: Compare,
        /// With what, in stored form.
        value: Value,
    },
    /// Is the field's value one of these? Of an absent field: false. `none_of` is the negation.
    OneOf {
        /// The field's name in the struct.
        field: &'static str,
        /// The values, in stored form.
        values: Vec<Value>,
    },
    /// A test of text. Of an absent field: false.
    Text {
        /// The field's name in the struct.
        field: &'static str,
        /// How.
        op: TextTest,
        /// The text looked for.
        needle: String,
    },
    /// Does the field, a list, hold this value?
    Has {
        /// The field's name in the struct.
        field: &'static str,
        /// The element.
        value: Value,
    },
    /// Is the field absent?
    IsNone {
        /// The field's name in the struct.
        field: &'static str,
    },
    /// A predicate on the rows that a relation leads to.
    Related {
        /// The relation's name in the struct.
        relation: &'static str,
        /// On which of them.
        quantifier: Quantifier,
        /// The predicate.
        expr: Box<Expr>,
        /// Only rows in the asking user's own stores (`.mine()`).
        mine: bool,
    },
    /// All hold.
    And(Vec<Expr>),
    /// At least one holds.
    Or(Vec<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
}

impl Expr {
    /// Both hold; nested conjunctions become one.
    pub fn and(self, other: Expr) -> Expr {
        match (self, other) {
            (Expr::Always, one) | (one, Expr::Always) => one,
            (Expr::And(mut all), Expr::And(more)) => {
                all.extend(more);
                Expr::And(all)
            }
            (Expr::And(mut all), one) => {
                all.push(one);
                Expr::And(all)
            }
            (one, Expr::And(mut all)) => {
                all.insert(0, one);
                Expr::And(all)
            }
            (a, b) => Expr::And(vec![a, b]),
        }
    }

    /// The first relation through which it reads other rows, if it does.
    pub fn relation(&self) -> Option<&'static str> {
        match self {
            Expr::Related { relation, .. } => Some(relation),
            Expr::And(list) | Expr::Or(list) => list.iter().find_map(Expr::relation),
            Expr::Not(not) => not.relation(),
            _ => None,
        }
    }

    /// At least one holds; nested disjunctions become one.
    pub fn or(self, other: Expr) -> Expr {
        match (self, other) {
            (Expr::Or(mut any), Expr::Or(more)) => {
                any.extend(more);
                Expr::Or(any)
            }
            (Expr::Or(mut any), one) => {
                any.push(one);
                Expr::Or(any)
            }
            (a, b) => Expr::Or(vec![a, b]),
        }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// How a text is tested. All tests tell upper from lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTest {
    /// The needle stands somewhere in it.
    Contains,
    /// It begins with the needle.
    StartsWith,
    /// It ends with the needle.
    EndsWith,
}

/// On which of a relation's rows a predicate must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// On the one row there is. False if there is none.
    Is,
    /// On at least one.
    Any,
    /// On each; true if there is none.
    All,
    /// On not one.
    None,
}

/// One column of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The field's name in the struct.
    pub field: &'static str,
    /// Largest first? Absent comes last then; ascending it comes first.
    pub descending: bool,
}

/// One relation to load with the rows of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct IncludeSpec {
    /// The relation's name in the struct.
    pub relation: &'static str,
    /// Which rows.
    pub filter: Expr,
    /// In which order; ties by key.
    pub order: Vec<SortKey>,
    /// At most how many for each parent.
    pub limit: Option<usize>,
    /// Only rows in the asking user's own stores (`.mine()`).
    pub mine: bool,
    /// What to load with each of them.
    pub includes: Vec<IncludeSpec>,
}
