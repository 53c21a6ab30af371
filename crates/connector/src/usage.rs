//! What a connector sent and waited for.

use std::collections::BTreeMap;

use crate::time::Timestamp;

/// Counters since the connector was made. They only grow; take differences for one window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// HTTP requests sent, by operation, repeats included.
    pub requests: BTreeMap<&'static str, u64>,
    /// What they cost in the provider's own units (Graph resource units, Drive quota units, Dropbox calls), by operation; a batch costs
    /// what its parts do. Token requests cost none.
    pub units: BTreeMap<&'static str, u64>,
    /// Requests that were repeats.
    pub retries: u64,
    /// Time waited because the provider asked for it, milliseconds.
    pub throttled_ms: u64,
    /// `Date` of the last answer and our clock when it came.
    pub last_answer: Option<(Timestamp, Timestamp)>,
}

impl Usage {
    /// Counts what another counter counted, too; its last answer is left out.
    pub fn add(&mut self, other: &Self) {
        for (operation, requests) in &other.requests {
            *self.requests.entry(operation).or_default() += requests;
        }
        for (operation, units) in &other.units {
            *self.units.entry(operation).or_default() += units;
        }
        self.retries += other.retries;
        self.throttled_ms += other.throttled_ms;
    }
}
