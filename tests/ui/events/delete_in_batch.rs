// An event is deleted in a batch.
use debros::prelude::*;

#[path = "../visits.rs"]
mod visits;
use visits::*;

async fn program(me: Session, visit: Visit) {
    let _ = me.batch().delete(&visit).await;
}

fn main() {
    let _ = program;
}
