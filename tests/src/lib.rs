//! Tests of what crosses the crates: each file of `tests/` is one. There is nothing here to use.
