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
//!     #[field(serde)] pub extra: Option<Extra>,
//!     #[field(created)] pub created_at: Timestamp,
//!     #[belongs_to(key = user_id)] pub author: BelongsTo<User>,
//!     #[has_many] pub comments: HasMany<Comment>,
//!     #[many_to_many] pub tags: ManyToMany<Tag>,
//! }
//! ```
//!
//! the expansion, shortened by `p` for `::debros::__private`, is
//!
//! ```ignore
//! #[derive(Clone, Copy)] pub struct PostFields {
//!     pub id: p::Path<Post, Id<Post>, p::ReadOnly>,
//!     pub user_id: p::Path<Post, Id<User>>,
//!     pub title: p::Path<Post, String>,
//!     pub popularity: p::Path<Post, i64>,
//!     pub extra: p::Path<Post, Option<Extra>, p::ViaSerde>,
//!     pub created_at: p::Path<Post, Timestamp, p::AtCreation>,
//!     pub author: p::Rel<post_author>, pub comments: p::Rel<post_comments>, pub tags: p::Rel<post_tags>,
//! }
//! pub struct NewPost { pub user_id: Id<User>, pub title: String }   // neither generated key, default, Option, created, updated, owner nor relation
//! pub struct PostLoaded<S: p::Shape>(p::LoadedRow<Post, S>);
//! // doc(hidden) marker types, one per relation, with the struct's visibility
//! pub struct post_author; ..
//! const _: () = {
//!     impl p::Relation for post_author { type Source = Post; type Target = User; type Slot = p::Required; const NAME: &'static str = "author"; }
//!     impl p::RelOf<Post> for post_author {}
//!     impl p::RelAt<{ p::hash("author") }> for Post { type Rel = post_author; }
//!     impl p::Differs<post_comments> for post_author {} ..                // every ordered pair
//!     // `Post` has `#[belongs_to]` fields that lead to `User`: one impl for each parent type
//!     impl p::ChildOf<User> for Post { const PARENTS: &'static [p::BackRef] = &[p::BackRef { relation: "author", keys: &["user_id"] }]; }
//!     impl p::Model for Post {
//!         type Fields = PostFields; type Key = Id<Post>; type Scope = p::PerUser; type Loaded<S: p::Shape> = PostLoaded<S>;
//!         const FIELDS: PostFields = PostFields { id: p::Path::new("id"), .., author: p::Rel::NEW, .. };
//!         const PATH: &'static str = concat!(module_path!(), "::Post");
//!         const DEF: &'static p::ModelDef = &p::ModelDef {
//!             name: "Post", path: <Post as p::Model>::PATH, stored: "Post", scope: p::Scope::User, store: p::StoreKind::Documents, version: 1,
//!             fields: &[p::field_def("id", <Id<Post> as p::Field>::COLUMN, p::Role::GeneratedKey, &[]), .., p::serde_field_def("extra", p::Role::Plain, &[]), ..],
//!             key: &[0],
//!             relations: &[
//!                 p::RelationDef { name: "author", kind: p::RelationKind::BelongsTo, target: <User as p::Model>::PATH, keys: &["user_id"], optional: false, inverse: None, links: None },
//!                 p::RelationDef { name: "comments", kind: HasMany, target: .., keys: p::back_ref::<Comment, Post>("`Post::comments`", None), .. },
//!                 p::RelationDef { name: "tags", kind: ManyToMany, .., links: Some({ const LINKS: &p::ModelDef = &p::Links::<post_tags>::def("Post.tags", concat!(module_path!(), "::Post.tags"), "Post.tags"); LINKS }) },   // the last is the stored name of the model, `.`, the field
//!             ],
//!             indexes: &[p::IndexDef { fields: &["title"], unique: false }, p::IndexDef { fields: &["user_id"], unique: false }],   // belongs_to keys last, if no index begins with them
//!             sharding: None,
//!             check: p::check::<Post>,
//!         };
//!         fn encode(&self) -> Result<p::Map, p::EncodeError> {
//!             let mut map = p::new_record(Self::DEF, 6);             // with `_v`
//!             p::put(&mut map, "Post", "id", "_id", &self.id)?;      // in canonical order of the stored names: shorter first, then by bytes
//!             p::put_serde(&mut map, "Post", "extra", "extra", &self.extra)?;
//!             Ok(map)
//!         }
//!         fn decode(map: &p::Map) -> Result<Post, p::DecodeError> {
//!             Ok(Post { id: p::get(map, "Post", "id", "_id")?, extra: p::get_serde(map, "Post", "extra", "extra")?, .., author: Default::default() })
//!         }
//!         fn key(&self) -> Result<p::Value, p::EncodeError> { p::key::<Post>("id", p::Key::stored(&self.id)) }   // composite: `&(self.a.clone(), self.b.clone())`
//!         fn validate(&self, out: &mut p::Violations) { p::rule::len(&self.title, 1..=200, "title", "len = 1..=200", out); }
//!         fn loaded<S: p::Shape>(row: p::LoadedRow<Post, S>) -> PostLoaded<S> { PostLoaded(row) }
//!         fn hook(&mut self, hook: p::Hook<'_, Post>, context: &p::HookContext) -> Result<(), p::HookError> { p::run_hook(self, hook, context) }  // only with `hooks`
//!         const HOOKS: bool = true;                                                                                                             // only with `hooks`
//!     }
//!     // a composite key encodes each of its fields under its own name, and `_id` by `p::put_key(&mut map, "Post", self.key()?)`
//!     impl p::Insert for NewPost { type Model = Post; fn build(self, seed: &p::Seed) -> Post { Post { id: p::Id::from_uuid(seed.id), .. , popularity: 0, extra: None, created_at: seed.now, author: Default::default() } } }
//!     impl p::Row for Post { type Model = Post; fn row(&self) -> &Post { self } }
//!     p::__loaded_impls!(Post, PostLoaded);                      // Deref, Row, Clone, Debug, PartialEq
//!     // one trait per relation, whose only job is its message, and the accessor, on the loaded row and, for its message alone, on the bare one
//!     pub trait PostAuthor<I>: p::Shape { type Nested: p::Yields<User>; fn get(data: &Self::Data) -> &<p::Required as p::Slot>::Out<<Self::Nested as p::Yields<User>>::Row>; }
//! };
//! impl Post { pub const FIELDS ..; pub fn query() -> p::Query<Post> { p::Query::new() } pub fn get(key: impl p::IntoKey<<Post as p::Model>::Key>) -> p::Get<Post> { p::Get::new(key) } }
//! ```

use crate::{
    DecodeError, EncodeError, Hook, HookContext, HookError, LoadedRow, Map, ModelDef, Shape, Value, Violations,
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
#[diagnostic::on_unimplemented(message = "`{Self}` is not a model, nor a row of one")]
pub trait Row {
    /// The model.
    type Model: Model;
    /// The struct.
    fn row(&self) -> &Self::Model;
}
