//! [`Batch`]: several writes, in one commit.

use super::{
    Change, Creation, Pending, Target, Writing,
    behaviour::{self, nonce_list},
    create::after_create,
    delete::after_delete,
    link::link_row,
    operation::{self, Behaviour, Done, Operation},
    update::after_update,
};
use crate::{Session, WriteError, blocking};
use debros_core::{Changeable, HookContext, Insert, Linkable, Model, ModelOf, Rel, RelOf, Row};
use std::future::IntoFuture;

/// Several writes in one commit, all or nothing: later ones see what earlier ones did. `T` comes out of `.await`: the rows of
/// [`Batch::create_all`], in its order, or `()`.
///
/// A batch is held in memory until it is durable. For very many rows, take several: batches of a thousand are as fast as
/// larger ones.
#[must_use = "nothing is written without `.await`"]
pub struct Batch<T = ()> {
    session: Session,
    before: Vec<Part<()>>,
    main: Part<T>,
    after: Vec<Part<()>>,
}

/// Makes the operations of one call on a batch.
type Part<T> = Box<dyn FnOnce(&HookContext) -> Result<Prepared<T>, WriteError> + Send>;

struct Prepared<T> {
    operations: Vec<Operation>,
    finish: Finish<T>,
}

/// Runs the hooks after the commit, and gives the result.
type Finish<T> = Box<dyn FnOnce(&[Done], &HookContext) -> T + Send>;

impl<T> Prepared<T> {
    fn new(
        operations: Vec<Operation>,
        finish: impl FnOnce(&[Done], &HookContext) -> T + Send + 'static,
    ) -> Prepared<T> {
        Prepared { operations, finish: Box::new(finish) }
    }
}

impl Batch {
    pub(crate) fn new(session: Session) -> Batch {
        let nothing = |_: &HookContext| Ok(Prepared::new(Vec::new(), |_, _| ()));
        Batch { session, before: Vec::new(), main: Box::new(nothing), after: Vec::new() }
    }

    /// Creates these records; their rows come out of `.await`.
    pub fn create_all<N: Insert>(self, new: impl IntoIterator<Item = N>) -> Batch<Vec<N::Model>> {
        let new: Vec<N> = new.into_iter().collect();
        let main = move |context: &HookContext| {
            let nonces = nonce_list(new.len())?;
            let mut rows = Vec::with_capacity(new.len());
            let mut operations = Vec::with_capacity(new.len());
            for (new, nonce) in new.into_iter().zip(nonces) {
                let (row, create) = behaviour::create(|seed| new.build(seed), &[], nonce, context)?;
                rows.push(row);
                operations.push(Operation::Create(create));
            }
            Ok(Prepared::new(operations, move |_: &[Done], context: &HookContext| {
                rows.iter_mut().for_each(|row| after_create(row, context));
                rows
            }))
        };
        let mut before = self.before;
        before.push(self.main);
        before.extend(self.after);
        Batch { session: self.session, before, main: Box::new(main), after: Vec::new() }
    }
}

impl<T> Batch<T> {
    fn push(
        mut self,
        part: impl FnOnce(&HookContext) -> Result<Prepared<()>, WriteError> + Send + 'static,
    ) -> Batch<T> {
        self.after.push(Box::new(part));
        self
    }

    /// Creates a record; the closure sets what is not in the `New..` struct: `|p| p.set(|p| p.published, true)`, or `|p| p`.
    pub fn create<N: Insert>(
        self,
        new: N,
        set: impl FnOnce(Pending<N::Model, Creation>) -> Pending<N::Model, Creation>,
    ) -> Batch<T> {
        let changes = set(Pending::new()).changes;
        self.push(move |context| {
            let [nonce] = behaviour::nonces::<1>()?;
            let (mut row, create) = behaviour::create(|seed| new.build(seed), &changes.finish()?, nonce, context)?;
            Ok(Prepared::new(vec![Operation::Create(create)], move |_, context| after_create(&mut row, context)))
        })
    }

    /// Changes the fields of a row that the closure sets: `|p| p.set(|p| p.title, "new")`.
    pub fn update<W: Row<Model: Changeable>>(
        self,
        row: &W,
        set: impl FnOnce(Pending<W::Model, Change>) -> Pending<W::Model, Change>,
    ) -> Batch<T> {
        let changes = set(Pending::new()).changes;
        let target = Target::of(row.row());
        self.push(move |_| {
            let change = operation::Change { set: changes.finish()?, behaviour: Behaviour::of::<W::Model>() };
            let update = operation::Update { model: W::Model::DEF, target: target?, change };
            Ok(Prepared::new(vec![Operation::Update(update)], |done, context| {
                for (before, after) in done.iter().flat_map(|done| &done.rows) {
                    // what was written decodes: it was checked before
                    let _ = after_update::<W::Model>(before.as_ref(), after.as_ref(), context);
                }
            }))
        })
    }

    /// Deletes a row.
    pub fn delete<W: Row<Model: Changeable>>(self, row: &W) -> Batch<T> {
        let target = Target::of(row.row());
        self.push(move |_| {
            let delete =
                operation::Delete { model: W::Model::DEF, target: target?, behaviour: Behaviour::of::<W::Model>() };
            Ok(Prepared::new(vec![Operation::Delete(delete)], |done, context| {
                for (before, _) in done.iter().flat_map(|done| &done.rows) {
                    after_delete::<W::Model>(before.as_ref(), context);
                }
            }))
        })
    }

    /// Links two rows, as [`Session::link`] does.
    pub fn link<W: Row, R: Linkable + RelOf<W::Model>, U>(
        self,
        from: &W,
        relation: impl FnOnce(<W::Model as Model>::Fields) -> Rel<R>,
        to: &U,
    ) -> Batch<T>
    where
        R::Target: ModelOf<U>,
    {
        let _: Rel<R> = relation(W::Model::FIELDS);
        let link = link_row::<W, R, U>(&self.session, from, to);
        self.push(move |_| Ok(Prepared::new(vec![Operation::Link(link?)], |_, _| ())))
    }
}

impl<T: Send + 'static> IntoFuture for Batch<T> {
    type Output = Result<T, WriteError>;
    type IntoFuture = Writing<T>;

    fn into_future(self) -> Writing<T> {
        let Batch { session, before, main, after } = self;
        Writing::new(async move {
            let context = session.context();
            let prepare = move || -> Result<_, WriteError> {
                let before = before.into_iter().map(|part| part(&context)).collect::<Result<Vec<_>, _>>()?;
                let main = main(&context)?;
                let after = after.into_iter().map(|part| part(&context)).collect::<Result<Vec<_>, _>>()?;
                Ok((before, main, after))
            };
            let (mut before, mut main, mut after) = blocking::run(prepare).await?;
            let mut operations = Vec::new();
            let mut take = |part: &mut Vec<Operation>| {
                let count = part.len();
                operations.append(part);
                count
            };
            let counts_before: Vec<usize> = before.iter_mut().map(|part| take(&mut part.operations)).collect();
            let count = take(&mut main.operations);
            let counts_after: Vec<usize> = after.iter_mut().map(|part| take(&mut part.operations)).collect();
            let done = session.write(context, operations).await?;
            let mut rest = done.as_slice();
            let mut next = |count: usize| {
                let (now, later) = rest.split_at(count.min(rest.len()));
                rest = later;
                now
            };
            for (part, count) in before.into_iter().zip(counts_before) {
                (part.finish)(next(count), &context);
            }
            let output = (main.finish)(next(count), &context);
            for (part, count) in after.into_iter().zip(counts_after) {
                (part.finish)(next(count), &context);
            }
            Ok(output)
        })
    }
}
