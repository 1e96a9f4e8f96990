// Fields and models with names that generated code uses, too.
#![deny(warnings)]
use debros::prelude::*;

#[model]
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    #[field(key)]
    pub id: Id<Self>,
    #[field(index, len = 1..=MAX, check = Self::get_it)]
    pub filter: String,
    #[field(unique)]
    pub query: String,
    #[field(default = Self::seed())]
    pub eq: i64,
    #[field(default = get())]
    pub new: i64,
    #[field(range = 0..=out::MAX)]
    pub r#type: i64,
    pub seed: Option<i64>,
    pub map: Option<i64>,
    pub value: Option<i64>,
    pub out: Option<i64>,
    pub get: Option<i64>,
    pub column: Option<i64>,
    pub self_id: Option<Id<Self>>,
    #[belongs_to(key = self_id)]
    pub r#self_: BelongsTo<Option<Self>>,
    #[has_many]
    pub r#match: HasMany<Named>,
    #[many_to_many]
    pub clone: ManyToMany<Named>,
}

impl Named {
    fn get_it(text: &String) -> std::result::Result<(), &'static str> {
        if text.is_empty() { Err("is empty") } else { Ok(()) }
    }
    fn seed() -> i64 {
        7
    }
}

const MAX: usize = 20;
mod out {
    pub(crate) const MAX: i64 = 9;
}
fn get() -> i64 {
    3
}

macro_rules! model_named {
    ($($name:ident)*) => { $(
        #[model(scope = global, writers = anyone)]
        pub struct $name {
            #[field(key)]
            pub id: Id<$name>,
            pub text: std::string::String,
            pub next_id: std::option::Option<Id<$name>>,
            #[belongs_to]
            pub next: BelongsTo<std::option::Option<$name>>,
            #[has_one]
            pub last: HasOne<$name>,
        }
    )* };
}
mod prelude_items {
    use debros::prelude::*;
    model_named!(Some Ok Vec Box Clone Default Iterator String Option Result None Err Send Sync Copy Into From Drop);
}
mod letters {
    use debros::prelude::*;
    model_named!(S I N T M R K F A);
}

fn main() {
    let _ = models![Named];
    let _ = models![letters::S, letters::I, letters::N, letters::T, letters::M, letters::R, letters::K, letters::F, letters::A];
    let _ = models![prelude_items::Some, prelude_items::Vec, prelude_items::Clone, prelude_items::Default, prelude_items::String];
    let _ = models![prelude_items::Ok, prelude_items::Box, prelude_items::Iterator, prelude_items::Option];
    let _ = models![prelude_items::Result, prelude_items::None, prelude_items::Err, prelude_items::Send];
    let _ = models![prelude_items::Sync, prelude_items::Copy, prelude_items::Into, prelude_items::From];
    let _ = models![prelude_items::Drop];
    let _ = Named::query().filter(|n| n.filter.eq("a") & n.query.ne("b") & n.eq.gt(1) & n.new.lt(2) & n.r#type.eq(3));
    let _ = Named::FIELDS.r#match;
    let _ = NewNamed { filter: "a".into(), query: "b".into(), r#type: 3 };
    let _ = prelude_items::Some::query().filter(|s| s.next.is(|n| n.text.eq("x")));
}
