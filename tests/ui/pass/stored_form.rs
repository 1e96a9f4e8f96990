// What a record is stored as, read back, filled with and checked for.
use debros::{
    __private::{Kind, Map, RelationKind, Role, Seed, Violations},
    prelude::*,
};
use std::collections::BTreeMap;
use uuid::Uuid;

#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone, PartialEq)]
pub struct Flight {
    #[field(key)]
    pub carrier: String,
    #[field(key)]
    pub number: u16,
    #[field(index, range = 0.0..=1.0)]
    pub load: f64,
    pub tailnum: Option<String>,
    #[field(default = Status::OnTime)]
    pub status: Status,
    #[field(default = "none")]
    pub note: String,
    #[field(default)]
    pub seats: BTreeMap<String, u8>,
    #[field(default = vec![1, 2], len = ..=3)]
    pub data: Vec<u8>,
    #[field(serde, default)]
    pub place: (f64, Option<String>),
    pub from: Place,
    #[field(created)]
    pub created_at: Timestamp,
    #[field(updated)]
    pub touched: Option<Timestamp>,
    #[field(owner)]
    pub by: UserId,
    #[field(matches = "^[a-z]*$", check = is_short)]
    pub r#type: String,
    #[belongs_to(key = tailnum)]
    pub plane: BelongsTo<Option<Plane>>,
}

#[model(scope = global, writers = anyone, name = "plane.v1")]
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    #[field(key)]
    pub tailnum: String,
    #[has_many]
    pub flights: HasMany<Flight>,
    #[many_to_many]
    pub like: ManyToMany<Plane>,
}

#[derive(Debug, Clone, Copy, PartialEq, Value)]
pub enum Status {
    OnTime,
    #[value(name = "late")]
    Late,
}

#[derive(Debug, Clone, PartialEq, Value)]
pub struct Place {
    pub code: Code,
    pub height: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Value)]
pub struct Code(pub String);

fn is_short(text: &String) -> Result<(), String> {
    if text.len() < 5 { Ok(()) } else { Err(format!("has {} letters, and 4 is the most", text.len())) }
}

fn main() {
    let seed = Seed { id: Uuid::from_u128(7), now: Timestamp::from_millis(1_000), user: UserId::from_bytes([2; 33]) };
    let from = Place { code: Code("EWR".into()), height: None };
    let flight = NewFlight { carrier: "UA".into(), number: 5, load: 1.0, from, r#type: "x".into() }.build(&seed);
    assert_eq!((flight.status, flight.note.as_str(), flight.data.len()), (Status::OnTime, "none", 2));
    assert_eq!((flight.created_at, flight.touched, flight.by), (seed.now, Some(seed.now), seed.user));

    // a map of its fields, the composite key as JSON text, whole floats as integers, relations not at all
    let stored = flight.encode().unwrap();
    assert_eq!(stored.field("_id"), &Value::from(r#"["UA",5]"#));
    assert_eq!(stored.field("_v"), &Value::from(1));
    assert_eq!(stored.field("load"), &Value::from(1));
    assert_eq!(stored.field("tailnum"), &Value::Null);
    assert_eq!(stored.field("type"), &Value::from("x"));
    assert_eq!(stored.field("status"), &Value::from("OnTime"));
    assert_eq!(stored.field("data"), &Value::Bytes(vec![1, 2]));
    assert_eq!(stored.field("from"), &Value::Map(Map::from_iter([("code", Value::from("EWR")), ("height", Value::Null)])));
    assert!(!stored.contains_key("plane"));
    assert_eq!(flight.key().unwrap(), *stored.field("_id"));
    assert_eq!(Flight::decode(&stored).unwrap(), flight);

    // a single key is stored as `_id` alone
    let plane = Plane { tailnum: "N1".into(), flights: HasMany::new(), like: ManyToMany::new() };
    let stored_plane = plane.encode().unwrap();
    assert_eq!(stored_plane, Map::from_iter([("_id", Value::from("N1")), ("_v", Value::from(1))]));
    assert_eq!(Plane::decode(&stored_plane).unwrap(), plane);

    // what is absent may be absent, what is required may not, what is unknown is told
    let with = |field: &'static str, value: Value| {
        let mut stored = stored.clone();
        stored.insert(field, value);
        Flight::decode(&stored).map_err(|error| error.to_string())
    };
    let mut without = stored.clone();
    without.remove("tailnum");
    assert_eq!(Flight::decode(&without).unwrap(), flight);
    assert_eq!(with("status", Value::from("late")).unwrap().status, Status::Late);
    assert_eq!(with("note", Value::Null).unwrap_err(), "`Flight.note` is absent, but the model requires it");
    assert_eq!(with("status", Value::from("Late")).unwrap_err(), "`Flight.status` holds `Late`, which is no `Status` of this version");
    assert_eq!(with("number", Value::from(70_000)).unwrap_err(), "`Flight.number` holds 70000, which does not fit a `u16`");
    assert_eq!(with("from", Value::Map(Map::new())).unwrap_err(), "`Flight.from` at `code` is absent");

    // every broken rule of every field
    let mut violations = Violations::default();
    let broken = Flight { load: 2.0, data: vec![0; 4], r#type: "TOO LONG".into(), ..flight };
    broken.validate(&mut violations);
    let said: Vec<_> = violations.into_iter().map(|violation| (violation.field, violation.rule)).collect();
    assert_eq!(
        said,
        [("load", "range = 0.0..=1.0"), ("data", "len = ..=3"), ("type", "matches = \"^[a-z]*$\""), ("type", "check = is_short")]
    );

    // the schema
    let def = Flight::DEF;
    assert_eq!((def.name, def.stored, def.key), ("Flight", "Flight", &[0, 1][..]));
    let kinds: Vec<_> = def.fields.iter().map(|field| (field.name, field.kind, field.optional, field.role)).collect();
    assert_eq!(kinds[1], ("number", Kind::Int { min: 0, max: 65_535 }, false, Role::Key));
    assert_eq!(kinds[3], ("tailnum", Kind::Text, true, Role::Plain));
    assert_eq!(kinds[8], ("place", Kind::Serde, true, Role::Plain));
    assert_eq!(kinds[9], ("from", Kind::Struct, false, Role::Plain));
    assert_eq!(kinds[11], ("touched", Kind::Timestamp, true, Role::Updated));
    let indexes: Vec<_> = def.indexes.iter().map(|index| index.fields).collect();
    assert_eq!(indexes, [["load"], ["tailnum"]]);
    let [plane] = def.relations else { panic!("one relation") };
    assert_eq!((plane.kind, plane.target, plane.keys, plane.optional), (RelationKind::BelongsTo, Plane::PATH, &["tailnum"][..], true));

    let def = Plane::DEF;
    assert_eq!(def.stored, "plane.v1");
    assert_eq!((def.relations[0].keys, def.relations[0].target), (&["tailnum"][..], Flight::PATH));
    let links = def.relations[1].links.unwrap();
    assert_eq!((links.name, links.stored), ("Plane.like", "plane.v1.like"));
}
