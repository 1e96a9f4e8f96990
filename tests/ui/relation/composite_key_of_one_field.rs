// One field is to hold a key of two.
use debros::prelude::*;

#[model(scope = global, writers = admins)]
pub struct Weather {
    #[field(key)]
    pub origin: String,
    #[field(key)]
    pub hour: Timestamp,
    pub degrees: f64,
}

#[model(scope = global, writers = admins)]
pub struct Flight {
    #[field(key)]
    pub id: Id<Flight>,
    pub origin: String,
    #[belongs_to(key = origin)]
    pub weather: BelongsTo<Option<Weather>>,
}

fn main() {}
