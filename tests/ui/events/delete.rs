// An event is deleted.
use debros::prelude::*;

#[path = "../visits.rs"]
mod visits;
use visits::*;

async fn program(me: Session, visit: Visit) {
    let _ = me.delete(&visit).await;
}

fn main() {
    let _ = program;
}
