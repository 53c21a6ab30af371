//! What the fuzz targets call. `tests/conformance/tests/corpus.rs` includes the same two files and feeds them the seeds.

pub mod pages;
pub mod parsers;
