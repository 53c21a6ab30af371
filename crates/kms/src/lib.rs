#![doc = include_str!("../README.md")]

mod arn;
mod client;
mod error;
mod signer;

pub use arn::{KeyArn, NoKeyArn};
pub use client::{KmsKey, KmsSettings, MAX_MESSAGE_BYTES};
pub use error::{KmsError, KmsErrorKind};
pub use signer::KmsSigner;
