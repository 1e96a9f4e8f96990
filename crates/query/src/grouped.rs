//! [`Grouped`] and [`Selected`]: a query on groups of rows.

use crate::{
    Aggregates, Answer, Answered, Completeness, End, GroupOrder, GroupRow, GroupSpec, InPart, Keys, QuerySpec, Reads,
    Select, Whole,
    keys::GroupKeys,
    query::{execute, finish},
};
use debros_core::{EncodeError, Model};
use std::{fmt, marker::PhantomData};

type Types<M, G, C, A> = PhantomData<fn() -> (M, G, C, A)>;
/// What the rows of each group have in common, and its figures.
type Groups<M, G, F> = Vec<(<G as Keys<M>>::Out, <F as Select>::Out)>;

/// A query on groups of rows, that does not say yet what of them is wanted; [`Query::group_by`](crate::Query::group_by)
/// makes one.
///
/// ```
/// use debros_query::{Query, oracle::{Memory, blog::Post}};
/// # futures::executor::block_on(async {
/// # let me = Memory::blog();
///
/// let groups: Vec<(bool, (u64, i64))> = Query::<Post>::new()
///     .group_by(|p| p.published)
///     .select(|g| (g.count(), g.sum(|p| p.likes)))
///     .order_by(|g| g.count().desc())
///     .fetch(&me)
///     .await?;
/// assert_eq!(groups, [(true, (3, 60)), (false, (1, 1))]);
/// # Ok::<(), debros_query::QueryError>(()) }).unwrap();
/// ```
pub struct Grouped<M, G, C, A = Whole> {
    spec: QuerySpec,
    broken: Option<EncodeError>,
    keys: Vec<&'static str>,
    types: Types<M, G, C, A>,
}

impl<M, G, C, A> fmt::Debug for Grouped<M, G, C, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grouped").field("keys", &self.keys).field("spec", &self.spec).finish()
    }
}

impl<M: Model, G: Keys<M>, C, A> Grouped<M, G, C, A> {
    pub(crate) fn new(
        spec: QuerySpec,
        broken: Option<EncodeError>,
        by: &impl Keys<M, Itself = G>,
    ) -> Grouped<M, G, C, A> {
        let mut keys = Vec::new();
        by.names(&mut keys);
        Grouped { spec, broken, keys, types: PhantomData }
    }

    /// What to tell of each group: a figure, or a tuple of them.
    pub fn select<F: Select>(self, select: impl FnOnce(Aggregates<M>) -> F) -> Selected<M, G, C, F, A> {
        let figures = select(Aggregates::new());
        let mut group = GroupSpec { keys: self.keys, ..GroupSpec::default() };
        figures.aggregates(&mut group.select);
        Selected { spec: self.spec, broken: self.broken, group, figures, types: PhantomData }
    }
}

/// A query on groups of rows; [`Grouped::select`] makes one.
pub struct Selected<M, G, C, F, A = Whole> {
    spec: QuerySpec,
    broken: Option<EncodeError>,
    group: GroupSpec,
    figures: F,
    types: Types<M, G, C, A>,
}

impl<M, G, C, F, A> fmt::Debug for Selected<M, G, C, F, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selected").field("group", &self.group).field("spec", &self.spec).finish()
    }
}

impl<M: Model, G: Keys<M>, C, F: Select, A> Selected<M, G, C, F, A> {
    /// The order of the groups. Several add up: groups that tie in one go by the next, and at last by their keys.
    #[must_use]
    pub fn order_by(mut self, order: impl FnOnce(Aggregates<M>) -> GroupOrder) -> Self {
        self.group.order.push(order(Aggregates::new()));
        self
    }

    /// At most this many groups; the smallest limit holds.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.group.limit = Some(self.group.limit.map_or(limit, |before| before.min(limit)));
        self
    }

    /// Takes what is here, if not everything is: `fetch` gives a [`Partial`](crate::Partial).
    #[must_use]
    pub fn partial(mut self) -> Selected<M, G, C, F, InPart> {
        self.spec.partial = true;
        let Selected { spec, broken, group, figures, .. } = self;
        Selected { spec, broken, group, figures, types: PhantomData }
    }
}

impl<M: Model, G: Keys<M>, C, F: Select, A: Completeness> Selected<M, G, C, F, A> {
    /// The groups: what their rows have in common, and their figures.
    pub fn fetch<H: Reads<C>>(self, handle: &H) -> Answer<A::Out<Groups<M, G, F>>> {
        let Selected { spec, broken, group, figures, .. } = self;
        let names = group.keys.clone();
        let spec = broken.map_or(Ok(spec), |error| Err(error.into()));
        let read = move |row: GroupRow| {
            let mut keys = GroupKeys { model: M::DEF.name, names: names.iter(), values: row.keys.into_iter() };
            Ok((G::take(&mut keys)?, figures.take(M::DEF.name, &mut row.figures.into_iter())?))
        };
        finish::<A, _>(execute(handle, spec, End::Group(group)), move |found| match found {
            Answered::Groups(groups) => groups.into_iter().map(read).collect(),
            other => Err(other.wrong(M::DEF.name)),
        })
    }
}
