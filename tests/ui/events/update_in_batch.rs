// An event is updated in a batch.
use debros::prelude::*;

#[path = "../visits.rs"]
mod visits;
use visits::*;

async fn program(me: Session, visit: Visit) {
    let _ = me.batch().update(&visit, |v| v.set(|v| v.browser, "lynx")).await;
}

fn main() {
    let _ = program;
}
