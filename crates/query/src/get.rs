//! [`Get`]: the row of one key.

use crate::{
    Answer, Completeness, End, InPart, QueryError, QuerySpec, Reach, Reads, Start, Whole,
    query::{execute, finish, row},
};
use debros_core::{Bare, EncodeError, Include, IntoKey, Model, NoneYet, Value, With, World, Yields};
use std::{fmt, marker::PhantomData};

type Types<M, S, C, A> = PhantomData<fn() -> (M, S, C, A)>;

/// The row of one key, being asked for; `Post::get(&id)` is one.
///
/// ```
/// use debros_query::{Get, oracle::{Memory, blog::User}};
/// # futures::executor::block_on(async {
/// # let me = Memory::blog();
///
/// let bob = Get::<User>::new("bob").fetch(&me).await?;
/// assert_eq!(bob.map(|user| user.age), Some(None));
/// # Ok::<(), debros_query::QueryError>(()) }).unwrap();
/// ```
pub struct Get<M: Model, S = Bare, C = <M as Model>::Scope, A = Whole> {
    key: Result<Value, EncodeError>,
    spec: QuerySpec,
    types: Types<M, S, C, A>,
}

impl<M: Model, S, C, A> Clone for Get<M, S, C, A> {
    fn clone(&self) -> Get<M, S, C, A> {
        Get { key: self.key.clone(), spec: self.spec.clone(), types: PhantomData }
    }
}
impl<M: Model, S, C, A> fmt::Debug for Get<M, S, C, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get").field("model", &M::DEF.name).field("key", &self.key).finish()
    }
}

impl<M: Model> Get<M> {
    /// The row of this key.
    pub fn new(key: impl IntoKey<M::Key>) -> Get<M> {
        let field = M::DEF.key_fields().next().map_or("key", |field| field.name);
        let key = key.into_stored().map_err(|reason| EncodeError::new(M::DEF.name, field, reason));
        Get { key, spec: QuerySpec::new(M::DEF), types: PhantomData }
    }
}

impl<M: Model, S, C, A> Get<M, S, C, A> {
    fn typed<S2, C2, A2>(self) -> Get<M, S2, C2, A2> {
        Get { key: self.key, spec: self.spec, types: PhantomData }
    }

    /// Looks in the databases of all users, as far as they are held here: the row whose key commits to its owner, as
    /// references across users find it. A natural key means a row of one's own.
    #[must_use]
    pub fn everywhere(mut self) -> Get<M, S, World, A> {
        self.spec.reach = Reach::Everywhere;
        self.typed()
    }

    /// Takes what is here, if not everything is: `fetch` gives a [`Partial`](crate::Partial).
    #[must_use]
    pub fn partial(mut self) -> Get<M, S, C, InPart> {
        self.spec.partial = true;
        self.typed()
    }

    /// Loads these relations with the row: one, or a tuple of 1 to 12. A row whose required relation leads to no row
    /// that is held here is left out.
    #[must_use]
    pub fn with<I: Include<M>>(mut self, include: impl FnOnce(M::Fields) -> I) -> Get<M, With<I::Shape>, C, A>
    where
        S: NoneYet,
    {
        self.spec.includes = include(M::FIELDS).specs();
        self.typed()
    }

    /// The query as data.
    ///
    /// # Errors
    /// If the key has no stored form.
    pub fn into_spec(self) -> Result<QuerySpec, QueryError> {
        Ok(QuerySpec { start: Start::Key(self.key?), ..self.spec })
    }
}

impl<M: Model, S: Yields<M>, C, A: Completeness> Get<M, S, C, A> {
    /// The row, if there is one.
    pub fn fetch<H: Reads<C>>(self, handle: &H) -> Answer<A::Out<Option<S::Row>>> {
        finish::<A, _>(execute(handle, self.into_spec(), End::First), row::<M, S>)
    }
}
