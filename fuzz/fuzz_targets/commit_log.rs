#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zonal::fuzz::commit_log(data));
