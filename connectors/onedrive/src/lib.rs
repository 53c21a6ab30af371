#![doc = include_str!("../README.md")]

mod api;
mod batch;
mod config;
mod connector;
mod error;
mod map;
mod wire;

pub use config::{Account, AccountFile};
pub use connector::connect;
