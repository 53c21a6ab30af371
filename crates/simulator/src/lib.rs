#![doc = include_str!("../README.md")]

mod audit;
mod content;
mod control;
mod credentials;
mod drive;
mod dropbox;
mod error;
mod fault;
mod graph;
mod ids;
mod keep;
mod merging;
mod oauth;
mod quota;
mod server;
mod sim;
mod source;
pub mod truth;
mod world;

pub use audit::{Applications, Audit, AuditAccess, CO_AUTHORING, Lag};
pub use content::{Algorithm, ContentStore, content};
pub use credentials::{ClientKind, Credentials, RefreshTokens, ServiceAccount, Team};
pub use error::{EditProblem, SimulatorError};
pub use fault::{Fault, FaultKind, FaultPlan, Oddity};
pub use keep::{Keep, Thinning};
pub use quota::{Quota, Use};
pub use server::{Ports, Running, serve};
pub use sim::{GoogleCorpus, GoogleRole, OneDriveAccount, Options, Provider, Sharing, Sim};
pub use source::{Generated, Incident, WorldSource, incident};
pub use world::{
    Action, Actor, Affected, Edit, Identity, Item, ItemKind, ItemNo, ItemState, Op, Reach, Save, Slot,
    Standing, What, World,
};

/// Moments are UTC; virtual, never the machine's clock.
pub use jiff::Timestamp;
