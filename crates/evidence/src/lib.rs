#![doc = include_str!("../README.md")]

mod events;
mod finding;
mod log;
mod objects;
mod snapshot;
mod source;
mod verify;
mod windows;

pub use finding::{Finding, Report, Severity, Verdict};
pub use source::{RecordSource, SourceError};
pub use verify::{Policy, VerifyError, verify};
