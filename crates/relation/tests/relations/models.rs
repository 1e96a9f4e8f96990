//! The models of the tests, as `#[model]` would make them, and their rows.

use debros_core::{
    FieldDef, ID, IndexDef, Kind, LEFT, Map, ModelDef, RIGHT, RelationDef, RelationKind, Role, Scope, Sharding,
    StoreKind, Strategy, Value, Writers, composite_key,
};
use debros_query::Registry;

pub(crate) const NO: &str = "the tests make no such row";

/// A row to be created.
pub(crate) struct Row(pub(crate) Map);

/// `row![field = value, ..]`
#[macro_export]
macro_rules! row {
    ($($field:ident = $value:expr),* $(,)?) => {{
        #[allow(unused_mut, reason = "a row without fields")]
        let mut map = debros_core::Map::new();
        $( map.insert(stringify!($field), debros_core::Value::from($value)); )*
        $crate::models::Row(map)
    }};
}

const fn field(name: &'static str, kind: Kind, optional: bool) -> FieldDef {
    FieldDef { name, kind, optional, shape: |_| 0, role: Role::Plain, rules: &[] }
}
const fn key(kind: Kind, role: Role) -> FieldDef {
    FieldDef { name: "id", kind, optional: false, shape: |_| 0, role, rules: &[] }
}
const fn index(fields: &'static [&'static str]) -> IndexDef {
    IndexDef { fields, unique: false }
}
const INT: Kind = Kind::Int { min: i64::MIN as i128, max: i64::MAX as i128 };

const fn belongs_to(
    name: &'static str,
    target: &'static str,
    keys: &'static [&'static str],
    optional: bool,
) -> RelationDef {
    RelationDef { name, kind: RelationKind::BelongsTo, target, keys, optional, inverse: None, links: None }
}
const fn has(
    name: &'static str,
    kind: RelationKind,
    target: &'static str,
    keys: &'static [&'static str],
) -> RelationDef {
    RelationDef { name, kind, target, keys, optional: true, inverse: None, links: None }
}
const fn linked(name: &'static str, target: &'static str, links: &'static ModelDef) -> RelationDef {
    RelationDef {
        name,
        kind: RelationKind::ManyToMany,
        target,
        keys: &[],
        optional: false,
        inverse: None,
        links: Some(links),
    }
}
const fn linked_back(name: &'static str, target: &'static str, inverse: &'static str) -> RelationDef {
    let inverse = Some(inverse);
    RelationDef { name, kind: RelationKind::ManyToMany, target, keys: &[], optional: false, inverse, links: None }
}

const fn model(
    name: &'static str,
    scope: Scope,
    fields: &'static [FieldDef],
    relations: &'static [RelationDef],
    indexes: &'static [IndexDef],
) -> ModelDef {
    ModelDef {
        name,
        path: name,
        stored: name,
        scope,
        store: StoreKind::Documents,
        version: 1,
        fields,
        key: &[0],
        relations,
        indexes,
        sharding: None,
        check: |_| Ok(()),
    }
}
const fn links(name: &'static str, left: Kind, right: Kind) -> ModelDef {
    const fn end(name: &'static str, kind: Kind) -> FieldDef {
        FieldDef { name, kind, optional: false, shape: |_| 0, role: Role::Key, rules: &[] }
    }
    const ID_ID: &[FieldDef] = &[key(Kind::Text, Role::Key), end(LEFT, Kind::Id), end(RIGHT, Kind::Id)];
    const ID_TEXT: &[FieldDef] = &[key(Kind::Text, Role::Key), end(LEFT, Kind::Id), end(RIGHT, Kind::Text)];
    const TEXT_TEXT: &[FieldDef] = &[key(Kind::Text, Role::Key), end(LEFT, Kind::Text), end(RIGHT, Kind::Text)];
    const INDEXES: &[IndexDef] = &[index(&[LEFT]), index(&[RIGHT])];
    let fields = match (left, right) {
        (Kind::Id, Kind::Id) => ID_ID,
        (Kind::Id, _) => ID_TEXT,
        _ => TEXT_TEXT,
    };
    model(name, Scope::User, fields, &[], INDEXES)
}

const ANYONE: Scope = Scope::Global(Writers::Anyone);
const ADMINS: Scope = Scope::Global(Writers::Admins);
const OWNER: Scope = Scope::Global(Writers::Owner);
const ID_KEY: FieldDef = key(Kind::Id, Role::GeneratedKey);

/// Global, of anyone, with a natural key.
pub(crate) static COUNTRY: ModelDef = ModelDef {
    fields: &[
        FieldDef { name: "code", kind: Kind::Text, optional: false, shape: |_| 0, role: Role::Key, rules: &[] },
        field("name", Kind::Text, false),
    ],
    ..model("Country", ANYONE, &[], &[has("people", RelationKind::HasMany, "User", &["country"])], &[])
};
/// Global, of anyone.
pub(crate) static USER: ModelDef = model(
    "User",
    ANYONE,
    &[ID_KEY, field("name", Kind::Text, false), field("country", Kind::Text, true), field("age", INT, true)],
    &[
        belongs_to("home", "Country", &["country"], true),
        has("posts", RelationKind::HasMany, "Post", &["user_id"]),
        has("comments", RelationKind::HasMany, "Comment", &["user_id"]),
        has("profile", RelationKind::HasOne, "Profile", &["user_id"]),
        linked("friends", "User", &FRIENDS),
    ],
    &[index(&["name"]), index(&["country"])],
);
static FRIENDS: ModelDef = links("User.friends", Kind::Id, Kind::Id);
/// Of each user.
pub(crate) static POST: ModelDef = model(
    "Post",
    Scope::User,
    &[
        ID_KEY,
        field("user_id", Kind::Id, false),
        field("title", Kind::Text, false),
        field("likes", INT, false),
        field("reply_to", Kind::Id, true),
    ],
    &[
        belongs_to("author", "User", &["user_id"], false),
        belongs_to("original", "Post", &["reply_to"], true),
        has("replies", RelationKind::HasMany, "Post", &["reply_to"]),
        has("comments", RelationKind::HasMany, "Comment", &["post_id"]),
        linked("tags", "Tag", &TAGS),
    ],
    &[index(&["title"]), index(&["user_id"]), index(&["reply_to"])],
);
static TAGS: ModelDef = links("Post.tags", Kind::Id, Kind::Text);
/// Of each user, found by parent and time.
pub(crate) static COMMENT: ModelDef = model(
    "Comment",
    Scope::User,
    &[
        ID_KEY,
        field("post_id", Kind::Id, false),
        field("user_id", Kind::Id, false),
        field("text", Kind::Text, false),
        field("at", INT, true),
    ],
    &[belongs_to("post", "Post", &["post_id"], false), belongs_to("author", "User", &["user_id"], false)],
    &[index(&["text"]), index(&["post_id", "at"]), index(&["user_id"])],
);
/// Global, of anyone, with a natural key.
pub(crate) static TAG: ModelDef = ModelDef {
    fields: &[
        FieldDef { name: "name", kind: Kind::Text, optional: false, shape: |_| 0, role: Role::Key, rules: &[] },
        field("weight", INT, false),
    ],
    ..model("Tag", ANYONE, &[], &[linked_back("posts", "Post", "tags"), linked_back("shelves", "Shelf", "tags")], &[])
};
/// Of each user: one for each.
pub(crate) static PROFILE: ModelDef = model(
    "Profile",
    Scope::User,
    &[ID_KEY, field("user_id", Kind::Id, false), field("text", Kind::Text, false)],
    &[belongs_to("of", "User", &["user_id"], false)],
    &[index(&["user_id"])],
);
/// Of each user, with a natural key.
pub(crate) static SHELF: ModelDef = ModelDef {
    fields: &[
        FieldDef { name: "name", kind: Kind::Text, optional: false, shape: |_| 0, role: Role::Key, rules: &[] },
        field("size", INT, false),
    ],
    ..model(
        "Shelf",
        Scope::User,
        &[],
        &[
            has("books", RelationKind::HasMany, "Book", &["shelf"]),
            linked("tags", "Tag", &SHELF_TAGS),
            linked("next_to", "Shelf", &NEXT_TO),
        ],
        &[],
    )
};
static SHELF_TAGS: ModelDef = links("Shelf.tags", Kind::Text, Kind::Text);
static NEXT_TO: ModelDef = links("Shelf.next_to", Kind::Text, Kind::Text);
/// Of each user, on a shelf.
pub(crate) static BOOK: ModelDef = model(
    "Book",
    Scope::User,
    &[ID_KEY, field("shelf", Kind::Text, true), field("title", Kind::Text, false)],
    &[belongs_to("on", "Shelf", &["shelf"], true)],
    &[index(&["shelf", "title"])],
);
/// Global, of admins.
pub(crate) static TEAM: ModelDef =
    model("Team", ADMINS, &[ID_KEY, field("name", Kind::Text, false)], &[linked("players", "User", &PLAYERS)], &[]);
static PLAYERS: ModelDef = links("Team.players", Kind::Id, Kind::Id);
/// Global, each row of its creator.
pub(crate) static PAGE: ModelDef = model(
    "Page",
    OWNER,
    &[ID_KEY, field("name", Kind::Text, false)],
    &[linked("readers", "User", &READERS), linked_back("pinned_by", "Page", "pins"), linked("pins", "Page", &PINS)],
    &[],
);
static READERS: ModelDef = links("Page.readers", Kind::Id, Kind::Id);
static PINS: ModelDef = links("Page.pins", Kind::Id, Kind::Id);
/// Global, in shards, with a composite key.
pub(crate) static WEATHER: ModelDef = ModelDef {
    fields: &[
        FieldDef { name: "origin", kind: Kind::Text, optional: false, shape: |_| 0, role: Role::Key, rules: &[] },
        FieldDef { name: "hour", kind: INT, optional: false, shape: |_| 0, role: Role::Key, rules: &[] },
        field("wind", INT, false),
    ],
    key: &[0, 1],
    sharding: Some(Sharding { strategy: Strategy::Hash, key: "origin", count: 3 }),
    ..model(
        "Weather",
        ANYONE,
        &[],
        &[has("flights", RelationKind::HasMany, "Flight", &["origin", "hour"])],
        &[index(&["wind"])],
    )
};
/// Global, in shards by its id.
pub(crate) static FLIGHT: ModelDef = ModelDef {
    sharding: Some(Sharding { strategy: Strategy::Hash, key: "id", count: 3 }),
    ..model(
        "Flight",
        ANYONE,
        &[key(INT, Role::Key), field("origin", Kind::Text, false), field("hour", INT, true), field("delay", INT, true)],
        &[belongs_to("weather", "Weather", &["origin", "hour"], true)],
        &[index(&["origin", "hour", "delay"])],
    )
};
/// Global, in shards by its parent.
pub(crate) static STOP: ModelDef = ModelDef {
    sharding: Some(Sharding { strategy: Strategy::Hash, key: "country", count: 3 }),
    ..model(
        "Stop",
        ANYONE,
        &[key(INT, Role::Key), field("country", Kind::Text, false), field("rank", INT, false)],
        &[belongs_to("in_country", "Country", &["country"], false)],
        &[index(&["country"])],
    )
};

pub(crate) const ALL: [&ModelDef; 13] =
    [&COUNTRY, &USER, &POST, &COMMENT, &TAG, &PROFILE, &SHELF, &BOOK, &TEAM, &PAGE, &WEATHER, &FLIGHT, &STOP];

pub(crate) fn registry() -> Registry {
    Registry::new(ALL)
}

/// The relations of all models that lead to `model`.
pub(crate) fn leading_to(model: &'static ModelDef) -> Vec<(&'static ModelDef, &'static RelationDef)> {
    let all = ALL.into_iter().flat_map(|from| from.relations.iter().map(move |relation| (from, relation)));
    all.filter(|(_, relation)| relation.target == model.path).collect()
}

/// A row whose natural key is its first fields.
pub(crate) fn keyed(model: &'static ModelDef, row: Row) -> Row {
    let mut map = row.0;
    let id = match model.key {
        [at] => map.remove(model.fields[*at].name).expect(NO),
        _ => Value::from(composite_key(
            &model.key_fields().map(|field| map.field(field.name).clone()).collect::<Vec<_>>(),
        )),
    };
    map.insert(ID, id);
    Row(map)
}
