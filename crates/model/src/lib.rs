#![doc = include_str!("../README.md")]

pub mod digest;
pub mod disclosure;
pub mod error;
pub mod event;
pub mod id;
pub mod layout;
pub mod leaf;
pub mod record;
pub mod time;

pub use digest::{Digest, sha256, sha256_of};
pub use error::ModelError;
