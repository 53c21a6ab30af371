//! Where record objects are read from.

/// Objects of a ledger, by key. Several threads read at once.
pub trait RecordSource: Sync {
    /// Keys of all objects that start with `prefix`, in byte order.
    fn keys(&self, prefix: &str) -> Result<Vec<String>, SourceError>;
    /// One object; `None` when there is none.
    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, SourceError>;
}

/// The source itself failed, so nothing can be said.
#[derive(Debug, thiserror::Error)]
#[error("{key} could not be read")]
pub struct SourceError {
    /// Key or prefix.
    pub key: String,
    /// The cause.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}
