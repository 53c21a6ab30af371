#![doc = include_str!("../README.md")]

mod activity;
mod api;
mod assertion;
mod batch;
mod config;
mod connector;
mod error;
mod login;
mod map;
mod multipart;
mod resolve;
mod step;
mod walk;
mod wire;

pub use config::{Account, AccountFile, Audit};
pub use connector::connect;
