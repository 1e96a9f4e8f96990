//! [`Plan`]: which databases a query reads, through which index, and what remains to be done.

mod bound;
mod intervals;
mod order;
mod scan;
mod seek;
mod simplify;

pub use order::Order;
pub(crate) use order::{Column, turn};
pub(crate) use scan::Scan;
pub(crate) use simplify::simplify;

use crate::{DatabaseId, QueryError, Reach, RelatedExpr, Resolver, Source, SourceError};
use bound::Bound;
use debros_core::{Compare, Expr, Kind, ModelDef, Quantifier, SortKey, Value};
use std::cmp::Reverse;

/// With at most this many databases of a user-scoped model, each is read by itself and their rows are merged; with
/// more, one scan reads them all.
pub(crate) const EACH: usize = 16;
/// At most this many scans are merged; where there would be more, rows are sorted in memory.
const MAX_MERGED: usize = 4096;
/// How many rows of an index are counted to find out how many it would give.
const PROBE: usize = 256;
/// How many rows a model is taken to have if its source has no idea.
const UNKNOWN_SIZE: u64 = 100_000;

/// Which databases are read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Databases {
    /// These, one by one.
    Each(Vec<DatabaseId>),
    /// All of a user-scoped model, this many, in one scan.
    Everywhere(usize),
}

impl Databases {
    pub(crate) fn len(&self) -> usize {
        match self {
            Databases::Each(list) => list.len(),
            Databases::Everywhere(count) => *count,
        }
    }

    /// How many scans a part of an index takes.
    fn scans(&self) -> usize {
        match self {
            Databases::Each(list) => list.len(),
            Databases::Everywhere(_) => 1,
        }
    }

    /// What a scan is made of: one for each, or one for all.
    pub(crate) fn scanned(&self) -> Vec<Option<DatabaseId>> {
        match self {
            Databases::Each(list) => list.iter().copied().map(Some).collect(),
            Databases::Everywhere(_) => vec![None],
        }
    }
}

/// How the rows are found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Access {
    /// No row can match.
    Nothing,
    /// Through one index, or by key.
    Scan(Scan),
    /// One scan for each side of an `or`; a row belongs to the first side that holds for it.
    Union(Vec<(Scan, Expr)>),
}

impl Access {
    /// The scans that it is made of.
    pub(crate) fn scans(&self) -> Vec<&Scan> {
        match self {
            Access::Nothing => Vec::new(),
            Access::Scan(scan) => vec![scan],
            Access::Union(sides) => sides.iter().map(|(scan, _)| scan).collect(),
        }
    }
}

/// What the rows still lack for the order asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sorting {
    /// No order was asked for.
    Unneeded,
    /// Nothing: they come in order.
    Given,
    /// They come in the order of the first columns; rows that tie in these are sorted among themselves.
    Ties(usize),
    /// They are sorted in memory.
    Memory,
}

impl Sorting {
    /// How much is lacking, to be compared.
    fn lack(self) -> (u8, Reverse<usize>) {
        match self {
            Sorting::Unneeded => (0, Reverse(0)),
            Sorting::Given => (1, Reverse(0)),
            Sorting::Ties(columns) => (2, Reverse(columns)),
            Sorting::Memory => (3, Reverse(0)),
        }
    }
}

/// What is asked of the planner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<'t> {
    pub(crate) model: &'static ModelDef,
    pub(crate) filter: &'t Expr,
    pub(crate) order: &'t [SortKey],
    /// Must the rows come in an order (by key, if `order` is empty)?
    pub(crate) ordered: bool,
    pub(crate) limit: Option<usize>,
    pub(crate) reach: Reach,
}

/// How a query is answered.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) model: &'static ModelDef,
    pub(crate) databases: Databases,
    pub(crate) access: Access,
    /// What is checked on the row itself.
    pub(crate) residual: Expr,
    pub(crate) order: Order,
    /// The columns of the order that the filter leaves open.
    pub(crate) columns: Vec<Column>,
    pub(crate) sorting: Sorting,
    pub(crate) reverse: bool,
    reach: Reach,
    /// The fields that the filter leaves one value, as an index keeps it.
    constants: Vec<(&'static str, Vec<u8>)>,
}

fn conjuncts(filter: &Expr) -> Vec<&Expr> {
    match filter {
        Expr::Always => Vec::new(),
        Expr::And(all) => all.iter().flat_map(conjuncts).collect(),
        one => vec![one],
    }
}

impl Plan {
    pub(crate) fn new(source: &dyn Source, resolver: &dyn Resolver, task: Task<'_>) -> Result<Plan, QueryError> {
        let model = task.model;
        let filter = simplify(task.filter);
        let order = Order::new(model, task.order)?;
        let conjuncts = conjuncts(&filter);
        let mut bound = Bound::new(model, &conjuncts);
        let mut scans = Scan::all(model, &bound);
        if !scans.iter().any(|scan| scan.is_lookup(model)) && narrow(resolver, model, &conjuncts, &mut bound)? {
            scans = Scan::all(model, &bound);
        }
        let constants = bound.constants();
        let open = |column: &&Column| constants.iter().all(|(field, _)| *field != column.field);
        let mut plan = Plan {
            model,
            databases: databases(source, task, &conjuncts)?,
            access: Access::Nothing,
            residual: Expr::Always,
            columns: order.columns.iter().filter(open).copied().collect(),
            order,
            sorting: if task.ordered { Sorting::Given } else { Sorting::Unneeded },
            reverse: false,
            reach: task.reach,
            constants,
        };
        if bound.is_empty() || plan.databases.len() == 0 || conjuncts.iter().any(|one| simplify::is_never(one)) {
            return Ok(plan);
        }
        let mut union = None;
        if scans.iter().all(|scan| !scan.is_restricted()) {
            union = self::union(model, &conjuncts);
        }
        let mut proved = Vec::new();
        match plan.choose(source, scans, union, task)? {
            Choice::Scan(scan) => {
                proved.extend(bound.proved(scan.index.is_none(), |field| scan.decides(field)));
                if task.ordered {
                    (plan.sorting, plan.reverse) = plan.sorting(&scan);
                }
                plan.access = Access::Scan(scan);
            }
            Choice::Union(union) => {
                proved.push(union.conjunct);
                if task.ordered {
                    plan.sorting = Sorting::Memory;
                }
                plan.access = Access::Union(union.sides);
            }
        }
        let rest = conjuncts.iter().enumerate().filter(|(at, _)| !proved.contains(at));
        plan.residual = rest.fold(Expr::Always, |all, (_, one)| all.and((*one).clone()));
        Ok(plan)
    }

    /// The one value that the filter leaves a field, as an index keeps it.
    pub(crate) fn constant(&self, field: &str) -> Option<&[u8]> {
        self.constants.iter().find(|(name, _)| *name == field).map(|(_, value)| &value[..])
    }

    /// What costs least, as far as a glance at the indexes tells.
    fn choose(
        &self,
        source: &dyn Source,
        mut scans: Vec<Scan>,
        union: Option<Union>,
        task: Task<'_>,
    ) -> Result<Choice, QueryError> {
        if let Some(at) = scans.iter().position(|scan| scan.is_lookup(self.model)) {
            return Ok(Choice::Scan(scans.swap_remove(at)));
        }
        let sorting = |scan: &Scan| if task.ordered { self.sorting(scan).0 } else { Sorting::Unneeded };
        let sortings: Vec<Sorting> = scans.iter().map(sorting).collect();
        let helps = |at: usize| task.ordered && task.limit.is_some() && sortings[at] != Sorting::Memory;
        let useful = |at: usize| scans[at].is_restricted() || helps(at);
        let mut choices: Vec<Choice> = Vec::new();
        for (at, scan) in scans.iter().enumerate() {
            // another scan reads no more than this one, and lacks no more of the order
            let beaten = |(other, better): (usize, &Scan)| {
                let (ours, theirs) = (scan.bound_fields(), better.bound_fields());
                let (lack, lacks, equal) = (sortings[at].lack(), sortings[other].lack(), ours.len() == theirs.len());
                other != at
                    && useful(other)
                    && ours.iter().all(|field| theirs.contains(field))
                    && lacks <= lack
                    && (other < at || !equal || lacks < lack)
            };
            if useful(at) && !scans.iter().enumerate().any(beaten) {
                choices.push(Choice::Scan(scan.clone()));
            }
        }
        choices.extend(union.map(Choice::Union));
        match choices.len() {
            // the scan by key comes first, and is there for when nothing else is
            0 => return Ok(Choice::Scan(scans.swap_remove(0))),
            1 => return Ok(choices.swap_remove(0)),
            _ => {}
        }
        let size = source.size_hint(self.model, self.reach).unwrap_or(UNKNOWN_SIZE).max(1);
        let mut rows = Vec::with_capacity(choices.len());
        for choice in &choices {
            rows.push(match choice {
                Choice::Scan(scan) if !scan.is_restricted() => size,
                Choice::Scan(scan) => self.estimate(source, size, &[scan])?,
                Choice::Union(union) => {
                    self.estimate(source, size, &union.sides.iter().map(|(scan, _)| scan).collect::<Vec<_>>())?
                }
            });
        }
        let selected = rows.iter().copied().min().unwrap_or(1).max(1);
        let mut best: Option<(u128, usize)> = None;
        for (at, choice) in choices.iter().enumerate() {
            let all = u128::from(rows[at]);
            let (sorting, bound) = match choice {
                Choice::Scan(scan) => (sorting(scan), 2 * scan.points + usize::from(scan.ranged)),
                Choice::Union(_) => (if task.ordered { Sorting::Memory } else { Sorting::Unneeded }, 0),
            };
            let cost = match task.limit {
                // rows that match are taken to lie evenly among those that the scan gives
                Some(limit) if sorting != Sorting::Memory => {
                    let skips = if matches!(sorting, Sorting::Ties(_)) { 2 } else { 1 };
                    all.min(limit.max(1) as u128 * all.div_ceil(u128::from(selected)) * skips)
                }
                _ => all + all / 4,
            };
            // of equals, the one that binds more fields
            let cost = cost * 64 + 63_u128.saturating_sub(bound as u128);
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, at));
            }
        }
        Ok(choices.swap_remove(best.map_or(0, |(_, at)| at)))
    }

    /// About how many rows these scans give together.
    fn estimate(&self, source: &dyn Source, size: u64, scans: &[&Scan]) -> Result<u64, SourceError> {
        let mut count = 0;
        for scan in scans {
            for span in &scan.spans {
                for database in self.databases.scanned() {
                    for row in scan.rows(source, self.model, database, span, false).take(PROBE - count) {
                        row?;
                        count += 1;
                    }
                    if count >= PROBE {
                        return Ok((size / 3).max(PROBE as u64));
                    }
                }
            }
        }
        Ok(count as u64)
    }

    /// What the rows of a scan lack for the order, and whether to scan backwards.
    fn sorting(&self, scan: &Scan) -> (Sorting, bool) {
        let columns = &self.columns;
        if scan.spans.len() * self.databases.scans() > MAX_MERGED {
            return (Sorting::Memory, false);
        }
        if scan.index.is_none() {
            return if columns.is_empty() { (Sorting::Given, self.order.descending) } else { (Sorting::Memory, false) };
        }
        // within a span the leading fields have one value, and the others follow each other; spans are merged
        let fields = scan.fields(self.model);
        let (mut next, mut matched, mut descending) = (scan.points, 0, None);
        for column in columns {
            if fields[..scan.points].contains(&column.field) {
                matched += 1;
            } else if fields.get(next) == Some(&column.field) && descending.is_none_or(|d| d == column.descending) {
                descending = Some(column.descending);
                next += 1;
                matched += 1;
            } else {
                break;
            }
        }
        let reverse = descending.unwrap_or(self.order.descending);
        let whole = matched == columns.len() && next == fields.len() && reverse == self.order.descending;
        match &self.databases {
            Databases::Each(_) if whole => (Sorting::Given, reverse),
            _ if matched > 0 => (Sorting::Ties(matched), reverse),
            _ => (Sorting::Memory, false),
        }
    }
}

/// What the planner can choose.
enum Choice {
    Scan(Scan),
    Union(Union),
}

/// Scans that together find every row for which one `or` of the filter holds.
struct Union {
    conjunct: usize,
    sides: Vec<(Scan, Expr)>,
}

/// Takes in what predicates through relations say of the row's own fields. Did they say anything?
fn narrow(
    resolver: &dyn Resolver,
    model: &'static ModelDef,
    conjuncts: &[&Expr],
    bound: &mut Bound,
) -> Result<bool, QueryError> {
    let mut narrowed = false;
    for conjunct in conjuncts {
        if let Expr::Related { relation, quantifier: quantifier @ (Quantifier::Is | Quantifier::Any), expr, mine } =
            conjunct
        {
            let related = RelatedExpr { model, relation, quantifier: *quantifier, expr, mine: *mine };
            if let Some(implied) = resolver.narrow(related)? {
                narrowed |= bound.imply(&simplify(&implied));
            }
        }
    }
    Ok(narrowed)
}

/// The databases that can hold rows that match.
fn databases(source: &dyn Source, task: Task<'_>, conjuncts: &[&Expr]) -> Result<Databases, SourceError> {
    let Task { model, reach, .. } = task;
    if let Some(sharding) = model.sharding
        && let Some(field) = model.field(sharding.key)
        && has_one_form(field.kind)
        && let Some(values) = point_values(conjuncts, sharding.key)
    {
        let mut some = Vec::new();
        let mut sharded = true;
        for value in values {
            match source.shard_of(model, reach, value)? {
                Some(more) => some.extend(more),
                None => sharded = false,
            }
        }
        some.sort_unstable();
        some.dedup();
        if sharded && (some.len() <= EACH || reach == Reach::Own || !model.is_user_scoped()) {
            return Ok(Databases::Each(some));
        }
    }
    let all = source.databases(model, reach)?;
    if reach == Reach::Everywhere && model.is_user_scoped() && all.len() > EACH {
        return Ok(Databases::Everywhere(all.len()));
    }
    Ok(Databases::Each(all))
}

/// Are equal values of this kind stored in one form, so that they are in one shard? 1.0 and 1.00 are equal decimals.
fn has_one_form(kind: Kind) -> bool {
    !matches!(kind, Kind::Decimal | Kind::Float | Kind::List | Kind::Map | Kind::Struct | Kind::Serde)
}

/// The scans that together find every row for which some `or` of the filter holds, if each of its sides has one.
fn union(model: &'static ModelDef, all: &[&Expr]) -> Option<Union> {
    all.iter().enumerate().find_map(|(conjunct, expr)| {
        let Expr::Or(any) = expr else { return None };
        let mut sides = Vec::with_capacity(any.len());
        for side in any {
            let bound = Bound::new(model, &conjuncts(side));
            if bound.is_empty() {
                continue;
            }
            let scan = Scan::all(model, &bound)
                .into_iter()
                .filter(Scan::is_restricted)
                .max_by_key(|scan| (scan.is_lookup(model), scan.points, scan.ranged))?;
            sides.push((scan, side.clone()));
        }
        Some(Union { conjunct, sides })
    })
}

/// The values that one conjunct of the filter admits for a field, as they stand in it.
fn point_values<'f>(conjuncts: &[&'f Expr], name: &str) -> Option<Vec<&'f Value>> {
    conjuncts.iter().find_map(|expr| match expr {
        Expr::Compare { field, op: Compare::Eq, value } if *field == name && !value.is_null() => Some(vec![value]),
        Expr::OneOf { field, values } if *field == name => {
            Some(values.iter().filter(|value| !value.is_null()).collect())
        }
        _ => None,
    })
}
