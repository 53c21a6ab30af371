#![doc = include_str!("../README.md")]

mod bench;
mod bucket;
mod compare;
mod histories;
mod inside;
mod kept;
mod kms;
mod misfortune;
mod program;
pub mod verifiers;

pub use bench::{Bench, FOLDER, Place};
pub use bucket::{Answer, Bucket, PREFIX};
pub use compare::{assert_same, events_as_facts, rows, told, told_when};
pub use histories::{at, round_end, rounds};
pub use inside::Inside;
pub use kept::{Parted, part, time};
pub use kms::{FakeKms, KeyFacts, Trouble};
pub use misfortune::{harmless, spread, spread_for_long};
pub use program::{Outcome, Process, beside, program, revtrail};
