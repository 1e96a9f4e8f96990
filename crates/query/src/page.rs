//! [`Paged`] and [`Page`]: a query in pages.

use crate::{
    Answer, Answered, Completeness, Coverage, Cursor, End, Explained, InPart, Outcome, QuerySpec, Reads, Whole,
    query::explain,
};
use debros_core::{DecodeError, EncodeError, Model, RawRow, Row, Yields};
use std::{fmt, marker::PhantomData};

type Types<M, S, C, A> = PhantomData<fn() -> (M, S, C, A)>;

/// A query in pages; [`Query::page`](crate::Query::page) makes one.
pub struct Paged<M: Model, S, C, A = Whole> {
    spec: QuerySpec,
    broken: Option<EncodeError>,
    size: usize,
    types: Types<M, S, C, A>,
}

impl<M: Model, S, C, A> fmt::Debug for Paged<M, S, C, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paged").field("size", &self.size).field("spec", &self.spec).finish()
    }
}

impl<M: Model, S, C, A> Paged<M, S, C, A> {
    pub(crate) fn new(spec: QuerySpec, broken: Option<EncodeError>, size: usize) -> Paged<M, S, C, A> {
        Paged { spec, broken, size, types: PhantomData }
    }

    /// Takes what is here, if not everything is: `fetch` gives a [`Partial`](crate::Partial) page.
    #[must_use]
    pub fn partial(mut self) -> Paged<M, S, C, InPart> {
        self.spec.partial = true;
        Paged::new(self.spec, self.broken, self.size)
    }
}

impl<M: Model, S: Yields<M>, C: 'static, A: Completeness> Paged<M, S, C, A> {
    /// How a page would be read.
    pub fn explain<H: Reads<C>>(self, handle: &H) -> Answer<Explained> {
        let limit = self.spec.limit.map_or(self.size, |limit| limit.min(self.size));
        let spec = self.broken.map_or(Ok(self.spec), |error| Err(error.into()));
        explain(handle, spec.map(|spec| QuerySpec { limit: Some(limit), ..spec }))
    }

    /// The first page. A page of no rows has none after it.
    pub fn fetch<H: Reads<C>>(self, handle: &H) -> Answer<A::Out<Page<S::Row, C>>> {
        if let Some(error) = self.broken {
            return Answer::ready(Err(error.into()));
        }
        fetch(handle, self.spec, self.size, S::row).then(|page| {
            let coverage = page.coverage;
            Ok(A::give(page, coverage))
        })
    }
}

/// One page of rows. Its type is named by its row alone: `Page<Post>`, `Page<Loaded![Post { author }]>`.
///
/// The next page begins after the last row of this one, by the values of the order's columns: whatever is written or
/// deleted meanwhile, no row that stays where it was is missed or comes twice.
///
/// ```
/// use debros_query::{Page, Query, oracle::{Memory, blog::Post}};
/// # futures::executor::block_on(async {
/// # let me = Memory::blog();
///
/// let page: Page<Post> = Query::<Post>::new().order_by(|p| p.likes.desc()).page(2).fetch(&me).await?;
/// assert_eq!(page.rows.iter().map(|post| post.likes).collect::<Vec<_>>(), [30, 20]);
/// assert!(page.has_more);
/// let next = page.next(&me).await?.expect("there are four posts");
/// assert!(!next.has_more && next.next(&me).await?.is_none());
/// # Ok::<(), debros_query::QueryError>(()) }).unwrap();
/// ```
pub struct Page<R: Row, C = <<R as Row>::Model as Model>::Scope> {
    /// The rows.
    pub rows: Vec<R>,
    /// Was there a row after these, when they were read?
    pub has_more: bool,
    /// How much was there to read.
    pub coverage: Coverage,
    spec: QuerySpec,
    size: usize,
    cursor: Option<Cursor>,
    row: fn(RawRow) -> Result<R, DecodeError>,
    scope: PhantomData<fn() -> C>,
}

impl<R: Row + fmt::Debug, C> fmt::Debug for Page<R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("rows", &self.rows)
            .field("has_more", &self.has_more)
            .field("coverage", &self.coverage)
            .finish_non_exhaustive()
    }
}
impl<R: Row + Clone, C> Clone for Page<R, C> {
    fn clone(&self) -> Page<R, C> {
        Page {
            rows: self.rows.clone(),
            spec: self.spec.clone(),
            cursor: self.cursor.clone(),
            scope: PhantomData,
            ..*self
        }
    }
}

impl<R: Row + Send + 'static, C: 'static> Page<R, C> {
    /// The page after this one; `None` at the end. A last page can be asked again: rows may have come after it.
    pub fn next<H: Reads<C>>(&self, handle: &H) -> Answer<Option<Page<R, C>>> {
        let left = self.spec.limit.map(|limit| limit.saturating_sub(self.rows.len()));
        let (Some(cursor), true) = (&self.cursor, left != Some(0)) else { return Answer::ready(Ok(None)) };
        let spec = QuerySpec { limit: left, after: Some(cursor.clone()), ..self.spec.clone() };
        let page = fetch(handle, spec, self.size, self.row);
        page.then(|page| Ok((!page.rows.is_empty()).then_some(page)))
    }
}

fn fetch<R: Row + Send + 'static, C: 'static, H: Reads<C>>(
    handle: &H,
    spec: QuerySpec,
    size: usize,
    row: fn(RawRow) -> Result<R, DecodeError>,
) -> Answer<Page<R, C>> {
    handle.execute(spec.clone(), End::Page(size)).then(move |Outcome { found, coverage }: Outcome| {
        let page = match found {
            Answered::Page(page) => page,
            other => return Err(other.wrong(spec.model.name)),
        };
        Ok(Page {
            rows: page.rows.into_iter().map(row).collect::<Result<_, _>>()?,
            has_more: page.more,
            coverage,
            spec,
            size,
            cursor: page.cursor,
            row,
            scope: PhantomData,
        })
    })
}
