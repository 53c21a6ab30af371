#![doc = include_str!("../README.md")]

mod api;
mod config;
mod connector;
mod error;
mod feed;
mod history;
mod map;
mod people;
mod team_log;
mod wire;

pub use config::{Account, AccountFile};
pub use connector::connect;
