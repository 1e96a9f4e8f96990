//! Executing queries: by [`Db`], [`Session`] and [`View`].

use crate::{Db, Session, View, WriteError, blocking, source::NodeSource, write};
use debros_core::{Changeable, PerUser, UserId, Value, World};
use debros_orbit::StoreError;
use debros_query::{Answer, End, Execute, Executor, Outcome, QueryError, QuerySpec, Reads, SourceError, Start, Writes};
use debros_relation::Loader;

/// A query that may be short is answered where it is asked; one that has read so much goes on where it may block, from the start.
/// In units of a row of an index, of which a glance at an index reads some hundreds: about a millisecond.
const BUDGET: u32 = 4096;

/// So many rows at most are expected to be found within [`BUDGET`].
const FEW: usize = 64;

impl Execute for Db {
    fn execute(&self, spec: QuerySpec, end: End) -> Answer<Outcome> {
        answer(self.clone(), None, spec, end)
    }
}
impl Execute for Session {
    fn execute(&self, spec: QuerySpec, end: End) -> Answer<Outcome> {
        answer(self.db().clone(), Some(self.user()), spec, end)
    }
}
impl Execute for View {
    fn execute(&self, spec: QuerySpec, end: End) -> Answer<Outcome> {
        answer(self.db().clone(), Some(self.user()), spec, end)
    }
}

impl Reads<World> for Db {}
impl Reads<World> for Session {}
impl Reads<World> for View {}
impl Reads<PerUser> for Session {}
impl Reads<PerUser> for View {}

impl Writes for Session {
    type Error = WriteError;

    fn update_all<M: Changeable>(&self, spec: QuerySpec, set: Vec<(&'static str, Value)>) -> Answer<u64, WriteError> {
        Answer::new(write::update_all::<M>(self.clone(), spec, set))
    }

    fn delete_all<M: Changeable>(&self, spec: QuerySpec) -> Answer<u64, WriteError> {
        Answer::new(write::delete_all::<M>(self.clone(), spec))
    }
}

fn answer(db: Db, user: Option<UserId>, spec: QuerySpec, end: End) -> Answer<Outcome> {
    Answer::new(async move {
        if is_short(&spec, &end)
            && let Some(answer) = run(&db, user, &spec, &end, Some(BUDGET))
        {
            return answer;
        }
        blocking::run(move || {
            let answer = run(&db, user, &spec, &end, None);
            // without a budget there is always an answer
            answer.unwrap_or_else(|| Err(SourceError::Closed.into()))
        })
        .await
    })
}

/// May the answer take only a few rows?
fn is_short(spec: &QuerySpec, end: &End) -> bool {
    let few = spec.limit.is_some_and(|limit| limit <= FEW);
    match end {
        End::Page(size) => few || *size <= FEW,
        End::First | End::One | End::Exists | End::Explain => true,
        End::Rows => few || matches!(spec.start, Start::Key(_)),
        _ => matches!(spec.start, Start::Key(_)),
    }
}

/// `None`: the budget is spent.
fn run(
    db: &Db,
    user: Option<UserId>,
    spec: &QuerySpec,
    end: &End,
    budget: Option<u32>,
) -> Option<Result<Outcome, QueryError>> {
    let snapshot = match db.snapshot() {
        Ok(snapshot) => snapshot,
        Err(StoreError::Closed { .. }) => return Some(Err(SourceError::Closed.into())),
        Err(error) => return Some(Err(SourceError::read(error).into())),
    };
    let stores = db.stores();
    if !stores.registry.knows(spec.model) {
        return Some(Err(QueryError::Source(SourceError::read(UnknownModel { model: spec.model.name }))));
    }
    let source = NodeSource::new(stores, &snapshot, user).with_budget(budget);
    let loader = Loader::new(&source, stores.registry.queries(), user);
    let answer = Executor::new(&source, &loader).run(spec, end);
    if answer.is_err() && source.is_over_budget() { None } else { Some(answer) }
}

/// A query on a model that the database was not opened with.
#[derive(Debug, thiserror::Error)]
#[error("`{model}` is not among the models of this database: add it to the `models![..]` that it is opened with")]
struct UnknownModel {
    model: &'static str,
}
