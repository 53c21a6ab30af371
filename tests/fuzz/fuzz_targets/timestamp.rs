#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| revtrail_fuzz::parsers::timestamp(bytes));
