#![doc = include_str!("../README.md")]

pub mod audit;
pub mod capture;
pub mod chain;
pub mod commit;
pub mod conventions;
pub mod error;
pub mod facts;
pub mod folder;
pub mod holds;
pub mod instructions;
pub mod inventory;
pub mod log;
pub mod meta;
pub mod places;
pub mod publish;
pub mod retention;
pub mod revisions;
pub mod round;
pub mod run;
pub mod settle;
pub mod snapshot;
pub mod spool;
pub mod stamps;
pub mod state;
pub mod store;
pub mod years;

pub use audit::Counts as AuditCounts;
pub use capture::{Capture, Policy};
pub use error::HarvestError;
pub use folder::{FolderPlan, WalkDue};
pub use retention::Nearness;
pub use run::{AuditSummary, Counts, FolderSummary, KeyOf, NextSigner, RunPlan, Stamper, Step, Summary, run};
pub use stamps::{StampEvery, TimeStamper};
pub use years::init;
