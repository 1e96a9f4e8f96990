// The fields for a composite key stand in the wrong order.
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
    pub hour: Timestamp,
    #[belongs_to(key = (hour, origin))]
    pub weather: BelongsTo<Option<Weather>>,
}

fn main() {}
