// An event that a query loaded with its page is deleted.
use debros::prelude::*;

#[path = "../visits.rs"]
mod visits;
use visits::*;

async fn program(me: Session) -> debros::Result<()> {
    for visit in Visit::query().with(|v| v.page).fetch(&me).await? {
        me.delete(&visit).await?;
    }
    Ok(())
}

fn main() {
    let _ = program;
}
