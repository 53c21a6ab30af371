#![no_main]

use std::sync::LazyLock;

use revtrail_fuzz::pages::Pages;

static PAGES: LazyLock<Pages> = LazyLock::new(|| Pages::new("dropbox"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _understood = PAGES.read(bytes);
});
