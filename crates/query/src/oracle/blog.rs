//! Two models as `#[model]` would make them, for this crate's tests and examples.

use debros_core::{
    BelongsTo, Changeable, DecodeError, EncodeError, Field, FieldDef, Has, HasMany, IndexDef, LoadedRow, Map, Model,
    ModelDef, Path, PerUser, ReadOnly, Rel, RelOf, Relation, RelationDef, RelationKind, Required, Role, Row, Scope,
    Several, Shape, Slot, StoreKind, Value, Violations, World, Writers, Yields, check, field_def, get, new_record, put,
    stored_key,
};

/// A global model with a natural key.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The key.
    pub name: String,
    /// May be absent.
    pub age: Option<i64>,
    /// Their posts.
    pub posts: HasMany<Post>,
}

/// A user-scoped model that requires a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    /// The key.
    pub number: i64,
    /// The author's key.
    pub author_name: String,
    /// Indexed.
    pub likes: i64,
    /// Indexed, with `likes`.
    pub published: bool,
    /// May be absent.
    pub rating: Option<f64>,
    /// Who wrote it.
    pub author: BelongsTo<User>,
}

/// The columns and relations of [`User`].
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "they are those of the struct")]
pub struct UserFields {
    pub name: Path<User, String, ReadOnly>,
    pub age: Path<User, Option<i64>>,
    pub posts: Rel<user_posts>,
}

/// The columns and relations of [`Post`].
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "they are those of the struct")]
pub struct PostFields {
    pub number: Path<Post, i64, ReadOnly>,
    pub author_name: Path<Post, String>,
    pub likes: Path<Post, i64>,
    pub published: Path<Post, bool>,
    pub rating: Path<Post, Option<f64>>,
    pub author: Rel<post_author>,
}

/// A [`User`] with loaded relations.
pub struct UserLoaded<S: Shape>(LoadedRow<User, S>);
/// A [`Post`] with loaded relations.
pub struct PostLoaded<S: Shape>(LoadedRow<Post, S>);

/// `User::posts`.
#[expect(non_camel_case_types, reason = "as `#[model]` names them")]
pub struct user_posts;
/// `Post::author`.
#[expect(non_camel_case_types, reason = "as `#[model]` names them")]
pub struct post_author;

impl Relation for user_posts {
    type Source = User;
    type Target = Post;
    type Slot = Several;
    const NAME: &'static str = "posts";
}
impl RelOf<User> for user_posts {
    type Itself = user_posts;
}
impl Relation for post_author {
    type Source = Post;
    type Target = User;
    type Slot = Required;
    const NAME: &'static str = "author";
}
impl RelOf<Post> for post_author {
    type Itself = post_author;
}

debros_core::__loaded_impls!(User, UserLoaded);
debros_core::__loaded_impls!(Post, PostLoaded);

impl<S: Shape> UserLoaded<S> {
    /// Their posts.
    pub fn posts<I>(&self) -> &[<<S as Has<user_posts, I>>::Nested as Yields<Post>>::Row]
    where
        S: Has<user_posts, I>,
    {
        Several::view(S::get(&self.0.data))
    }
}
impl<S: Shape> PostLoaded<S> {
    /// Who wrote it.
    pub fn author<I>(&self) -> &<<S as Has<post_author, I>>::Nested as Yields<User>>::Row
    where
        S: Has<post_author, I>,
    {
        Required::view(S::get(&self.0.data))
    }
}

impl Row for User {
    type Model = User;
    fn row(&self) -> &User {
        self
    }
}
impl Row for Post {
    type Model = Post;
    fn row(&self) -> &Post {
        self
    }
}

impl Changeable for User {}
impl Changeable for Post {}

impl Model for User {
    type Fields = UserFields;
    type Key = String;
    type Scope = World;
    type Loaded<S: Shape> = UserLoaded<S>;
    const FIELDS: UserFields = UserFields { name: Path::new("name"), age: Path::new("age"), posts: Rel::NEW };
    const PATH: &'static str = "blog::User";
    const DEF: &'static ModelDef = &ModelDef {
        name: "User",
        path: Self::PATH,
        stored: "User",
        scope: Scope::Global(Writers::Anyone),
        store: StoreKind::Documents,
        version: 1,
        fields: USER_FIELDS,
        key: &[0],
        relations: &[RelationDef {
            name: "posts",
            kind: RelationKind::HasMany,
            target: Post::PATH,
            keys: &["author_name"],
            optional: false,
            inverse: None,
            links: None,
        }],
        indexes: &[],
        sharding: None,
        check: check::<User>,
    };

    fn encode(&self) -> Result<Map, EncodeError> {
        let mut map = new_record(Self::DEF, 2);
        put(&mut map, "User", "name", "_id", &self.name)?;
        put(&mut map, "User", "age", "age", &self.age)?;
        Ok(map)
    }
    fn decode(map: &Map) -> Result<User, DecodeError> {
        Ok(User { name: get(map, "User", "name", "_id")?, age: get(map, "User", "age", "age")?, posts: HasMany::new() })
    }
    fn key(&self) -> Result<Value, EncodeError> {
        stored_key::<User>("name", &self.name)
    }
    fn validate(&self, _: &mut Violations) {}
    fn loaded<S: Shape>(row: LoadedRow<User, S>) -> UserLoaded<S> {
        UserLoaded(row)
    }
}

const USER_FIELDS: &[FieldDef] = &[
    field_def("name", <String as Field>::COLUMN, Role::Key, &[]),
    field_def("age", <Option<i64> as Field>::COLUMN, Role::Plain, &[]),
];

impl Model for Post {
    type Fields = PostFields;
    type Key = i64;
    type Scope = PerUser;
    type Loaded<S: Shape> = PostLoaded<S>;
    const FIELDS: PostFields = PostFields {
        number: Path::new("number"),
        author_name: Path::new("author_name"),
        likes: Path::new("likes"),
        published: Path::new("published"),
        rating: Path::new("rating"),
        author: Rel::NEW,
    };
    const PATH: &'static str = "blog::Post";
    const DEF: &'static ModelDef = &ModelDef {
        name: "Post",
        path: Self::PATH,
        stored: "Post",
        scope: Scope::User,
        store: StoreKind::Documents,
        version: 1,
        fields: POST_FIELDS,
        key: &[0],
        relations: &[RelationDef {
            name: "author",
            kind: RelationKind::BelongsTo,
            target: User::PATH,
            keys: &["author_name"],
            optional: false,
            inverse: None,
            links: None,
        }],
        indexes: &[
            IndexDef { fields: &["published", "likes"], unique: false },
            IndexDef { fields: &["likes"], unique: false },
            IndexDef { fields: &["author_name"], unique: false },
        ],
        sharding: None,
        check: check::<Post>,
    };

    fn encode(&self) -> Result<Map, EncodeError> {
        let mut map = new_record(Self::DEF, 5);
        put(&mut map, "Post", "number", "_id", &self.number)?;
        put(&mut map, "Post", "likes", "likes", &self.likes)?;
        put(&mut map, "Post", "rating", "rating", &self.rating)?;
        put(&mut map, "Post", "published", "published", &self.published)?;
        put(&mut map, "Post", "author_name", "author_name", &self.author_name)?;
        Ok(map)
    }
    fn decode(map: &Map) -> Result<Post, DecodeError> {
        Ok(Post {
            number: get(map, "Post", "number", "_id")?,
            author_name: get(map, "Post", "author_name", "author_name")?,
            likes: get(map, "Post", "likes", "likes")?,
            published: get(map, "Post", "published", "published")?,
            rating: get(map, "Post", "rating", "rating")?,
            author: BelongsTo::new(),
        })
    }
    fn key(&self) -> Result<Value, EncodeError> {
        stored_key::<Post>("number", &self.number)
    }
    fn validate(&self, _: &mut Violations) {}
    fn loaded<S: Shape>(row: LoadedRow<Post, S>) -> PostLoaded<S> {
        PostLoaded(row)
    }
}

const POST_FIELDS: &[FieldDef] = &[
    field_def("number", <i64 as Field>::COLUMN, Role::Key, &[]),
    field_def("author_name", <String as Field>::COLUMN, Role::Plain, &[]),
    field_def("likes", <i64 as Field>::COLUMN, Role::Plain, &[]),
    field_def("published", <bool as Field>::COLUMN, Role::Plain, &[]),
    field_def("rating", <Option<f64> as Field>::COLUMN, Role::Plain, &[]),
];

/// alice, who is 30, and bob.
pub fn users() -> Vec<User> {
    let user = |name: &str, age| User { name: name.to_owned(), age, posts: HasMany::new() };
    vec![user("alice", Some(30)), user("bob", None)]
}

/// Three published posts of alice with 10, 20 and 30 likes, and a draft of bob with 1.
pub fn posts() -> Vec<Post> {
    let post = |number, name: &str, likes, rating| Post {
        number,
        author_name: name.to_owned(),
        likes,
        published: likes > 1,
        rating,
        author: BelongsTo::new(),
    };
    vec![
        post(1, "alice", 10, Some(0.5)),
        post(2, "alice", 30, None),
        post(3, "alice", 20, Some(1.0)),
        post(4, "bob", 1, None),
    ]
}
