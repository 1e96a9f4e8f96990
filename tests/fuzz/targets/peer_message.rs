#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| debros_fuzz::check("peer_message", bytes));
