#![no_main]

use std::sync::LazyLock;

use revtrail_fuzz::pages::{Log, Pages};

/// The provider of the pages does not matter: each log has a connector of its own.
static PAGES: LazyLock<Pages> = LazyLock::new(|| Pages::new("dropbox"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for log in Log::ALL {
        let _explained = PAGES.read_log(log, bytes);
    }
});
