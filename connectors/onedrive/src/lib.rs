#![doc = include_str!("../README.md")]

mod activity;
mod api;
mod batch;
mod config;
mod connector;
mod content;
mod error;
mod feed;
mod ids;
mod login;
mod map;
mod resolve;
mod wire;

pub use config::{Account, AccountFile, AssertionAlgorithm, Cloud};
pub use connector::connect;
