// An event is updated.
use debros::prelude::*;

#[path = "../visits.rs"]
mod visits;
use visits::*;

async fn program(me: Session, visit: Visit) {
    let _ = me.update(&visit).set(|v| v.browser, "lynx").await;
}

fn main() {
    let _ = program;
}
