//! The flights that the benchmarks work on.

use std::{ffi::OsString, path::PathBuf};

/// The file of all flights, if `FLIGHTS` names one.
pub(crate) fn file() -> Option<PathBuf> {
    let file: Option<OsString> = std::env::var_os("FLIGHTS").filter(|file| !file.is_empty());
    if file.is_none() {
        println!("(FLIGHTS names no flights.csv.zip: the first week only)");
    }
    file.map(PathBuf::from)
}
