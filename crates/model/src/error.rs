//! Errors of this crate.

/// What can be wrong with bytes that claim to be ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A digest that is not 64 lower-case hex digits.
    #[error("digest {0:?} is not 64 lower-case hex digits")]
    Digest(String),
    /// A leaf larger than [`crate::leaf::MAX_LEAF_BYTES`].
    #[error("leaf of {bytes} bytes is larger than the limit of {limit}")]
    LeafTooLarge {
        /// Size of the leaf, bytes.
        bytes: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// A leaf that is not the JSON of a known record.
    #[error("leaf is not a readable record")]
    Leaf(#[source] serde_json::Error),
    /// A sidecar or disclosure line that cannot be read.
    #[error("sidecar line {line} is not readable")]
    Sidecar {
        /// One-based line number.
        line: usize,
        /// What the JSON reader said.
        #[source]
        source: serde_json::Error,
    },
    /// A sidecar without its seed line, or with a seed that is not 32 bytes.
    #[error("sidecar has no seed of 32 bytes in its first line")]
    Seed,
    /// A value that cannot be serialised; not reachable for the types of this crate.
    #[error("record cannot be serialised")]
    Serialise(#[source] serde_json::Error),
    /// A time or duration out of the range of the calendar.
    #[error("time {0:?} is not an RFC 3339 time")]
    Time(String),
}
