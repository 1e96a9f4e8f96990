//! [`Executor`]: answers a query from one snapshot.

mod candidates;
mod grouping;
mod kept;
mod matching;
mod merge;
mod runs;
mod topk;

use crate::{
    Aggregate, Answered, Coverage, DatabaseId, End, Explained, Found, FoundRows, GroupRow, GroupSpec, Order, Outcome,
    QueryError, QuerySpec, RawPage, Reach, Reached, Resolver, Source, Start,
    aggregate::Accumulator,
    encode_key, evaluate,
    plan::{Access, Plan, Task, simplify},
};
use candidates::candidates;
use debros_core::{Expr, IncludeSpec, Map, ModelDef, RawRow, RelationKind, SortKey, Value};
use grouping::Grouping;
use kept::Kept;
use matching::{Chosen, MatchedRows, Matching};
use runs::Runs;
use std::{cell::Cell, rc::Rc};

/// How many rows are looked at together where other models are read for them.
const CHUNK: usize = 256;

/// Answers queries from one snapshot of the databases.
///
/// Rows are read one by one, in the order of the index that the planner chose, and no more of them than the answer
/// takes; what is held in memory is the answer, or, where rows must be sorted, as many of them as the limit lets
/// through.
///
/// ```
/// use debros_core::{Kind, Map, Value};
/// use debros_query::{Answered, End, Executor, QuerySpec, oracle::{Columns, MemoryResolver, MemorySource, model}};
///
/// let post = model(&Columns::new("id", Kind::Text).field("likes", Kind::Float));
/// let record = |id: &'static str, likes: i64| -> Map {
///     [("_id", Value::text(id)), ("likes", Value::from(likes))].into_iter().collect()
/// };
/// let mut source = MemorySource::new([post]);
/// source.insert(post, None, record("a", 3));
/// source.insert(post, None, record("b", 4));
///
/// let resolver = MemoryResolver::new(&source);
/// let outcome = Executor::new(&source, &resolver).run(&QuerySpec::new(post), &End::Count).unwrap();
/// assert_eq!(outcome.found, Answered::Count(2));
/// ```
#[derive(Clone, Copy)]
pub struct Executor<'s> {
    source: &'s dyn Source,
    resolver: &'s dyn Resolver,
}

/// What is read for a query, and in which order.
struct Prepared<'s> {
    input: Input<'s>,
    order: Order,
    ordered: bool,
    coverage: Coverage,
}

enum Input<'s> {
    Plan(Rc<Plan>),
    /// Rows in no order, and a predicate that chooses from them.
    Rows(FoundRows<'s>, Expr),
}

impl<'s> Executor<'s> {
    /// An executor on this snapshot. One resolver serves one query.
    pub fn new(source: &'s dyn Source, resolver: &'s dyn Resolver) -> Executor<'s> {
        Executor { source, resolver }
    }

    /// Answers a query.
    ///
    /// # Errors
    /// If something cannot be read, the model lacks what the query names, or the answer would not be complete
    /// ([`QueryError::Incomplete`]) and [`QuerySpec::partial`] does not allow for that.
    pub fn run(&self, spec: &QuerySpec, end: &End) -> Result<Outcome, QueryError> {
        let (found, coverage) = match end {
            End::Rows => self.rows(spec)?,
            End::First => {
                let (mut rows, coverage) = self.few(spec, 1)?;
                (Answered::Row(rows.pop()), coverage)
            }
            End::One => {
                let (mut rows, coverage) = self.few(spec, 2)?;
                let model = spec.model.name;
                match (rows.pop(), rows.is_empty()) {
                    (Some(_), false) => return Err(QueryError::SeveralFound { model }),
                    (Some(row), true) => (Answered::Row(Some(row)), coverage),
                    // that there is none is known only if all was read
                    (None, _) => {
                        complete(spec, coverage)?;
                        return Err(QueryError::NotFound { model });
                    }
                }
            }
            End::Count => {
                let (count, coverage) = self.count(spec, spec.limit)?;
                (Answered::Count(count), coverage)
            }
            End::Exists => {
                let (count, coverage) = self.count(spec, Some(spec.limit.map_or(1, |limit| limit.min(1))))?;
                (Answered::Exists(count > 0), coverage)
            }
            End::Aggregate(aggregate) => self.aggregate(spec, *aggregate)?,
            End::Group(group) => self.group(spec, group)?,
            End::Page(size) => self.page(spec, *size)?,
            End::Explain => {
                let (explained, coverage) = self.explain(spec)?;
                return Ok(Outcome { found: Answered::Explained(explained), coverage });
            }
        };
        complete(spec, coverage)?;
        Ok(Outcome { found, coverage })
    }

    /// The rows that a query finds, in its order and within its limit, read as they are asked for and without what it
    /// includes; rows that lack a row which they require, and which it includes, are left out.
    ///
    /// # Errors
    /// If something cannot be read, the model lacks what the query names, or not everything is held here and
    /// [`QuerySpec::partial`] does not allow for that.
    pub fn found(&self, spec: &QuerySpec) -> Result<FoundRows<'s>, QueryError> {
        let prepared = self.prepare(spec, is_ordered(spec), spec.limit)?;
        complete(spec, prepared.coverage)?;
        Ok(self.stream(prepared, spec, spec.limit, &Rc::default()))
    }

    /// Does a predicate hold for a record of `model` in `database`?
    ///
    /// # Errors
    /// If the model lacks what it names, or other rows that it depends on cannot be read.
    pub fn holds(
        &self,
        expr: &Expr,
        model: &'static ModelDef,
        database: DatabaseId,
        record: &Map,
    ) -> Result<bool, QueryError> {
        evaluate::holds(expr, model, database, record, self.resolver)
    }

    /// How the rows of a query are found.
    fn explain(&self, spec: &QuerySpec) -> Result<(Explained, Coverage), QueryError> {
        let ordered = is_ordered(spec);
        let prepared = self.prepare(spec, ordered, spec.limit)?;
        let explained = match &prepared.input {
            Input::Plan(plan) => Explained::of_plan(spec, plan),
            Input::Rows(_, filter) => Explained::of_rows(spec, filter, &prepared.order, ordered),
        };
        Ok((explained, prepared.coverage))
    }

    fn prepare(&self, spec: &QuerySpec, ordered: bool, limit: Option<usize>) -> Result<Prepared<'s>, QueryError> {
        let model = spec.model;
        let order = Order::new(model, &spec.order)?;
        let mut coverage = Coverage::default();
        let rows = match &spec.start {
            Start::All => return self.planned(spec, &spec.filter, spec.reach, ordered, limit),
            Start::Key(key) => {
                let key = encode_key(model, key);
                let row = self.source.locate(model, &key, spec.reach, None)?;
                coverage.databases = 1;
                if row.is_none() {
                    coverage.missing = self.source.missing(model, spec.reach)?;
                }
                let found = row.map(|(database, record)| Ok(Found { database, key, record }));
                Box::new(found.into_iter()) as FoundRows<'s>
            }
            Start::Related { from, relation, record } => match self.resolver.reached(from, relation, record)? {
                Reached::Matching(expr, reach) => {
                    return self.planned(spec, &expr.and(spec.filter.clone()), reach, ordered, limit);
                }
                Reached::Rows(rows) => {
                    coverage.databases = self.source.databases(model, Reach::Everywhere)?.len();
                    coverage.missing = self.source.missing(model, Reach::Everywhere)?;
                    rows
                }
            },
        };
        Ok(Prepared { input: Input::Rows(rows, simplify(&spec.filter)), order, ordered, coverage })
    }

    fn planned(
        &self,
        spec: &QuerySpec,
        filter: &Expr,
        reach: Reach,
        ordered: bool,
        limit: Option<usize>,
    ) -> Result<Prepared<'s>, QueryError> {
        let task = Task { model: spec.model, filter, order: &spec.order, ordered, limit, reach };
        let plan = Plan::new(self.source, self.resolver, task)?;
        let missing = self.source.missing(spec.model, reach)?;
        let coverage = Coverage { databases: plan.databases.len(), missing, left_out: 0 };
        let order = plan.order.clone();
        Ok(Prepared { input: Input::Plan(Rc::new(plan)), order, ordered, coverage })
    }

    /// The rows that match, as they are found.
    fn matching(&self, input: Input<'s>, order: &Order, ordered: bool, spec: &QuerySpec) -> MatchedRows<'s> {
        let after = spec.after.as_ref().map(|cursor| order.rank_at(cursor));
        match input {
            Input::Plan(plan) => {
                let candidates = candidates(self.source, &plan, spec.after.as_ref());
                Box::new(Matching::new(self.source, self.resolver, plan, candidates, after))
            }
            Input::Rows(rows, filter) => {
                let order = after.is_some().then(|| order.clone());
                Box::new(Chosen::new(self.resolver, spec.model, rows, filter, order.zip(after), ordered))
            }
        }
    }

    /// The rows that a query finds, in order and within the limit, without those that are left out.
    fn stream(
        &self,
        prepared: Prepared<'s>,
        spec: &QuerySpec,
        limit: Option<usize>,
        left_out: &Rc<Cell<u64>>,
    ) -> FoundRows<'s> {
        let Prepared { input, order, ordered, .. } = prepared;
        let mut rows = self.matching(input, &order, ordered, spec);
        if can_leave_out(spec.model, &spec.includes) {
            let chunk = limit.unwrap_or(CHUNK).clamp(1, CHUNK);
            let includes = spec.includes.clone();
            rows = Box::new(Kept::new(rows, self.resolver, spec.model, includes, chunk, Rc::clone(left_out)));
        }
        Box::new(Runs::new(rows, order, limit))
    }

    fn rows(&self, spec: &QuerySpec) -> Result<(Answered, Coverage), QueryError> {
        let prepared = self.prepare(spec, is_ordered(spec), spec.limit)?;
        let mut coverage = prepared.coverage;
        complete(spec, coverage)?;
        let left_out = Rc::default();
        let found = match spec.limit {
            Some(limit) => self.stream(prepared, spec, Some(limit), &left_out),
            // what is left out is found when the relations are loaded, which happens to every row
            None => {
                let Prepared { input, order, ordered, .. } = prepared;
                Box::new(Runs::new(self.matching(input, &order, ordered, spec), order, None))
            }
        };
        let rows = self.attach(spec, found, &mut coverage)?;
        coverage.left_out += left_out.get();
        Ok((Answered::Rows(rows), coverage))
    }

    /// The first `count` rows.
    fn few(&self, spec: &QuerySpec, count: usize) -> Result<(Vec<RawRow>, Coverage), QueryError> {
        let count = spec.limit.map_or(count, |limit| limit.min(count));
        let ordered = is_ordered(spec);
        // without an order the limit decides which rows there are, so it is left to the planner as it stands
        let limit = if ordered { Some(count) } else { spec.limit.or(Some(count)) };
        let prepared = self.prepare(spec, ordered, limit)?;
        let mut coverage = prepared.coverage;
        let left_out = Rc::default();
        let found = self.stream(prepared, spec, Some(count), &left_out);
        let rows = self.attach(spec, found, &mut coverage)?;
        coverage.left_out += left_out.get();
        Ok((rows, coverage))
    }

    fn page(&self, spec: &QuerySpec, size: usize) -> Result<(Answered, Coverage), QueryError> {
        let wanted = spec.limit.map_or(size, |limit| limit.min(size));
        // one more, to know whether there is one
        let read = spec.limit.map_or(wanted.saturating_add(1), |limit| limit.min(wanted.saturating_add(1)));
        let prepared = self.prepare(spec, true, Some(read))?;
        let (order, mut coverage) = (prepared.order.clone(), prepared.coverage);
        complete(spec, coverage)?;
        let left_out = Rc::default();
        let mut found: Vec<Found> = self.stream(prepared, spec, Some(read), &left_out).collect::<Result<_, _>>()?;
        coverage.left_out += left_out.get();
        let more = found.len() > wanted;
        found.truncate(wanted);
        let cursor = found.last().map(|last| order.cursor(last));
        let rows = self.attach(spec, Box::new(found.into_iter().map(Ok)), &mut coverage)?;
        Ok((Answered::Page(RawPage { rows, cursor, more }), coverage))
    }

    /// Loads what the query includes.
    fn attach(
        &self,
        spec: &QuerySpec,
        mut found: FoundRows<'s>,
        coverage: &mut Coverage,
    ) -> Result<Vec<RawRow>, QueryError> {
        if spec.includes.is_empty() {
            return found.map(|row| Ok(RawRow { record: row?.record, included: Vec::new() })).collect();
        }
        let mut rows = Vec::new();
        loop {
            let chunk: Vec<Found> = found.by_ref().take(CHUNK).collect::<Result<_, _>>()?;
            if chunk.is_empty() {
                return Ok(rows);
            }
            let attached = self.resolver.attach(spec.model, chunk, &spec.includes, coverage)?;
            rows.extend(attached.into_iter().map(|(found, included)| RawRow { record: found.record, included }));
        }
    }

    /// How many rows there are, up to a limit.
    fn count(&self, spec: &QuerySpec, limit: Option<usize>) -> Result<(u64, Coverage), QueryError> {
        let prepared = self.prepare(spec, false, limit)?;
        let mut coverage = prepared.coverage;
        complete(spec, coverage)?;
        let most = limit.map_or(u64::MAX, |limit| limit as u64);
        if let Input::Plan(plan) = &prepared.input
            && plan.residual == Expr::Always
            && !matches!(plan.access, Access::Union(_))
            && spec.after.is_none()
            && !can_leave_out(spec.model, &spec.includes)
        {
            // the index alone tells
            return Ok((self.count_index(plan, most)?, coverage));
        }
        let left_out = Rc::default();
        let mut count = 0;
        for row in self.stream(prepared, spec, limit, &left_out) {
            row?;
            count += 1;
        }
        coverage.left_out += left_out.get();
        Ok((count, coverage))
    }

    fn count_index(&self, plan: &Rc<Plan>, most: u64) -> Result<u64, QueryError> {
        if let Some(known) = self.known_count(plan)? {
            return Ok(known.min(most));
        }
        let mut count = 0;
        if most > 0 {
            for row in candidates(self.source, plan, None) {
                row?;
                count += 1;
                if count == most {
                    break;
                }
            }
        }
        Ok(count)
    }

    /// How many rows the plan finds, if it finds all of its databases and their numbers of rows are known.
    fn known_count(&self, plan: &Plan) -> Result<Option<u64>, QueryError> {
        let (Access::Scan(scan), crate::plan::Databases::Each(databases)) = (&plan.access, &plan.databases) else {
            return Ok(None);
        };
        if scan.is_restricted() {
            return Ok(None);
        }
        let mut all = 0;
        for &database in databases {
            match self.source.count(database)? {
                Some(count) => all += count,
                None => return Ok(None),
            }
        }
        Ok(Some(all))
    }

    /// Calls `each` with every record that the query finds.
    fn each(
        &self,
        spec: &QuerySpec,
        mut each: impl FnMut(&Map) -> Result<(), QueryError>,
    ) -> Result<Coverage, QueryError> {
        // which rows they are depends on the order only if there is a limit
        let prepared = self.prepare(spec, spec.limit.is_some() && is_ordered(spec), spec.limit)?;
        let mut coverage = prepared.coverage;
        complete(spec, coverage)?;
        let left_out = Rc::default();
        for found in self.stream(prepared, spec, spec.limit, &left_out) {
            each(&found?.record)?;
        }
        coverage.left_out += left_out.get();
        Ok(coverage)
    }

    fn aggregate(&self, spec: &QuerySpec, aggregate: Aggregate) -> Result<(Answered, Coverage), QueryError> {
        if let (Aggregate::Min(field) | Aggregate::Max(field), None, None) = (aggregate, spec.limit, &spec.after) {
            return self.extreme(spec, field, matches!(aggregate, Aggregate::Max(_)));
        }
        let mut accumulator = Accumulator::new(spec.model, aggregate)?;
        let coverage = self.each(spec, |record| accumulator.add(record))?;
        Ok((Answered::Value(accumulator.finish()?), coverage))
    }

    /// The smallest or largest value of a field is that of the first row in its order.
    fn extreme(
        &self,
        spec: &QuerySpec,
        field: &'static str,
        largest: bool,
    ) -> Result<(Answered, Coverage), QueryError> {
        let stored = spec.model.stored_name(evaluate::field(spec.model, field)?.name);
        let present = Expr::Not(Box::new(Expr::IsNone { field }));
        let spec = QuerySpec {
            filter: spec.filter.clone().and(present),
            order: vec![SortKey { field, descending: largest }],
            limit: Some(1),
            ..spec.clone()
        };
        let prepared = self.prepare(&spec, true, spec.limit)?;
        let mut coverage = prepared.coverage;
        complete(&spec, coverage)?;
        let left_out = Rc::default();
        let first = self.stream(prepared, &spec, spec.limit, &left_out).next().transpose()?;
        coverage.left_out += left_out.get();
        let value = first.map_or(Value::Null, |mut found| found.record.remove(stored).unwrap_or_default());
        Ok((Answered::Value(value), coverage))
    }

    fn group(&self, spec: &QuerySpec, group: &GroupSpec) -> Result<(Answered, Coverage), QueryError> {
        let mut grouping = Grouping::new(spec.model, group)?;
        let coverage = self.each(spec, |record| grouping.add(record))?;
        let groups: Vec<GroupRow> = grouping.finish()?;
        Ok((Answered::Groups(groups), coverage))
    }
}

/// Must the rows come in an order?
fn is_ordered(spec: &QuerySpec) -> bool {
    !spec.order.is_empty() || spec.after.is_some()
}

fn complete(spec: &QuerySpec, coverage: Coverage) -> Result<(), QueryError> {
    if spec.partial || coverage.is_complete() { Ok(()) } else { Err(QueryError::Incomplete(coverage)) }
}

/// Can a row be left out because of what is loaded with it?
fn can_leave_out(model: &'static ModelDef, includes: &[IncludeSpec]) -> bool {
    let requires = |include: &IncludeSpec| {
        model.relation(include.relation).is_none_or(|def| def.kind == RelationKind::BelongsTo && !def.optional)
    };
    includes.iter().any(requires)
}
