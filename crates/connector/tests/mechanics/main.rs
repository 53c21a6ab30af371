//! The mechanics against a scripted server on the loopback interface.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod batch;
mod http;
mod oauth;
mod server;
