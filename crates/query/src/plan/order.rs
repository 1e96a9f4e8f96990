//! [`Order`]: the order that a query asks for, and the place of a row in it as bytes.

use crate::{Cursor, DatabaseId, Found, QueryError, encode_key, evaluate};
use debros_core::{Collation, ID, Map, ModelDef, SortKey, Value};

/// One column of an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) field: &'static str,
    pub(crate) stored: &'static str,
    pub(crate) collation: Collation,
    pub(crate) descending: bool,
}

/// An order of the rows of a model in which no two tie: by columns, then by key, then by database, the last two in the
/// direction of the last column. What comes after the key counts among rows of one key, which several databases can
/// have.
///
/// ```
/// use debros_core::{Kind, Map, SortKey, Value};
/// use debros_query::{DatabaseId, Order, oracle::{Columns, model}};
///
/// let post = model(&Columns::new("id", Kind::Text).field("likes", Kind::Float));
/// let order = Order::new(post, &[SortKey { field: "likes", descending: true }]).unwrap();
/// let rank = |likes: i64| {
///     let record: Map = [("_id", Value::from("a")), ("likes", Value::from(likes))].into_iter().collect();
///     order.rank(&record, b"a", DatabaseId(0))
/// };
/// assert!(rank(9) < rank(3));
/// ```
#[derive(Clone, Debug)]
pub struct Order {
    model: &'static ModelDef,
    /// What comes before the key.
    pub(crate) columns: Vec<Column>,
    /// Does the key go downwards?
    pub(crate) descending: bool,
    /// What comes after the key, before the database.
    rest: Vec<Column>,
}

impl Order {
    /// The order by these columns; by key, if there are none.
    ///
    /// # Errors
    /// If the model lacks one of them.
    pub fn new(model: &'static ModelDef, keys: &[SortKey]) -> Result<Order, QueryError> {
        let mut order = Order { model, columns: Vec::new(), descending: false, rest: Vec::new() };
        let mut by_key = false;
        for key in keys {
            let field = evaluate::field(model, key.field)?;
            let stored = model.stored_name(field.name);
            if !by_key {
                order.descending = key.descending;
            }
            if order.all().any(|column| column.stored == stored) || (by_key && stored == ID) {
                // rows that get here are equal in it
                continue;
            }
            let (collation, descending) = (field.kind.collation(), key.descending);
            let column = Column { field: field.name, stored, collation, descending };
            if by_key {
                order.rest.push(column);
                continue;
            }
            if stored == ID {
                by_key = true;
            } else {
                order.columns.push(column);
            }
        }
        Ok(order)
    }

    fn all(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().chain(&self.rest)
    }

    /// The place of a row, as bytes: rows sort as these do.
    pub fn rank(&self, record: &Map, key: &[u8], database: DatabaseId) -> Vec<u8> {
        self.place(|column| record.field(column.stored), key, database)
    }

    fn place<'v>(&self, value: impl Fn(&Column) -> &'v Value, key: &[u8], database: DatabaseId) -> Vec<u8> {
        let mut rank = Vec::with_capacity(16 * self.columns.len() + key.len() + 4);
        let append = |rank: &mut Vec<u8>, column: &Column| {
            let from = rank.len();
            column.collation.encode_whole(value(column), rank);
            turn(&mut rank[from..], column.descending);
        };
        self.columns.iter().for_each(|column| append(&mut rank, column));
        self.append_key(&mut rank, key);
        self.rest.iter().for_each(|column| append(&mut rank, column));
        self.append_database(&mut rank, database);
        rank
    }

    /// The place of a row.
    pub(crate) fn rank_of(&self, found: &Found) -> Vec<u8> {
        self.rank(&found.record, &found.key, found.database)
    }

    /// Where a page that ends with this row ends.
    pub(crate) fn cursor(&self, found: &Found) -> Cursor {
        let values = self.all().map(|column| (column.field, found.record.field(column.stored).clone()));
        Cursor { values: values.collect(), id: found.record.field(ID).clone(), database: found.database }
    }

    /// The place at which a page ended.
    pub(crate) fn rank_at(&self, cursor: &Cursor) -> Vec<u8> {
        self.place(|column| cursor.value(column.field), &encode_key(self.model, &cursor.id), cursor.database)
    }

    /// Does the key tell all rows apart, as far as the order goes on?
    pub(crate) fn ends_with_key(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn append_key(&self, rank: &mut Vec<u8>, key: &[u8]) {
        let from = rank.len();
        rank.extend_from_slice(key);
        turn(&mut rank[from..], self.descending);
    }

    pub(crate) fn append_database(&self, rank: &mut Vec<u8>, database: DatabaseId) {
        let from = rank.len();
        rank.extend_from_slice(&database.0.to_be_bytes());
        turn(&mut rank[from..], self.descending);
    }
}

/// Inverts an encoded value that is to sort downwards. No encoded value begins another, so inverted ones sort the other
/// way round.
pub(crate) fn turn(bytes: &mut [u8], descending: bool) {
    if descending {
        bytes.iter_mut().for_each(|byte| *byte = !*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{Columns, model};
    use debros_core::Kind;

    fn by(keys: &[(&'static str, bool)]) -> Order {
        let def = model(&Columns::new("id", Kind::Text).field("a", Kind::Text).field("b", Kind::Float));
        let keys: Vec<SortKey> = keys.iter().map(|&(field, descending)| SortKey { field, descending }).collect();
        Order::new(def, &keys).unwrap()
    }
    fn record(a: Value, b: i64) -> Map {
        [("a", a), ("b", Value::from(b))].into_iter().collect()
    }

    #[test]
    fn what_comes_after_the_key_counts_between_databases() {
        let order = by(&[("a", false), ("id", true), ("b", false), ("id", false)]);
        assert_eq!((order.columns.len(), order.rest.len()), (1, 1));
        assert!(order.descending);
        let rank = |key: &[u8], b, database| order.rank(&record(Value::Null, b), key, DatabaseId(database));
        assert!(rank(b"k", 1, 9) < rank(b"k", 2, 3));
        assert!(rank(b"l", 9, 3) < rank(b"k", 1, 3));
    }

    #[test]
    fn a_column_that_stands_twice_counts_once() {
        let order = by(&[("a", true), ("a", false)]);
        assert_eq!(order.columns.len(), 1);
        assert!(order.columns[0].descending && !order.descending);
    }

    #[test]
    fn a_longer_text_comes_after_its_beginning_and_before_it_downwards() {
        for descending in [false, true] {
            let order = by(&[("a", descending)]);
            let rank = |a: &str| order.rank(&record(Value::from(a), 0), b"k", DatabaseId(0));
            assert_eq!(rank("ab") < rank("abc"), !descending);
        }
    }

    #[test]
    fn an_absent_value_comes_first_and_last_downwards() {
        for descending in [false, true] {
            let order = by(&[("a", descending), ("b", false)]);
            let absent = order.rank(&record(Value::Null, 9), b"k", DatabaseId(0));
            let present = order.rank(&record(Value::from(""), 0), b"k", DatabaseId(0));
            assert_eq!(absent < present, !descending);
        }
    }

    #[test]
    fn a_cursor_has_the_rank_of_its_row() {
        let order = by(&[("a", true), ("b", false)]);
        let mut record = record(Value::from("x"), 3);
        record.insert(ID, "k");
        let found = Found { database: DatabaseId(7), key: encode_key(order.model, &Value::from("k")), record };
        assert_eq!(order.rank_at(&order.cursor(&found)), order.rank_of(&found));
    }

    #[test]
    fn an_unknown_column_is_an_error() {
        let def = model(&Columns::new("id", Kind::Text));
        let error = Order::new(def, &[SortKey { field: "gone", descending: false }]).unwrap_err();
        assert!(error.to_string().contains("no field `gone`"), "{error}");
    }
}
