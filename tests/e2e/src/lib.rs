#![doc = include_str!("../README.md")]

mod bench;
mod compare;
mod histories;
mod inside;
mod misfortune;
mod program;

pub use bench::{Bench, FOLDER, Place};
pub use compare::{assert_same, events_as_facts, told};
pub use histories::{at, round_end, rounds};
pub use inside::Inside;
pub use misfortune::{harmless, spread, spread_for_long};
pub use program::{Outcome, Process, program, revtrail};
