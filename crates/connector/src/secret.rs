//! Where secrets come from.

use std::path::PathBuf;

use async_trait::async_trait;
use secrecy::{SecretString, zeroize::Zeroizing};

/// Larger than any secret; a wrong path (a device, a log) must not fill the memory.
const MAX_BYTES: u64 = 64 * 1024;

/// Gives a secret each time it is needed, so that a rotated one is used without a restart.
#[async_trait]
pub trait SecretSource: Send + Sync {
    /// The secret as it is now.
    async fn read(&self) -> Result<SecretString, SecretError>;
}

/// A secret in a file, read anew each time. White space around it does not belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile(pub PathBuf);

/// Why a secret cannot be had. Names the file, never what is in it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read secret file {0}")]
    Read(PathBuf, #[source] std::io::Error),
    /// The file holds no text, or too much of it.
    #[error("secret file {0} must hold one secret of text, at most 64 KiB")]
    Content(PathBuf),
}

#[async_trait]
impl SecretSource for SecretFile {
    async fn read(&self) -> Result<SecretString, SecretError> {
        let content = || SecretError::Content(self.0.clone());
        let failed = |error| SecretError::Read(self.0.clone(), error);
        let length = tokio::fs::metadata(&self.0).await.map_err(failed)?.len();
        if length > MAX_BYTES {
            return Err(content());
        }
        let bytes = Zeroizing::new(tokio::fs::read(&self.0).await.map_err(failed)?);
        let text = std::str::from_utf8(&bytes).map_err(|_| content())?.trim();
        if text.is_empty() {
            return Err(content());
        }
        Ok(SecretString::from(text))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    async fn read(bytes: &[u8]) -> Result<SecretString, SecretError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, bytes).unwrap();
        SecretFile(path).read().await
    }

    #[tokio::test]
    async fn white_space_around_it_is_dropped() {
        assert_eq!(
            read(b" \tpass word\r\n").await.unwrap().expose_secret(),
            "pass word"
        );
    }

    #[tokio::test]
    async fn an_empty_binary_or_huge_file_is_refused_without_quoting_it() {
        for bytes in [&b" \n"[..], b"\xff\xfe", &vec![b'x'; 64 * 1024 + 1]] {
            let error = read(bytes).await.unwrap_err();
            assert!(matches!(&error, SecretError::Content(path) if path.ends_with("secret")));
            assert!(!error.to_string().contains("xx"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_missing_file_is_named() {
        let error = SecretFile("/nonexistent/secret".into()).read().await.unwrap_err();
        assert_eq!(error.to_string(), "cannot read secret file /nonexistent/secret");
    }
}
