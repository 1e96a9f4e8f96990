//! [`Query`]: a typed query, being built.

use crate::{
    Aggregate, Answer, Answered, Completeness, End, Explained, Extreme, Grouped, InPart, Keys, Number, Outcome, Paged,
    QueryError, QuerySpec, Reach, Reads, Start, UpdateAll, Whole, Writes,
};
use debros_core::{
    Bare, Changeable, EncodeError, Field, Filter, Include, IntoFilter, Model, NoneYet, Path, Rel, RelOf, Relation, Row,
    Sort, Value, With, World, Yields,
};
use std::{fmt, marker::PhantomData};

type Types<M, S, O, C, A> = PhantomData<fn() -> (M, S, O, C, A)>;

/// A query without an order.
pub struct Unsorted;
/// A query with an order.
pub struct Sorted;

/// Queries with an order: what pages are cut from.
#[diagnostic::on_unimplemented(
    message = "a paged query needs an order",
    label = "call `.order_by(..)` before `.page(..)`"
)]
pub trait HasOrder {}
impl HasOrder for Sorted {}

/// A query on the model `M`, being built; `Post::query()` is one. It says what is wanted; a handle, given to its end,
/// says who asks.
///
/// `S` is what its rows carry, `O` whether it has an order, `C` whose databases it reads, and `A` whether its answer
/// must be complete.
///
/// Without an order rows come in any. All that is said of a query holds together, in whatever sequence it is said: a
/// limit is one on rows that match.
///
/// ```
/// use debros_query::{Query, oracle::{Memory, blog::{Post, User}}};
/// # futures::executor::block_on(async {
/// # let me = Memory::blog();
///
/// let query = Query::<Post>::new().filter(|p| p.published.eq(true) & p.likes.gt(1)).order_by(|p| p.likes.desc());
/// let posts: Vec<Post> = query.clone().fetch(&me).await?;
/// assert_eq!(posts.iter().map(|post| post.likes).collect::<Vec<_>>(), [30, 20, 10]);
///
/// let best = query.with(|p| p.author).first(&me).await?.expect("there are three");
/// assert_eq!(best.author().name, "alice");
/// assert_eq!(Query::<User>::new().count(&me).await?, 2);
/// # Ok::<(), debros_query::QueryError>(()) }).unwrap();
/// ```
pub struct Query<M: Model, S = Bare, O = Unsorted, C = <M as Model>::Scope, A = Whole> {
    spec: QuerySpec,
    /// What of the query has no stored form: its end says so.
    broken: Option<EncodeError>,
    types: Types<M, S, O, C, A>,
}

impl<M: Model, S, O, C, A> Clone for Query<M, S, O, C, A> {
    fn clone(&self) -> Query<M, S, O, C, A> {
        Query { spec: self.spec.clone(), broken: self.broken.clone(), types: PhantomData }
    }
}
impl<M: Model, S, O, C, A> fmt::Debug for Query<M, S, O, C, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}
impl<M: Model> Default for Query<M> {
    fn default() -> Query<M> {
        Query::new()
    }
}

impl<M: Model> Query<M> {
    /// All rows of the model.
    pub fn new() -> Query<M> {
        Query { spec: QuerySpec::new(M::DEF), broken: None, types: PhantomData }
    }
}

impl<M: Model> Query<M, Bare, Unsorted, World> {
    /// The rows that a relation of `row` leads to, in every database held here. [`Related`](crate::Related) is the
    /// other way to say it.
    pub fn related_to<W: Row, R>(row: &W, _: Rel<R>) -> Query<M, Bare, Unsorted, World>
    where
        R: Relation<Target = M> + RelOf<W::Model>,
    {
        let (record, broken) = match row.row().encode() {
            Ok(record) => (record, None),
            Err(error) => (debros_core::Map::new(), Some(error)),
        };
        let mut spec = QuerySpec::new(M::DEF);
        spec.reach = Reach::Everywhere;
        spec.start = Start::Related { from: W::Model::DEF, relation: R::NAME, record };
        Query { spec, broken, types: PhantomData }
    }
}

impl<M: Model, S, O, C, A> Query<M, S, O, C, A> {
    fn typed<S2, O2, C2, A2>(self) -> Query<M, S2, O2, C2, A2> {
        Query { spec: self.spec, broken: self.broken, types: PhantomData }
    }

    /// Only rows for which the predicate holds. Several add up: all must hold.
    #[must_use]
    pub fn filter(self, filter: impl FnOnce(M::Fields) -> Filter<M>) -> Self {
        self.matching(filter(M::FIELDS))
    }

    /// Only rows for which the predicate holds: a value that was made before.
    #[must_use]
    pub fn matching(mut self, filter: impl IntoFilter<M>) -> Self {
        self.spec.filter = self.spec.filter.and(filter.into_filter().into_expr());
        self
    }

    /// The order of the rows. Several add up: rows that tie in one go by the next, and at last by key, in the direction
    /// of the last column.
    #[must_use]
    pub fn order_by(mut self, order: impl FnOnce(M::Fields) -> Sort<M>) -> Query<M, S, Sorted, C, A> {
        self.spec.order.extend(order(M::FIELDS).into_keys());
        self.typed()
    }

    /// Loads these relations with each row: one, or a tuple of 1 to 12. A row whose required relation leads to no row
    /// that is held here is left out, before the limit.
    #[must_use]
    pub fn with<I: Include<M>>(mut self, include: impl FnOnce(M::Fields) -> I) -> Query<M, With<I::Shape>, O, C, A>
    where
        S: NoneYet,
    {
        self.spec.includes = include(M::FIELDS).specs();
        self.typed()
    }

    /// At most this many rows; the smallest limit holds. The end acts on the rows that are left.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.spec.limit = Some(self.spec.limit.map_or(limit, |before| before.min(limit)));
        self
    }

    /// Takes what is here, if not everything is: the end gives a [`Partial`](crate::Partial) of what it else gives.
    #[must_use]
    pub fn partial(mut self) -> Query<M, S, O, C, InPart> {
        self.spec.partial = true;
        self.typed()
    }

    /// Reads the databases of all users, as far as they are held here, and not those of one.
    #[must_use]
    pub fn everywhere(mut self) -> Query<M, S, O, World, A> {
        self.spec.reach = Reach::Everywhere;
        self.typed()
    }

    /// The query in pages of this many rows.
    pub fn page(self, size: usize) -> Paged<M, S, C, A>
    where
        O: HasOrder,
    {
        Paged::new(self.spec, self.broken, size)
    }

    /// Groups rows that have the values of these columns in common: of one, or of a tuple of them.
    pub fn group_by<G: Keys<M>>(self, keys: impl FnOnce(M::Fields) -> G) -> Grouped<M, G::Itself, C, A> {
        Grouped::new(self.spec, self.broken, &keys(M::FIELDS))
    }

    /// The query as data.
    ///
    /// # Errors
    /// If something in it has no stored form.
    pub fn into_spec(self) -> Result<QuerySpec, QueryError> {
        match self.broken {
            None => Ok(self.spec),
            Some(error) => Err(error.into()),
        }
    }

    /// How the query would be answered: which databases and which index are read, and what is left to do on each row.
    pub fn explain<H: Reads<C>>(self, handle: &H) -> Answer<Explained> {
        explain(handle, self.into_spec())
    }

    /// Sets fields of every row that the query finds: `.update_all(&me).set(|p| p.published, true).await` says how many
    /// rows that were.
    pub fn update_all<H: Reads<C> + Writes>(self, handle: &H) -> UpdateAll<M, H::Error>
    where
        M: Changeable,
    {
        UpdateAll::new(handle, self.into_spec())
    }

    /// Deletes every row that the query finds, and says how many rows that were.
    pub fn delete_all<H: Reads<C> + Writes>(self, handle: &H) -> Answer<u64, H::Error>
    where
        M: Changeable,
    {
        match self.into_spec() {
            Ok(spec) => handle.delete_all::<M>(spec),
            Err(error) => Answer::ready(Err(error.into())),
        }
    }
}

impl<M: Model, S: Yields<M>, O, C, A: Completeness> Query<M, S, O, C, A> {
    fn end<H: Reads<C>, T: Send + 'static>(
        self,
        handle: &H,
        end: End,
        read: impl FnOnce(Answered) -> Result<T, QueryError> + Send + 'static,
    ) -> Answer<A::Out<T>> {
        finish::<A, T>(execute(handle, self.into_spec(), end), read)
    }

    /// Every row.
    pub fn fetch<H: Reads<C>>(self, handle: &H) -> Answer<A::Out<Vec<S::Row>>> {
        self.end(handle, End::Rows, rows::<M, S>)
    }

    /// The first row, if there is one.
    pub fn first<H: Reads<C>>(self, handle: &H) -> Answer<A::Out<Option<S::Row>>> {
        self.end(handle, End::First, row::<M, S>)
    }

    /// The one row that there is; if there is none, or more than one, the answer is an error.
    pub fn one<H: Reads<C>>(self, handle: &H) -> Answer<A::Out<S::Row>> {
        self.end(handle, End::One, |found| row::<M, S>(found)?.ok_or(QueryError::NotFound { model: M::DEF.name }))
    }

    /// How many rows there are.
    pub fn count<H: Reads<C>>(self, handle: &H) -> Answer<A::Out<u64>> {
        self.end(handle, End::Count, |found| match found {
            Answered::Count(count) => Ok(count),
            other => Err(other.wrong(M::DEF.name)),
        })
    }

    /// Is there a row?
    pub fn exists<H: Reads<C>>(self, handle: &H) -> Answer<A::Out<bool>> {
        self.end(handle, End::Exists, |found| match found {
            Answered::Exists(exists) => Ok(exists),
            other => Err(other.wrong(M::DEF.name)),
        })
    }

    /// The sum of a column; absent values are skipped, and the sum of nothing is 0. If it does not fit its type, the
    /// answer is an error.
    pub fn sum<T: Number, K, H: Reads<C>>(
        self,
        column: impl FnOnce(M::Fields) -> Path<M, T, K>,
        handle: &H,
    ) -> Answer<A::Out<T::Sum>> {
        let field = column(M::FIELDS).name();
        self.end(handle, End::Aggregate(Aggregate::Sum(field)), move |found| {
            sum::<T>(M::DEF.name, field, &figure::<M>(found)?)
        })
    }

    /// The mean of a column; absent values are skipped, and there is none of nothing.
    pub fn avg<T: Number, K, H: Reads<C>>(
        self,
        column: impl FnOnce(M::Fields) -> Path<M, T, K>,
        handle: &H,
    ) -> Answer<A::Out<Option<f64>>> {
        let field = column(M::FIELDS).name();
        self.end(handle, End::Aggregate(Aggregate::Avg(field)), move |found| Ok(figure::<M>(found)?.as_number()))
    }

    /// The smallest value of a column; absent values are skipped.
    pub fn min<T: Extreme, K, H: Reads<C>>(
        self,
        column: impl FnOnce(M::Fields) -> Path<M, T, K>,
        handle: &H,
    ) -> Answer<A::Out<Option<T::Value>>> {
        let field = column(M::FIELDS).name();
        let read = move |found| extreme::<T>(M::DEF.name, field, &figure::<M>(found)?);
        self.end(handle, End::Aggregate(Aggregate::Min(field)), read)
    }

    /// The largest value of a column; absent values are skipped.
    pub fn max<T: Extreme, K, H: Reads<C>>(
        self,
        column: impl FnOnce(M::Fields) -> Path<M, T, K>,
        handle: &H,
    ) -> Answer<A::Out<Option<T::Value>>> {
        let field = column(M::FIELDS).name();
        let read = move |found| extreme::<T>(M::DEF.name, field, &figure::<M>(found)?);
        self.end(handle, End::Aggregate(Aggregate::Max(field)), read)
    }
}

/// Lets a handle execute a query, if the query can be executed at all.
pub(crate) fn execute<C, H: Reads<C>>(handle: &H, spec: Result<QuerySpec, QueryError>, end: End) -> Answer<Outcome> {
    match spec {
        Ok(spec) => handle.execute(spec, end),
        Err(error) => Answer::ready(Err(error)),
    }
}

pub(crate) fn explain<C, H: Reads<C>>(handle: &H, spec: Result<QuerySpec, QueryError>) -> Answer<Explained> {
    let model = spec.as_ref().map_or("", |spec| spec.model.name);
    execute(handle, spec, End::Explain).then(move |outcome| match outcome.found {
        Answered::Explained(explained) => Ok(explained),
        other => Err(other.wrong(model)),
    })
}

/// Gives an answer its type.
pub(crate) fn finish<A: Completeness, T: Send + 'static>(
    answer: Answer<Outcome>,
    read: impl FnOnce(Answered) -> Result<T, QueryError> + Send + 'static,
) -> Answer<A::Out<T>> {
    answer.then(|Outcome { found, coverage }: Outcome| Ok(A::give(read(found)?, coverage)))
}

fn rows<M: Model, S: Yields<M>>(found: Answered) -> Result<Vec<S::Row>, QueryError> {
    match found {
        Answered::Rows(rows) => rows.into_iter().map(|row| Ok(S::row(row)?)).collect(),
        other => Err(other.wrong(M::DEF.name)),
    }
}

pub(crate) fn row<M: Model, S: Yields<M>>(found: Answered) -> Result<Option<S::Row>, QueryError> {
    match found {
        Answered::Row(row) => Ok(row.map(S::row).transpose()?),
        other => Err(other.wrong(M::DEF.name)),
    }
}

fn figure<M: Model>(found: Answered) -> Result<Value, QueryError> {
    match found {
        Answered::Value(value) => Ok(value),
        other => Err(other.wrong(M::DEF.name)),
    }
}

/// The typed sum of a field.
pub(crate) fn sum<T: Number>(model: &'static str, field: &'static str, value: &Value) -> Result<T::Sum, QueryError> {
    T::Sum::decode(value).map_err(|_| QueryError::Overflow { model, field })
}

/// The typed smallest or largest value of a field.
pub(crate) fn extreme<T: Extreme>(
    model: &'static str,
    field: &'static str,
    value: &Value,
) -> Result<Option<T::Value>, QueryError> {
    if value.is_null() {
        return Ok(None);
    }
    let wrong = |reason: debros_core::FieldError| debros_core::DecodeError::new(model, field, reason.to_string());
    Ok(Some(T::Value::decode(value).map_err(wrong)?))
}
