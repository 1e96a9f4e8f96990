//! [`ChildScan`]: the index through which the children of rows are found, and what order it gives.

use super::{Rows, sorted, tied};
use crate::edge::collation_of;
use debros_core::{Compare, Expr, ID, Kind, ModelDef, SortKey, Value};
use debros_query::{KeyRange, Order, QueryError, Reach};

/// The index through which the children of rows are found.
pub(crate) struct ChildScan {
    pub(crate) child: &'static ModelDef,
    /// The fields of the child that hold the parent's key.
    pub(crate) keys: &'static [&'static str],
    /// A position in [`ModelDef::indexes`]; `None`: by key.
    pub(crate) index: Option<usize>,
    pub(crate) reverse: bool,
    pub(crate) reach: Reach,
    /// What the order of its rows is worth.
    pub(crate) sorted: Sorted,
    prefix: Vec<Bound>,
    /// Which of the parent's key values is the shard key.
    shard: Option<usize>,
    order: Order,
}

/// What an index field holds in the rows that are looked for.
#[derive(Clone, Debug)]
enum Bound {
    /// This of the parent's key values.
    Key(usize),
    /// What the filter says.
    Value(Value),
}

/// What the order in which a scan finds rows is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sorted {
    /// It is the one asked for, or none was.
    Fully,
    /// It is that of these fields; rows that tie in them are sorted among themselves.
    By(Vec<&'static str>),
    /// Rows are sorted by key before they are read.
    ByKeyFirst,
    /// Rows are sorted when all are read.
    Not,
}

impl ChildScan {
    /// The best index for the children of rows: by the parent's key and what `filter` says, in this order, if one is wanted. With
    /// a limit, an index in this order is worth more than one that knows more of the filter.
    pub(crate) fn new(
        child: &'static ModelDef,
        keys: &'static [&'static str],
        filter: &Expr,
        order: Option<&[SortKey]>,
        limit: Option<usize>,
        reach: Reach,
    ) -> Result<ChildScan, QueryError> {
        let constants = constants(filter);
        let bound = |field: &str| match keys.iter().position(|key| *key == field) {
            Some(at) => Some(Bound::Key(at)),
            None => constants.iter().find(|(name, _)| *name == field).map(|(_, value)| Bound::Value((*value).clone())),
        };
        let shard = child.sharding.and_then(|sharding| keys.iter().position(|key| *key == sharding.key));
        let sort = Order::new(child, order.unwrap_or_default())?;
        let by_key = child.key_fields().map(|field| field.name).filter(|name| child.stored_name(name) == ID);
        let scans = std::iter::once((None, by_key.collect::<Vec<_>>()))
            .chain(child.indexes.iter().enumerate().map(|(at, index)| (Some(at), index.fields.to_vec())));
        let mut best: Option<((usize, usize, usize), ChildScan)> = None;
        for (index, fields) in scans {
            let prefix: Vec<Bound> = fields.iter().map_while(|field| bound(field)).collect();
            let named = prefix.iter().filter(|bound| matches!(bound, Bound::Key(_))).count();
            let mut scan = ChildScan {
                child,
                keys,
                index,
                reverse: false,
                reach,
                sorted: Sorted::Fully,
                prefix,
                shard,
                order: sort.clone(),
            };
            if let Some(order) = order {
                scan.sort(order, &fields);
            }
            let worth = match &scan.sorted {
                Sorted::Fully => 3,
                Sorted::By(fields) if fields.len() == order.map_or(0, <[_]>::len) => 2,
                Sorted::By(_) => 1,
                Sorted::ByKeyFirst | Sorted::Not => 0,
            };
            let bound = scan.prefix.len();
            let score = if limit.is_some() { (named, worth, bound) } else { (named, bound, worth) };
            if best.as_ref().is_none_or(|(before, _)| score > *before) {
                best = Some((score, scan));
            }
        }
        // there is always the scan by key
        best.map(|(_, scan)| scan).ok_or(QueryError::UnknownField { model: child.name, field: ID.to_owned() })
    }

    /// Finds out what the order of an index of these fields is worth.
    fn sort(&mut self, order: &[SortKey], fields: &[&'static str]) {
        let bound = &fields[..self.prefix.len()];
        let (mut columns, mut descending): (Vec<SortKey>, bool) = (Vec::new(), false);
        // what comes after the key tells rows of one key apart, which several databases can have
        let (mut key, mut after_key) = (false, false);
        for (at, column) in order.iter().enumerate() {
            if key {
                after_key = true;
                break;
            }
            descending = column.descending;
            key = self.child.stored_name(column.field) == ID;
            let repeated = order[..at].iter().any(|before| before.field == column.field);
            if !key && !repeated && !bound.contains(&column.field) {
                columns.push(*column);
            }
        }
        let rest = &fields[self.prefix.len()..];
        let first = columns.first().map_or(descending, |column| column.descending);
        let matched = columns
            .iter()
            .zip(rest)
            .take_while(|(column, field)| column.field == **field && column.descending == first);
        let matched: Vec<&'static str> = matched.map(|(_, field)| *field).collect();
        self.reverse = first;
        // across users' databases, rows with the same values come in any order
        let ties = self.reach == Reach::Everywhere && self.child.is_user_scoped();
        let exact = matched.len() == columns.len() && matched.len() == rest.len() && first == descending;
        let whole =
            exact && matched.iter().all(|field| self.child.field(field).is_some_and(|field| is_short(field.kind)));
        self.sorted = match () {
            () if !after_key && self.index.is_none() && columns.is_empty() => Sorted::Fully,
            () if !after_key && whole && !ties => Sorted::Fully,
            () if !matched.is_empty() => Sorted::By(matched),
            () if !after_key && columns.is_empty() => Sorted::ByKeyFirst,
            () => Sorted::Not,
        };
    }

    /// The part of the index that has the children of a parent with these key values.
    pub(crate) fn range(&self, values: &[Value]) -> KeyRange {
        let mut prefix = Vec::new();
        let by_key: Vec<&'static str>;
        let fields = match self.index {
            Some(index) => self.child.indexes[index].fields,
            None => {
                by_key = self.child.key_fields().map(|field| field.name).collect();
                &by_key[..]
            }
        };
        for (bound, field) in self.prefix.iter().zip(fields) {
            let (collation, value) = (collation_of(self.child, field), bound.value(values));
            match self.index {
                Some(_) => _ = collation.encode(value, &mut prefix),
                None => collation.encode_whole(value, &mut prefix),
            }
        }
        if prefix.is_empty() { KeyRange::ALL } else { KeyRange::prefix(prefix) }
    }

    /// The value of the shard key of all children of a parent with these key values, if they have one.
    pub(crate) fn shard<'v>(&self, values: &'v [Value]) -> Option<&'v Value> {
        self.shard.and_then(|at| values.get(at))
    }

    /// Puts rows that come in the order of the scan into the one asked for. With `keep`, no more than these are wanted.
    pub(crate) fn in_order<'l>(&self, rows: Rows<'l>, keep: Option<usize>) -> Result<Rows<'l>, QueryError> {
        match &self.sorted {
            Sorted::Fully | Sorted::ByKeyFirst => Ok(rows),
            Sorted::Not => sorted(&self.order, rows, keep),
            Sorted::By(fields) => {
                let columns =
                    fields.iter().map(|field| (self.child.stored_name(field), collation_of(self.child, field)));
                Ok(tied(self.order.clone(), columns.collect(), rows))
            }
        }
    }
}

impl Bound {
    fn value<'v>(&'v self, values: &'v [Value]) -> &'v Value {
        match self {
            Bound::Key(at) => values.get(*at).unwrap_or(&Value::Null),
            Bound::Value(value) => value,
        }
    }
}

/// The values that a filter demands of single fields.
fn constants(filter: &Expr) -> Vec<(&'static str, &Value)> {
    match filter {
        Expr::Compare { field, op: Compare::Eq, value } => match value {
            // these have no order, so an index does not tell them apart
            Value::List(_) | Value::Map(_) | Value::Link(_) => Vec::new(),
            _ => vec![(*field, value)],
        },
        Expr::And(all) => all.iter().flat_map(constants).collect(),
        _ => Vec::new(),
    }
}

/// Is every value of this kind so short that an index keeps it whole?
fn is_short(kind: Kind) -> bool {
    match kind {
        Kind::Bool | Kind::Int { .. } | Kind::Float | Kind::Timestamp => true,
        Kind::Id | Kind::Uuid | Kind::Decimal | Kind::User => true,
        Kind::Text | Kind::Bytes | Kind::List | Kind::Map | Kind::Enum | Kind::Struct | Kind::Serde => false,
    }
}
