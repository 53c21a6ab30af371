//! Refresh tokens that the provider replaced, kept between runs.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use ring::digest;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A file that keeps the refresh token which took the place of the configured one.
///
/// The configured file is usually a mounted secret that cannot be written. Beside the token this file holds the digest of the token it
/// stands for, so that a new token in the configured file wins over what is kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshTokenStore(pub PathBuf);

/// Why the file cannot be used. Names the file, never what is in it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is there and cannot be read.
    #[error("cannot read refresh token store {0}")]
    Read(PathBuf, #[source] std::io::Error),
    /// It holds something else.
    #[error("{0} is no refresh token store; remove it, or name another file")]
    Form(PathBuf),
    /// It cannot be written.
    #[error("cannot write refresh token store {0}")]
    Write(PathBuf, #[source] std::io::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// SHA-256 of the configured token, hex.
    instead_of: String,
    refresh_token: Zeroizing<String>,
}

impl RefreshTokenStore {
    /// The token that took the place of `configured`; `None` when none did, or the file is of another one.
    pub(super) async fn read(&self, configured: &SecretString) -> Result<Option<SecretString>, StoreError> {
        let text = match tokio::fs::read(&self.0).await {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::Read(self.0.clone(), error)),
        };
        // The parser's own message could quote the file.
        let kept: Kept = serde_json::from_slice(&text).map_err(|_| StoreError::Form(self.0.clone()))?;
        let is_ours = kept.instead_of == name(configured);
        Ok(is_ours.then(|| SecretString::from(kept.refresh_token.as_str())))
    }

    /// Keeps `now` in place of `configured`. Whole or not at all: a reader sees the old file or the new one.
    pub(super) async fn write(
        &self,
        configured: &SecretString,
        now: &SecretString,
    ) -> Result<(), StoreError> {
        let failed = |error| StoreError::Write(self.0.clone(), error);
        let kept = Kept {
            instead_of: name(configured),
            refresh_token: Zeroizing::new(now.expose_secret().to_owned()),
        };
        let text = serde_json::to_vec(&kept).map_err(|error| failed(error.into()))?;
        let (path, text) = (self.0.clone(), Zeroizing::new(text));
        tokio::task::spawn_blocking(move || replace(&path, &text))
            .await
            .map_err(|error| failed(std::io::Error::other(error)))?
            .map_err(failed)
    }
}

/// Writes beside the file and renames, readable by its owner only.
fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(text)?;
        file.sync_all()
    });
    let placed = written.and_then(|()| std::fs::rename(&beside, path));
    if placed.is_err() {
        // A token must not lie about under a name nobody looks at.
        let _gone_or_never_there = std::fs::remove_file(&beside);
    }
    placed
}

fn name(token: &SecretString) -> String {
    use std::fmt::Write as _;
    let digest = digest::digest(&digest::SHA256, token.expose_secret().as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
