//! [`Relation`] and [`Rel`]: a relation of a model, as a type and as a value.

use crate::{Bare, Expr, Filter, Inc, Include, IncludeSpec, Model, Quantifier, Slot, Sort, With};
use std::{fmt, marker::PhantomData};

/// The arity of a relation that leads to one row, or none.
pub struct One;
/// The arity of a relation that leads to any number of rows.
pub struct Many;

/// Arities with a single row.
#[diagnostic::on_unimplemented(
    message = "this relation leads to many rows",
    label = "use `.any(..)`, `.all(..)` or `.none(..)`"
)]
pub trait ToOne {}
impl ToOne for One {}
/// Arities with many rows.
#[diagnostic::on_unimplemented(message = "this relation leads to one row", label = "use `.is(..)`")]
pub trait ToMany {}
impl ToMany for Many {}

/// One relation of a model. `#[model]` makes a type for each.
pub trait Relation: Sized + 'static {
    /// The model that has it.
    type Source: Model;
    /// The model that it leads to.
    type Target: Model;
    /// Whether it leads to exactly one row, one or none, or many: [`Required`](crate::Required),
    /// [`Optional`](crate::Optional) or [`Several`](crate::Several).
    type Slot: Slot;
    /// The field's name.
    const NAME: &'static str;
}

/// The relations of `M`.
#[diagnostic::on_unimplemented(
    message = "this is a relation of another model than `{M}`",
    label = "only relations of `{M}` can stand here"
)]
pub trait RelOf<M> {
    /// The relation: there is none of another model, which is then not told of twice.
    #[doc(hidden)]
    type Itself: Relation;
}

/// Relations that are made of links: each `#[many_to_many]`.
#[diagnostic::on_unimplemented(
    message = "only a `#[many_to_many]` is made of links",
    label = "names a relation of another kind",
    note = "a `#[belongs_to]` follows the field that holds the key: `me.update(&row).set(|r| r.parent_id, parent.id)`; `#[has_one]` and `#[has_many]` are seen from the other side"
)]
pub trait Linkable: Relation {}

/// A relation of `Self`, named by [`hash`](crate::hash) of its field's name.
pub trait RelAt<const H: u64> {
    /// The relation.
    type Rel: Relation<Source = Self>;
}

/// Relations as values, of which `Loaded!` asks for the name.
#[diagnostic::on_unimplemented(message = "`{Self}` is no relation", label = "`Loaded!` names relations")]
pub trait LoadedName {
    /// [`hash`](crate::hash) of its field's name.
    const HASH: u64;
}
impl<R: Relation> LoadedName for Rel<R> {
    const HASH: u64 = crate::hash(R::NAME);
}

/// Two relations of one model that are not the same.
#[diagnostic::on_unimplemented(message = "a relation is named twice in this `.with(..)`", label = "name each once")]
pub trait Differs<Other> {}

/// A relation of a model as a value: what `|p| p.comments` gives.
pub struct Rel<R>(PhantomData<fn() -> R>);

impl<R> Clone for Rel<R> {
    fn clone(&self) -> Rel<R> {
        *self
    }
}
impl<R> Copy for Rel<R> {}
impl<R: Relation> fmt::Debug for Rel<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(R::NAME)
    }
}

type FieldsOf<R> = <<R as Relation>::Target as Model>::Fields;
type ArityOf<R> = <<R as Relation>::Slot as Slot>::Arity;

impl<R: Relation> Rel<R> {
    /// The relation.
    pub const NEW: Rel<R> = Rel(PhantomData);

    /// Loads these relations of each of its rows, too.
    pub fn with<I: Include<R::Target>>(self, include: impl FnOnce(FieldsOf<R>) -> I) -> Inc<R, With<I::Shape>> {
        Inc::<R, Bare>::new().with(include)
    }

    /// At most this many rows for each parent.
    pub fn limit(self, limit: usize) -> Inc<R, Bare> {
        Inc::new().limit(limit)
    }

    /// The order of its rows, for each parent.
    pub fn order_by(self, order: impl FnOnce(FieldsOf<R>) -> Sort<R::Target>) -> Inc<R, Bare> {
        Inc::new().order_by(order)
    }

    /// Only these of its rows.
    pub fn filter(self, filter: impl FnOnce(FieldsOf<R>) -> Filter<R::Target>) -> Inc<R, Bare> {
        Inc::new().filter(filter)
    }

    /// Only rows in the asking user's own stores.
    pub fn mine(self) -> Inc<R, Bare> {
        Inc::new().mine()
    }

    /// Does the predicate hold for the one row that it leads to? False if there is none.
    pub fn is(self, filter: impl FnOnce(FieldsOf<R>) -> Filter<R::Target>) -> Filter<R::Source>
    where
        ArityOf<R>: ToOne,
    {
        related::<R>(Quantifier::Is, filter(R::Target::FIELDS), false)
    }

    /// Does the predicate hold for at least one of its rows?
    pub fn any(self, filter: impl FnOnce(FieldsOf<R>) -> Filter<R::Target>) -> Filter<R::Source>
    where
        ArityOf<R>: ToMany,
    {
        related::<R>(Quantifier::Any, filter(R::Target::FIELDS), false)
    }

    /// Does the predicate hold for each of its rows? True if there is none.
    pub fn all(self, filter: impl FnOnce(FieldsOf<R>) -> Filter<R::Target>) -> Filter<R::Source>
    where
        ArityOf<R>: ToMany,
    {
        related::<R>(Quantifier::All, filter(R::Target::FIELDS), false)
    }

    /// Does the predicate hold for not one of its rows?
    pub fn none(self, filter: impl FnOnce(FieldsOf<R>) -> Filter<R::Target>) -> Filter<R::Source>
    where
        ArityOf<R>: ToMany,
    {
        related::<R>(Quantifier::None, filter(R::Target::FIELDS), false)
    }
}

pub(crate) fn related<R: Relation>(quantifier: Quantifier, filter: Filter<R::Target>, mine: bool) -> Filter<R::Source> {
    Filter::new(Expr::Related { relation: R::NAME, quantifier, expr: Box::new(filter.into_expr()), mine })
}

impl<R: Relation> Rel<R> {
    /// What a query is asked to load, as data.
    pub(crate) fn spec(self) -> IncludeSpec {
        Inc::<R, Bare>::new().spec()
    }
}
