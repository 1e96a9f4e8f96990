// Every event of a query is deleted.
use debros::prelude::*;

#[path = "../visits.rs"]
mod visits;
use visits::*;

async fn program(me: Session, visit: Visit) {
    let _ = Visit::query().filter(|v| v.browser.eq("lynx")).delete_all(&me).await;
}

fn main() {
    let _ = program;
}
