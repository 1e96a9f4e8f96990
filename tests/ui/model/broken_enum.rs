// An enum that was to be a model is used in many places.
use debros::prelude::*;

#[model]
#[derive(Debug, Clone)]
pub enum Status {
    Draft,
    Public,
}

fn main() {
    let _ = models![Status];
}

pub async fn program(me: Session) -> debros::Result<()> {
    let found = Status::query().fetch(&me).await?;
    let _ = found.iter().map(|status| matches!(status, Status::Draft | Status::Public)).count();
    Ok(())
}
