//! Generators of schemas, data and queries.

use super::{Case, CaseRow, Columns, model};
use crate::{Aggregate, Answered, End, GroupOrder, GroupSpec, Outcome, QueryError, QuerySpec, Reach, Start};
use debros_core::{
    Compare, Expr, ID, INDEX_TEXT, IncludeSpec, Kind, Map, ModelDef, Quantifier, SortKey, TextTest, Value,
    composite_key,
};
use proptest::{collection::vec, prelude::*};

/// Any case: a schema with any indexes, on 1 to 8 shards or with any number of users, up to 40 rows, and any query.
///
/// ```
/// use debros_query::oracle::cases;
/// use proptest::{strategy::{Strategy as _, ValueTree as _}, test_runner::TestRunner};
///
/// let case = cases().new_tree(&mut TestRunner::default()).unwrap().current();
/// let answer = case.execute(&case.source());
/// assert_eq!(case.disagreement(&answer), None);
/// ```
pub fn cases() -> impl Strategy<Value = Case> {
    dice().prop_map(|(mut schema, mut rows, mut query)| query.case(&mut schema, &mut rows))
}

/// What decides of the schema, of the rows and of the query.
fn dice() -> impl Strategy<Value = (Dice, Dice, Dice)> {
    let dice = |enough: usize| vec(any::<u16>(), enough / 2..enough).prop_map(Dice::new);
    (dice(60), dice(700), dice(200))
}

/// A query that is read page by page while rows come and go.
#[derive(Clone, Debug)]
pub struct Walk {
    /// The first page.
    pub case: Case,
    /// How many rows a page has.
    pub size: usize,
    /// What happens after each page.
    pub changes: Vec<Vec<Change>>,
}

/// A row that comes or goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It comes.
    Insert(CaseRow),
    /// It goes, if it is there.
    Remove(CaseRow),
}

/// Any walk: pages of 1 to 4 rows. No key is in two databases, so there is one order.
pub fn walks() -> impl Strategy<Value = Walk> {
    dice().prop_map(|(mut schema, mut rows, mut query)| query.walk(&mut schema, &mut rows))
}

impl Walk {
    /// Walks through the pages; says how one of them differs from what the oracle says.
    pub fn disagreement(
        mut self,
        mut apply: impl FnMut(&Change),
        mut execute: impl FnMut(&QuerySpec, &End) -> Result<Outcome, QueryError>,
    ) -> Option<String> {
        let mut changes = self.changes.into_iter();
        // every page but the last has a row, and rows that are passed do not come again
        for page in 0..200 {
            let answer = execute(&self.case.spec, &self.case.end);
            if let Some(difference) = self.case.disagreement(&answer) {
                return Some(format!("page {page}: {difference}"));
            }
            let Ok(Outcome { found: Answered::Page(got), .. }) = answer else {
                return Some(format!("page {page} is none: {answer:?}"));
            };
            // the last page is empty
            self.case.spec.after = Some(got.cursor?);
            for change in changes.next().into_iter().flatten() {
                apply(&change);
                match change {
                    Change::Insert(row) => self.case.rows.push(row),
                    Change::Remove(row) => self.case.rows.retain(|one| *one != row),
                }
            }
        }
        Some("it has no end".to_owned())
    }
}

/// Numbers that decide; all zeros give the simplest of everything, and so does the end of them.
#[derive(Debug)]
struct Dice {
    numbers: std::vec::IntoIter<u16>,
}

/// The columns that have names of their own.
const COLUMNS: [&str; 3] = ["a", "b", "c"];
const KINDS: [Kind; 9] = [
    Kind::Int { min: i64::MIN as i128, max: i64::MAX as i128 },
    Kind::Text,
    Kind::Bool,
    Kind::Float,
    Kind::Timestamp,
    Kind::Uuid,
    Kind::Decimal,
    Kind::Bytes,
    Kind::List,
];
const PARENTS: [&str; 4] = ["p0", "p1", "p2", "p3"];

/// What was decided of a schema.
struct Table {
    kinds: Vec<(&'static str, Kind)>,
    key: Kind,
    composite: bool,
    user_scoped: bool,
    users: u8,
    /// Can a key be in the stores of several users?
    shared_keys: bool,
}

impl Dice {
    fn new(numbers: Vec<u16>) -> Dice {
        Dice { numbers: numbers.into_iter() }
    }

    fn below(&mut self, end: usize) -> usize {
        usize::from(self.numbers.next().unwrap_or(0)) % end.max(1)
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn case(&mut self, schema: &mut Dice, rows: &mut Dice) -> Case {
        let (mut case, table) = schema.data(rows, true);
        case.spec = self.spec(&case, &table);
        case.end = self.end(&table);
        let figures = matches!(case.end, End::Aggregate(_) | End::Group(_));
        if figures && case.spec.limit.is_some() && case.spec.order.is_empty() {
            // which rows these are is up to the plan
            case.spec.limit = None;
        }
        case
    }

    fn walk(&mut self, schema: &mut Dice, rows: &mut Dice) -> Walk {
        let (mut case, table) = schema.data(rows, false);
        case.spec = self.spec(&case, &table);
        case.spec.limit = None;
        if matches!(case.spec.start, Start::Key(_)) {
            case.spec.start = Start::All;
        }
        let size = 1 + self.below(4);
        case.end = End::Page(size);
        let mut changes = Vec::new();
        for at in 0..self.below(8) {
            let mut some = Vec::new();
            for which in 0..self.below(4) {
                some.push(match self.below(2) {
                    0 if !case.rows.is_empty() => Change::Remove(self.pick(&case.rows)),
                    _ => Change::Insert(rows.row(&table, 100 + 10 * at + which)),
                });
            }
            // parents stay, so that what is loaded can be told from the case
            some.retain(|change| matches!(change, Change::Insert(row) | Change::Remove(row) if row.table == 0));
            changes.push(some);
        }
        Walk { case, size, changes }
    }

    /// A schema and rows; the query is every row.
    fn data(&mut self, dice: &mut Dice, shared_keys: bool) -> (Case, Table) {
        let composite = self.once_in(5);
        let key = if composite { Kind::Text } else { self.pick(&[Kind::Text, KINDS[0], Kind::Uuid]) };
        let users = self.pick(&[1, 2, 3, 30, 30]);
        let user_scoped = self.once_in(2);
        let table = Table {
            kinds: COLUMNS.iter().map(|&name| (name, self.pick(&KINDS))).collect(),
            key,
            composite,
            user_scoped,
            users,
            shared_keys: shared_keys && user_scoped && self.once_in(3),
        };
        let mut columns = if composite {
            Columns::new("k1", Kind::Text).key_field("k2", KINDS[0])
        } else {
            Columns::new("id", key).has_many("kids", "Kid", "r")
        };
        columns = columns.field("n", KINDS[0]).field("p", Kind::Text);
        for &(name, kind) in &table.kinds {
            columns = columns.field(name, kind);
        }
        let optional = self.once_in(2);
        columns = columns.belongs_to("parent", "Parent", "p", optional);
        for _ in 0..self.below(5) {
            let mut fields = vec![self.pick(&["a", "b", "c", "p", "n"])];
            for _ in 0..self.below(3) {
                let next = self.pick(&["b", "c", "a", "n"]);
                if !fields.contains(&next) {
                    fields.push(next);
                }
            }
            columns = columns.index(&fields);
        }
        if user_scoped {
            columns = columns.user_scoped();
        }
        if self.once_in(2) {
            let by = if composite { "k1" } else { self.pick(&["id", "a", "n"]) };
            columns = columns.sharded(by, 1 + self.below(8) as u32);
        }
        let row = model(&columns);
        let parent = model(
            &Columns::new("id", Kind::Text)
                .named("Parent")
                .field("x", KINDS[0])
                .has_many("rows", "Row", "p")
                .index(&["x"]),
        );
        let kid = model(
            &Columns::new("id", Kind::Text)
                .named("Kid")
                .field("r", key)
                .field("y", KINDS[0])
                .belongs_to("row", "Row", "r", true)
                .index(&["r"]),
        );
        let mut rows = Vec::new();
        for number in 0..dice.below(41) {
            let row = dice.row(&table, number);
            let same = |other: &CaseRow| other.owner == row.owner && other.record.get(ID) == row.record.get(ID);
            if !rows.iter().any(same) {
                rows.push(row);
            }
        }
        let ids: Vec<Value> = rows.iter().map(|row| row.record.field(ID).clone()).collect();
        for id in PARENTS.iter().take(1 + dice.below(PARENTS.len())) {
            let x = Value::from(dice.below(3) as i64);
            let record = [(ID, Value::text(id)), ("x", x)].into_iter().collect();
            rows.push(CaseRow { table: 1, owner: None, record });
        }
        if !composite && !ids.is_empty() {
            for number in 0..dice.below(12) {
                let (r, y) = (dice.pick(&ids), Value::from(dice.below(3) as i64));
                let record = [(ID, Value::from(format!("kid{number}"))), ("r", r), ("y", y)].into_iter().collect();
                rows.push(CaseRow { table: 2, owner: None, record });
            }
        }
        let me = match dice.below(4) {
            3 => None,
            _ => Some(dice.below(usize::from(users)) as u8),
        };
        (Case { tables: vec![row, parent, kid], rows, me, spec: QuerySpec::new(row), end: End::Rows }, table)
    }

    fn row(&mut self, table: &Table, number: usize) -> CaseRow {
        let mut record = Map::new();
        let of_key = if table.shared_keys { number / 2 } else { number };
        let id = match table.key {
            Kind::Uuid => Value::from(format!("018bcfe5-6800-7000-8000-0000000000{of_key:02x}")),
            Kind::Text => Value::from(match of_key % 4 {
                3 => format!("{}{of_key}", "k".repeat(INDEX_TEXT)),
                _ => format!("{}{of_key}", ["", "k", "k\0"][of_key % 4]),
            }),
            _ => Value::from(of_key as i64 - 20),
        };
        if table.composite {
            let parts = [id, Value::from(of_key as i64 % 7)];
            record.insert(ID, composite_key(&parts));
            let [first, second] = parts;
            record.insert("k1", first);
            record.insert("k2", second);
        } else {
            record.insert(ID, id);
        }
        record.insert("n", number as i64);
        if !self.once_in(5) {
            record.insert("p", Value::text(self.pick(&PARENTS)));
        }
        for &(name, kind) in &table.kinds {
            match self.below(6) {
                5 => {}
                4 => {
                    record.insert(name, Value::Null);
                }
                _ => {
                    record.insert(name, self.value(kind));
                }
            }
        }
        let owner = table.user_scoped.then(|| self.below(usize::from(table.users)) as u8);
        CaseRow { table: 0, owner, record }
    }

    fn value(&mut self, kind: Kind) -> Value {
        let long = |c: &str, length: usize, end: &str| Value::from(c.repeat(length) + end);
        let all: Vec<Value> = match kind {
            Kind::Bool => [false, true].map(Value::from).into(),
            Kind::Float => [0.0, 0.25, 1.0, -1.5, 2.0, 2.5, -0.25].map(Value::from).into(),
            Kind::Text => {
                let mut all: Vec<Value> = ["a", "", "ab", "b", "a\0", "a\0b", "é"].map(Value::from).into();
                all.extend([
                    long("x", INDEX_TEXT, ""),
                    long("x", INDEX_TEXT, "a"),
                    long("x", INDEX_TEXT, "b"),
                    long("x", INDEX_TEXT, "bc"),
                    long("x", INDEX_TEXT - 1, "y"),
                ]);
                all
            }
            Kind::Uuid => {
                ["018bcfe5-6800-7000-8000-000000000000", "ffffffff-0000-4000-8000-000000000000"].map(Value::from).into()
            }
            Kind::Decimal => ["0", "1.0", "1.00", "-2.5", "10", "100.125"].map(Value::from).into(),
            Kind::Bytes => {
                [vec![], vec![0], vec![0, 1], vec![0xff], vec![7; 300], vec![7; 301]].map(Value::Bytes).into()
            }
            Kind::List => [vec![], vec![Value::from(1)], vec![Value::from(1), Value::from(2)]].map(Value::List).into(),
            _ => [0, 1, 2, 3, -1, -2, i64::MAX, i64::MIN].map(Value::from).into(),
        };
        self.pick(&all)
    }

    fn spec(&mut self, case: &Case, table: &Table) -> QuerySpec {
        let mut spec = QuerySpec::new(case.tables[0]);
        if self.below(3) > 0 {
            spec.reach = Reach::Everywhere;
        }
        spec.filter = match self.below(5) {
            0 => Expr::Always,
            depth => self.filter(case, table, depth.min(3)),
        };
        for _ in 0..self.below(4) {
            let mut fields = vec!["n", "a", "b", "c", "p"];
            fields.extend(if table.composite { ["k1", "k2"] } else { ["id", "id"] });
            spec.order.push(SortKey { field: self.pick(&fields), descending: self.once_in(2) });
        }
        if self.once_in(3) && !spec.model.indexes.is_empty() {
            self.follow_an_index(case, table, &mut spec);
        }
        if self.once_in(6) {
            let any: Vec<Expr> = (0..1 + self.below(3)).map(|_| self.indexed(case, table, spec.model)).collect();
            spec.filter = if self.once_in(2) { Expr::Or(any) } else { Expr::Or(any).and(spec.filter.clone()) };
        }
        if self.once_in(2) {
            spec.limit = Some(self.below(12));
        }
        if self.once_in(4) {
            let mut include = self.include("parent");
            if self.once_in(3) {
                include.filter = Expr::Compare { field: "x", op: Compare::Lt, value: Value::from(2) };
            }
            spec.includes.push(include);
        }
        if !table.composite && self.once_in(5) {
            let mut include = self.include("kids");
            if self.once_in(2) {
                include.order = vec![SortKey { field: "y", descending: self.once_in(2) }];
                include.limit = Some(self.below(3));
            }
            spec.includes.push(include);
        }
        match self.below(8) {
            6 => {
                let parents: Vec<&CaseRow> = case.rows.iter().filter(|row| row.table == 1).collect();
                let record = self.pick(&parents).record.clone();
                spec.start = Start::Related { from: case.tables[1], relation: "rows", record };
            }
            7 => {
                let kids: Vec<&CaseRow> = case.rows.iter().filter(|row| row.table == 2).collect();
                if !kids.is_empty() && !table.user_scoped && self.once_in(2) {
                    let record = self.pick(&kids).record.clone();
                    spec.start = Start::Related { from: case.tables[2], relation: "row", record };
                } else if let Some(row) = case.rows.iter().find(|row| row.table == 0) {
                    spec.start = Start::Key(row.record.field(ID).clone());
                    // whose row is meant by one key is no question to the oracle
                    spec.reach = Reach::Own;
                }
            }
            _ => {}
        }
        spec
    }

    /// A predicate on the key, or on the first field of an index.
    fn indexed(&mut self, case: &Case, table: &Table, model: &'static ModelDef) -> Expr {
        let mut fields: Vec<&'static str> = model.indexes.iter().map(|index| index.fields[0]).collect();
        fields.push(model.fields[0].name);
        let field = self.pick(&fields);
        let list = |name: &str| table.kinds.iter().any(|(other, kind)| *other == name && *kind == Kind::List);
        let rows = case.rows.iter().filter(|row| row.table == 0);
        let held: Vec<Value> = rows.map(|row| row.record.field(model.stored_name(field)).clone()).collect();
        if held.is_empty() || list(field) {
            return Expr::IsNone { field };
        }
        let (value, other) = (self.pick(&held), self.pick(&held));
        match self.below(4) {
            0 => Expr::Compare { field, op: Compare::Eq, value },
            1 => Expr::OneOf { field, values: vec![value, other] },
            2 => Expr::Compare { field, op: Compare::Gt, value },
            _ => Expr::Compare { field, op: Compare::Eq, value }.and(self.leaf(case, table)),
        }
    }

    /// Asks for what an index has: values of its first fields, a range of the next, and the order of the rest.
    fn follow_an_index(&mut self, case: &Case, table: &Table, spec: &mut QuerySpec) {
        let fields = spec.model.indexes[self.below(spec.model.indexes.len())].fields;
        let (fixed, ranged, descending) = (self.below(fields.len() + 1), self.once_in(2), self.once_in(2));
        for (at, &field) in fields.iter().enumerate() {
            let kind = table.kinds.iter().find(|(name, _)| *name == field).map(|(_, kind)| *kind);
            let kind = kind.unwrap_or(if field == "p" { Kind::Text } else { KINDS[0] });
            if kind == Kind::List {
                break;
            }
            let held: Vec<Value> =
                case.rows.iter().filter(|row| row.table == 0).map(|row| row.record.field(field).clone()).collect();
            let value = if held.is_empty() { self.value(kind) } else { self.pick(&held) };
            let more = match at.cmp(&fixed) {
                std::cmp::Ordering::Less if self.once_in(4) => {
                    Expr::OneOf { field, values: vec![self.value(kind), value] }
                }
                std::cmp::Ordering::Less => Expr::Compare { field, op: Compare::Eq, value },
                std::cmp::Ordering::Equal if ranged => {
                    Expr::Compare { field, op: self.pick(&[Compare::Ge, Compare::Le, Compare::Gt, Compare::Lt]), value }
                }
                _ => Expr::Always,
            };
            spec.filter = more.and(spec.filter.clone());
        }
        if self.once_in(2) {
            let order = fields.iter().skip(fixed).map(|&field| SortKey { field, descending });
            spec.order.splice(..0, order);
        }
    }

    fn include(&mut self, relation: &'static str) -> IncludeSpec {
        IncludeSpec {
            relation,
            filter: Expr::Always,
            order: Vec::new(),
            limit: None,
            mine: false,
            includes: Vec::new(),
        }
    }

    fn filter(&mut self, case: &Case, table: &Table, depth: usize) -> Expr {
        let parts = |dice: &mut Dice| -> Vec<Expr> {
            (0..dice.below(4)).map(|_| dice.filter(case, table, depth - 1)).collect()
        };
        match self.below(if depth > 1 { 6 } else { 3 }) {
            3 => Expr::And(parts(self)),
            4 => Expr::Or(parts(self)),
            5 => Expr::Not(Box::new(self.filter(case, table, depth - 1))),
            _ => self.leaf(case, table),
        }
    }

    fn leaf(&mut self, case: &Case, table: &Table) -> Expr {
        let mut fields = table.kinds.clone();
        fields.extend([("n", KINDS[0]), ("p", Kind::Text)]);
        match table.composite {
            true => fields.extend([("k1", Kind::Text), ("k2", KINDS[0])]),
            false => fields.push(("id", table.key)),
        }
        let (field, kind) = self.pick(&fields);
        let rows: Vec<Value> = case
            .rows
            .iter()
            .filter(|row| row.table == 0)
            .map(|row| row.record.field(case.tables[0].stored_name(field)).clone())
            .collect();
        let value = |dice: &mut Dice| {
            if dice.once_in(8) {
                Value::Null
            } else if !rows.is_empty() && dice.once_in(2) {
                dice.pick(&rows)
            } else {
                dice.value(kind)
            }
        };
        match self.below(12) {
            0..=2 => Expr::Compare { field, op: Compare::Eq, value: value(self) },
            3..=5 => {
                let op = self.pick(&[Compare::Ge, Compare::Lt, Compare::Gt, Compare::Le, Compare::Ne]);
                let value = value(self);
                // lists have no order
                let op = if kind == Kind::List { Compare::Ne } else { op };
                Expr::Compare { field, op, value }
            }
            6 => Expr::OneOf { field, values: (0..self.below(6)).map(|_| value(self)).collect() },
            7 => Expr::IsNone { field },
            8 => {
                let texts: Vec<&str> = rows.iter().filter_map(Value::as_text).collect();
                let needle = if texts.is_empty() { "a" } else { self.pick(&texts) };
                let end = needle.char_indices().map(|(at, _)| at).nth(self.below(300)).unwrap_or(needle.len());
                let op = self.pick(&[TextTest::StartsWith, TextTest::Contains, TextTest::EndsWith]);
                Expr::Text { field, op, needle: needle[..end].to_owned() }
            }
            9 => Expr::Has { field, value: Value::from(1 + self.below(2) as i64) },
            10 => Expr::Related {
                relation: "parent",
                quantifier: Quantifier::Is,
                expr: Box::new(Expr::Compare {
                    field: "x",
                    op: self.pick(&[Compare::Eq, Compare::Gt]),
                    value: Value::from(self.below(3) as i64),
                }),
                mine: false,
            },
            _ if table.composite => Expr::Always,
            _ => Expr::Related {
                relation: "kids",
                quantifier: self.pick(&[Quantifier::Any, Quantifier::All, Quantifier::None]),
                expr: Box::new(Expr::Compare { field: "y", op: Compare::Eq, value: Value::from(self.below(3) as i64) }),
                mine: false,
            },
        }
    }

    fn aggregate(&mut self, table: &Table) -> Aggregate {
        let mut fields = vec!["n"];
        let number = |kind: &Kind| matches!(kind, Kind::Int { .. } | Kind::Float | Kind::Timestamp | Kind::Decimal);
        fields.extend(table.kinds.iter().filter(|(_, kind)| number(kind)).map(|(name, _)| *name));
        match self.below(5) {
            0 => Aggregate::Count,
            1 => Aggregate::Sum(self.pick(&fields)),
            2 => Aggregate::Avg(self.pick(&fields)),
            which => {
                fields.extend(["p", "a", "b", "c"]);
                let field = self.pick(&fields);
                if which == 3 { Aggregate::Min(field) } else { Aggregate::Max(field) }
            }
        }
    }

    fn end(&mut self, table: &Table) -> End {
        match self.below(10) {
            0..=2 => End::Rows,
            3 => End::First,
            4 => End::One,
            5 => End::Count,
            6 => End::Exists,
            7 => End::Page(self.below(6)),
            8 => End::Aggregate(self.aggregate(table)),
            _ => End::Group(GroupSpec {
                keys: (0..1 + self.below(2)).map(|_| self.pick(&["a", "b", "c", "p"])).collect(),
                select: (0..self.below(3)).map(|_| self.aggregate(table)).collect(),
                order: (0..self.below(3))
                    .map(|_| GroupOrder { by: self.aggregate(table), descending: self.once_in(2) })
                    .collect(),
                limit: self.once_in(2).then(|| self.below(5)),
            }),
        }
    }
}
