//! [`Model`] and [`Row`]: what `#[model]` makes of a struct.
//!
//! # What `#[model]` expands to
//!
//! Data, not behaviour: the types of this crate do the work. For
//!
//! ```ignore
//! #[model(scope = user, hooks)]
//! pub struct Post {
//!     #[field(key)] pub id: Id<Post>,
//!     pub user_id: Id<User>,
//!     #[field(index, len = 1..=200)] pub title: String,
//!     #[field(default = 0)] pub popularity: i64,
//!     #[field(created)] pub created_at: Timestamp,
//!     #[belongs_to(key = user_id)] pub author: BelongsTo<User>,
//!     #[has_many] pub comments: HasMany<Comment>,
//! }
//! ```
//!
//! beside the struct itself, which stays as it is, there are
//!
//! - `PostFields`: a [`Path`](crate::Path) for each column, a [`Rel`](crate::Rel) for each relation;
//! - `NewPost`: the fields that a creator must give, with an [`Insert`](crate::Insert) that makes a `Post` of it;
//! - `PostLoaded<S>`: a [`LoadedRow`](crate::LoadedRow) with a method for each relation;
//! - a hidden type for each relation, with its [`Relation`](crate::Relation), [`RelOf`](crate::RelOf), [`RelAt`](crate::RelAt)
//!   and [`Differs`](crate::Differs), and a hidden trait whose only job is the message where the relation was not loaded;
//! - a [`ChildOf`](crate::ChildOf) for each parent model, and the checks that this model and its relations agree;
//! - the [`Model`] itself: its [`ModelDef`] as constant data, `encode`, `decode`, `key`, `validate` field by field;
//! - a [`Changeable`](crate::Changeable), unless it is stored as events;
//! - `Post::FIELDS`, `Post::query()`, `Post::get(..)`, `Post::changes()`.
//!
//! The models of `debros-query`'s oracle are written so by hand.

use crate::{
    DecodeError, EncodeError, Hook, HookContext, HookError, LoadedRow, Map, ModelDef, Shape, Value, Violations, Visible,
};

/// The scope of a global model, and the reach of `.everywhere()`.
pub struct World;
/// The scope of a user-scoped model.
pub struct PerUser;

/// A struct with `#[model]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a model", label = "has no `#[model]`")]
pub trait Model: Row<Model = Self> + Sized + Send + Sync + 'static {
    /// The struct of its columns and relations: what closures such as `|p| p.title.eq("Hi")` get.
    type Fields: Copy;
    /// The type of its key; a tuple, if several fields make the key.
    type Key: crate::Key;
    /// [`World`] or [`PerUser`].
    type Scope: 'static;
    /// A row with loaded relations.
    type Loaded<S: Shape>: std::ops::Deref<Target = Self> + Row<Model = Self> + Send + Sync + 'static;
    /// Its columns and relations.
    const FIELDS: Self::Fields;
    /// The module path and name of the struct.
    const PATH: &'static str;
    /// Its schema.
    const DEF: &'static ModelDef;
    /// Which modules see it.
    #[doc(hidden)]
    const VISIBLE: Visible = Visible::EVERYWHERE;
    /// Has it hooks?
    const HOOKS: bool = false;

    /// The stored record, without `_n`.
    ///
    /// # Errors
    /// If a field's value has no stored form.
    fn encode(&self) -> Result<Map, EncodeError>;

    /// Reads a stored record.
    ///
    /// # Errors
    /// If a field does not decode.
    fn decode(record: &Map) -> Result<Self, DecodeError>;

    /// The stored key, `_id`.
    ///
    /// # Errors
    /// If it has no stored form.
    fn key(&self) -> Result<Value, EncodeError>;

    /// Checks the rules of every field.
    fn validate(&self, out: &mut Violations);

    /// A row with loaded relations.
    fn loaded<S: Shape>(row: LoadedRow<Self, S>) -> Self::Loaded<S>;

    /// Runs a hook, if the model has hooks.
    ///
    /// # Errors
    /// If it refuses.
    fn hook(&mut self, hook: Hook<'_, Self>, context: &HookContext) -> Result<(), HookError> {
        let _ = (hook, context);
        Ok(())
    }
}

/// A row of a model: its struct, or one with loaded relations.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model, nor a row of one",
    label = "has no `#[model]`",
    note = "a model is a struct with `#[model]` above it"
)]
pub trait Row {
    /// The model.
    type Model: Model;
    /// The struct.
    fn row(&self) -> &Self::Model;
}

/// Models of which `W` is a row.
#[diagnostic::on_unimplemented(message = "`{W}` is no row of `{Self}`", label = "the relation leads to `{Self}`")]
pub trait ModelOf<W>: Model {
    /// The struct.
    fn of(row: &W) -> &Self;
}
#[diagnostic::do_not_recommend]
impl<M: Model, W: Row<Model = M>> ModelOf<W> for M {
    fn of(row: &W) -> &M {
        row.row()
    }
}
