#![doc = include_str!("../README.md")]

mod annotations;
mod at;
mod coverage;
mod error;
mod filter;
mod paths;
mod prove;
mod reader;
mod recent;
mod tips;

pub use annotations::{AnnotationRow, Attribution};
pub use at::{Certainty, Standing, at};
pub use coverage::{Day, DayState, OpenGap, coverage, open_gaps};
pub use error::QueryError;
pub use filter::{Filter, actors, history, select};
pub use paths::PathChanges;
pub use prove::{GrowthEvidence, LeafEvidence, Source};
pub use reader::{HoldRow, KeyOf, Reader, Record, Row, WindowRow};
pub use tips::Tip;

#[cfg(test)]
mod tests;
