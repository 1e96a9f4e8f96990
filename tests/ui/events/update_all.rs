// Every event of a query is updated.
use debros::prelude::*;

#[path = "../visits.rs"]
mod visits;
use visits::*;

async fn program(me: Session, visit: Visit) {
    let _ = Visit::query().update_all(&me).set(|v| v.browser, "lynx").await;
}

fn main() {
    let _ = program;
}
