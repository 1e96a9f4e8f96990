//! [`Loader`].

use crate::memo::Memo;
use debros_core::{Expr, IncludeSpec, Included, Map, ModelDef, UserId};
use debros_query::{
    Coverage, DatabaseId, Executor, Found, QueryError, Reach, Reached, Registry, RelatedExpr, Resolver, Source,
    SourceError,
};
use std::rc::Rc;

/// What a query asks about relations, answered from one snapshot on behalf of one user, or of none.
///
/// It remembers what it reads, within bounds, so make one for each query.
///
/// ```
/// use debros_core::{Expr, IncludeSpec, Included, Kind, Value};
/// use debros_query::{Answered, End, Executor, QuerySpec, Registry, oracle::{Columns, MemorySource, model}};
/// use debros_relation::Loader;
///
/// let user = model(&Columns::new("name", Kind::Text).named("User"));
/// let post = Columns::new("id", Kind::Text).named("Post").field("by", Kind::Text);
/// let post = model(&post.belongs_to("author", user.path, "by", false));
/// let mut source = MemorySource::new([user, post]);
/// source.insert(user, None, [("_id", Value::from("alice"))].into_iter().collect());
/// source.insert(post, None, [("_id", Value::from("1")), ("by", Value::from("alice"))].into_iter().collect());
///
/// let registry = Registry::new([user, post]);
/// let loader = Loader::new(&source, &registry, None);
/// let mut posts = QuerySpec::new(post);
/// posts.includes.push(IncludeSpec {
///     relation: "author",
///     filter: Expr::Always,
///     order: vec![],
///     limit: None,
///     mine: false,
///     includes: vec![],
/// });
/// let outcome = Executor::new(&source, &loader).run(&posts, &End::Rows).unwrap();
/// let Answered::Rows(rows) = outcome.found else { panic!("rows were asked for") };
/// let Included::One(Some(author)) = &rows[0].included[0] else { panic!("a post has an author") };
/// assert_eq!(author.record.field("_id"), &Value::from("alice"));
/// ```
pub struct Loader<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) registry: &'a Registry,
    pub(crate) user: Option<UserId>,
    pub(crate) memo: Memo,
}

impl<'a> Loader<'a> {
    /// A loader that reads this snapshot on behalf of `user`, whose stores `.mine()` means. The source must speak for the same user.
    pub fn new(source: &'a dyn Source, registry: &'a Registry, user: Option<UserId>) -> Loader<'a> {
        Loader { source, registry, user, memo: Memo::default() }
    }

    /// The user whose database this is; `None` for one of a global model.
    pub(crate) fn owner(&self, database: DatabaseId) -> Result<Option<UserId>, SourceError> {
        if let Some(owner) = self.memo.owners.borrow().get(&database) {
            return Ok(*owner);
        }
        let owner = self.source.owner(database)?;
        self.memo.owners.borrow_mut().insert(database, owner);
        Ok(owner)
    }

    pub(crate) fn is_admin(&self, user: &UserId) -> Result<bool, SourceError> {
        if let Some(admin) = self.memo.admins.borrow().get(user) {
            return Ok(*admin);
        }
        let admin = self.source.is_admin(user)?;
        self.memo.admins.borrow_mut().insert(*user, admin);
        Ok(admin)
    }

    /// The databases of a model.
    pub(crate) fn databases(&self, model: &'static ModelDef, reach: Reach) -> Result<Rc<[DatabaseId]>, SourceError> {
        if let Some(databases) = self.memo.databases.borrow().get(&(model.path, reach)) {
            return Ok(databases.clone());
        }
        let databases: Rc<[DatabaseId]> = self.source.databases(model, reach)?.into();
        self.memo.databases.borrow_mut().insert((model.path, reach), databases.clone());
        Ok(databases)
    }

    /// Is a row in this database within what `.mine()` admits: global, or the asking user's own?
    pub(crate) fn is_mine(&self, database: DatabaseId) -> Result<bool, SourceError> {
        Ok(self.owner(database)?.is_none_or(|owner| Some(owner) == self.user))
    }

    /// Does the predicate hold for this row?
    pub(crate) fn test(&self, model: &'static ModelDef, expr: &Expr, row: &Found) -> Result<bool, QueryError> {
        if matches!(expr, Expr::Always) {
            return Ok(true);
        }
        // only what reads other rows is worth remembering
        let remembered = if reads_relations(expr) { self.memo.predicate(expr) } else { None };
        if let Some(holds) = remembered.and_then(|predicate| self.memo.verdict(predicate, row)) {
            return Ok(holds);
        }
        let holds = Executor::new(self.source, self).holds(expr, model, row.database, &row.record)?;
        if let Some(predicate) = remembered {
            self.memo.judge(predicate, row, holds);
        }
        Ok(holds)
    }
}

fn reads_relations(expr: &Expr) -> bool {
    match expr {
        Expr::Related { .. } => true,
        Expr::And(list) | Expr::Or(list) => list.iter().any(reads_relations),
        Expr::Not(not) => reads_relations(not),
        _ => false,
    }
}

pub(crate) fn reach(mine: bool) -> Reach {
    if mine { Reach::Own } else { Reach::Everywhere }
}

impl Resolver for Loader<'_> {
    fn holds(&self, related: RelatedExpr<'_>, database: DatabaseId, record: &Map) -> Result<bool, QueryError> {
        self.related_holds(related, database, record)
    }

    fn narrow(&self, related: RelatedExpr<'_>) -> Result<Option<Expr>, QueryError> {
        self.narrowed(related)
    }

    fn reached(
        &self,
        from: &'static ModelDef,
        relation: &'static str,
        record: &Map,
    ) -> Result<Reached<'_>, QueryError> {
        self.reached_from(from, relation, record)
    }

    fn attach(
        &self,
        model: &'static ModelDef,
        rows: Vec<Found>,
        includes: &[IncludeSpec],
        coverage: &mut Coverage,
    ) -> Result<Vec<(Found, Vec<Included>)>, QueryError> {
        self.attached(model, rows, includes, coverage)
    }

    fn keeps(
        &self,
        model: &'static ModelDef,
        rows: &[&Found],
        includes: &[IncludeSpec],
    ) -> Result<Vec<bool>, QueryError> {
        self.kept(model, rows, includes)
    }
}
