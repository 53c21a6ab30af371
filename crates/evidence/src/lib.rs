#![doc = include_str!("../README.md")]

mod ahead;
mod annotations;
mod contents;
mod events;
mod finding;
mod holds;
mod identity;
mod load;
mod log;
mod objects;
pub mod proof;
mod snapshot;
mod source;
mod stamps;
mod statement;
mod tiles;
pub mod timestamp;
mod tips;
mod trust;
mod verify;
mod windows;
pub mod witness;
mod words;

pub use finding::{CheckedLog, Finding, Report, Severity, Verdict};
pub use source::{RecordSource, SourceError};
pub use stamps::check_stamps;
pub use statement::Statement;
pub use tips::judge_tips;
pub use trust::{PolicyError, TrustPolicy, TrustedLog};
pub use verify::{Policy, VerifyError, verify};
pub use words::{visible, when, who, who_is};
