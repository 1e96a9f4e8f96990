//! The client of a Kubo daemon, against a real one, and against what is none.

#![allow(clippy::unwrap_used)]

mod calls;
mod errors;
mod faults;
mod tls;

use std::time::Duration;

use debros_ipfs::{Kubo, KuboError, KuboOptions};

/// Longer than any test takes: whoever gets an error before does not get it because time was over.
const EVER: Duration = Duration::from_secs(300);

/// A client of a daemon that has all the time that it wants.
fn client(url: impl Into<String>) -> Kubo {
    Kubo::new(KuboOptions::new(url).answer_within(EVER)).expect("an address")
}

/// The error of a client that asks who is there, and whose text names the address.
async fn checked(url: &str) -> KuboError {
    let error = client(url).check().await.expect_err("no daemon that can be used");
    assert!(error.to_string().contains(url), "{error}");
    error
}
