//! [`Merge`]: rows of many scans, each in order, as one.

use super::candidates::Candidate;
use crate::{
    DatabaseId, KeyRange, Order, QueryError, RowRef, RowRefs, Source, SourceError,
    plan::{Access, Plan, Sorting, turn},
};
use debros_core::Collation;
use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    ops::Range,
    rc::Rc,
};

/// One part of an index in one database, or in all of them.
pub(super) struct Stream {
    pub(super) side: usize,
    pub(super) database: Option<DatabaseId>,
    pub(super) range: KeyRange,
}

impl Stream {
    pub(super) fn rows<'s>(&self, source: &'s dyn Source, plan: &Plan, reverse: bool) -> RowRefs<'s> {
        match plan.access.scans().get(self.side) {
            Some(scan) => scan.rows(source, plan.model, self.database, &self.range, reverse),
            None => Box::new(std::iter::empty()),
        }
    }
}

/// Rows of many scans, each in order, as one.
///
/// Rows are compared by what their index rows tell. That is their place in the order, except where a value was cut, and
/// where the index does not hold all columns of the order: such rows come in runs.
pub(super) struct Merge<'s> {
    source: &'s dyn Source,
    plan: Rc<Plan>,
    /// Not opened yet.
    streams: Vec<Stream>,
    opened: Vec<RowRefs<'s>>,
    heads: BinaryHeap<Reverse<Head>>,
    /// The stream whose head was given last.
    drawn: Option<usize>,
    places: Places,
}

/// The next row of a stream.
struct Head {
    place: Vec<u8>,
    run: Option<usize>,
    stream: usize,
    row: RowRef,
}

impl Ord for Head {
    fn cmp(&self, other: &Head) -> Ordering {
        self.place.cmp(&other.place).then(self.stream.cmp(&other.stream))
    }
}
impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Head {}

impl<'s> Merge<'s> {
    pub(super) fn new(source: &'s dyn Source, plan: &Rc<Plan>, streams: Vec<Stream>) -> Merge<'s> {
        Merge {
            source,
            plan: Rc::clone(plan),
            opened: Vec::with_capacity(streams.len()),
            heads: BinaryHeap::with_capacity(streams.len()),
            streams,
            drawn: None,
            places: Places::new(plan),
        }
    }

    /// Puts the next row of a stream among the heads.
    fn draw(&mut self, stream: usize) -> Result<(), QueryError> {
        if let Some(row) = self.opened[stream].next().transpose()? {
            let (place, run) = self.places.of(&row)?;
            self.heads.push(Reverse(Head { place, run, stream, row }));
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<(), QueryError> {
        for stream in std::mem::take(&mut self.streams) {
            self.opened.push(stream.rows(self.source, &self.plan, self.plan.reverse));
            self.draw(self.opened.len() - 1)?;
        }
        match self.drawn.take() {
            Some(stream) => self.draw(stream),
            None => Ok(()),
        }
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<Candidate, QueryError>;

    fn next(&mut self) -> Option<Result<Candidate, QueryError>> {
        if let Err(error) = self.advance() {
            self.heads.clear();
            return Some(Err(error));
        }
        let Reverse(Head { mut place, run, stream, row }) = self.heads.pop()?;
        self.drawn = Some(stream);
        let run = run.map(|length| {
            place.truncate(length);
            place
        });
        Some(Ok(Candidate { row, side: 0, run }))
    }
}

/// What an index row tells of its row's place in the order.
struct Places {
    /// How the fields of the index compare.
    collations: Vec<Collation>,
    /// The columns that the index holds: their position in it, and whether they go downwards.
    columns: Vec<(usize, bool)>,
    /// Do rows tie that are equal in these?
    ties: bool,
    order: Order,
    /// The values of the row in hand: where they are, and whether they were cut.
    values: Vec<(Range<usize>, bool)>,
}

impl Places {
    fn new(plan: &Plan) -> Places {
        let (Access::Scan(scan), model) = (&plan.access, plan.model) else {
            return Places {
                collations: Vec::new(),
                columns: Vec::new(),
                ties: false,
                order: plan.order.clone(),
                values: Vec::new(),
            };
        };
        let (held, ties) = match plan.sorting {
            Sorting::Ties(held) => (held, true),
            _ => (plan.columns.len(), false),
        };
        let fields = scan.fields(model);
        let position = |column: &crate::plan::Column| {
            Some((fields.iter().position(|field| *field == column.field)?, column.descending))
        };
        Places {
            collations: scan.collations(model),
            columns: plan.columns.iter().take(held).filter_map(position).collect(),
            ties,
            order: plan.order.clone(),
            values: Vec::new(),
        }
    }

    /// The place of a row, as bytes, and how many of them it has in common with the rows of its run.
    fn of(&mut self, row: &RowRef) -> Result<(Vec<u8>, Option<usize>), SourceError> {
        self.values.clear();
        let mut from = 0;
        for collation in &self.collations {
            let (value, _, cut) = collation
                .split(&row.values[from..])
                .ok_or_else(|| SourceError::read("an index row is damaged; the store can be rebuilt by `verify`"))?;
            let to = from + value.len();
            self.values.push((from..to, cut));
            from = to;
        }
        let mut place = Vec::with_capacity(row.values.len() + row.key.len() + 4);
        let mut run = None;
        for &(position, descending) in &self.columns {
            let (range, cut) = self.values[position].clone();
            let from = place.len();
            place.extend_from_slice(&row.values[range]);
            turn(&mut place[from..], descending);
            if cut && run.is_none() {
                run = Some(place.len());
            }
        }
        if self.ties {
            let run = run.or(Some(place.len()));
            return Ok((place, run));
        }
        self.order.append_key(&mut place, &row.key);
        if run.is_none() && !self.order.ends_with_key() {
            run = Some(place.len());
        }
        self.order.append_database(&mut place, row.database);
        Ok((place, run))
    }
}
