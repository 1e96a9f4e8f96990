//! Work that may wait for the disk, off the threads that must not.

use tokio::{runtime::Handle, task};

/// Runs `work` on a thread that may block; where there is no tokio runtime, here. A panic in it goes on here.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    if Handle::try_current().is_err() {
        return work();
    }
    match task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // only a runtime that shuts down drops what it was given to run, and then nobody polls this again
            Err(_) => std::future::pending().await,
        },
    }
}
