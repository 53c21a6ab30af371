//! Keys: the present one, the one that follows, and earlier ones.

use std::path::PathBuf;

use revtrail_kms::{KeyArn, KmsSettings};

use super::Checks;
use crate::file::SigningFile;

/// Where a private key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateKey {
    /// In a file.
    File(PathBuf),
    /// In AWS KMS.
    Kms(KmsSettings),
}

impl std::fmt::Display for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Kms(settings) => settings.key.fmt(f),
        }
    }
}

/// The key of the logs to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextKey {
    /// First year whose logs bear it.
    pub from: i16,
    /// Private key.
    pub key: Option<PrivateKey>,
    /// Public key.
    pub public_key_file: Option<PathBuf>,
}

impl Checks {
    pub(super) fn present_key(&mut self, file: &SigningFile) -> Option<PrivateKey> {
        let named = [
            file.key_file.is_some(),
            file.kms_key.is_some(),
            file.public_key_file.is_some(),
        ];
        if !named.contains(&true) {
            let message = "give key_file or kms_key (to harvest) or public_key_file (to verify and query)";
            self.problem("signing", message);
        }
        let public = file.public_key_file.as_ref();
        self.private_key("", (file.key_file.as_ref(), file.kms_key.as_ref(), public), file)
    }

    /// The private key of the members `<prefix>key_file` and `<prefix>kms_key`, of which one at most may be written.
    fn private_key(
        &mut self,
        prefix: &str,
        (path, arn, public): (Option<&PathBuf>, Option<&String>, Option<&PathBuf>),
        file: &SigningFile,
    ) -> Option<PrivateKey> {
        let name = format!("signing.{prefix}kms_key");
        let Some(arn) = arn else {
            return path.cloned().map(PrivateKey::File);
        };
        if path.is_some() {
            self.problem(
                &name,
                format!("cannot stand beside {prefix}key_file; give one of them"),
            );
        }
        if public.is_none() {
            let message = format!(
                "needs {prefix}public_key_file, which `revtrail key show --kms {arn}` prints: signatures are checked with it"
            );
            self.problem(&name, message);
        }
        Some(PrivateKey::Kms(KmsSettings {
            key: self.parsed(&name, arn.parse::<KeyArn>())?,
            endpoint: file.kms_endpoint.clone(),
        }))
    }

    /// Keys of other years than the present one.
    pub(super) fn other_keys(&mut self, file: &SigningFile) -> (Option<NextKey>, Vec<(i16, PathBuf)>) {
        let earlier: Vec<(i16, PathBuf)> = file
            .earlier
            .iter()
            .map(|key| (key.until, key.public_key_file.clone()))
            .collect();
        if !earlier.is_sorted_by_key(|(until, _)| *until)
            || earlier.windows(2).any(|two| two[0].0 == two[1].0)
        {
            self.problem(
                "signing.earlier",
                "must be in the order of `until`, each year once",
            );
        }
        let public = file.next_public_key_file.as_ref();
        let is_named = file.next_key_file.is_some() || file.next_kms_key.is_some() || public.is_some();
        let key = self.private_key(
            "next_",
            (file.next_key_file.as_ref(), file.next_kms_key.as_ref(), public),
            file,
        );
        let Some(from) = file.next_from else {
            if is_named {
                self.problem(
                    "signing.next_from",
                    "must be written: the first year whose logs bear the next key",
                );
            }
            return (None, earlier);
        };
        if !is_named {
            self.problem(
                "signing.next_from",
                "needs next_key_file or next_kms_key (to harvest) or next_public_key_file (to verify and query)",
            );
        }
        if earlier.last().is_some_and(|(until, _)| *until + 1 >= from) {
            let message = "must leave the present key at least one year after the last of signing.earlier";
            self.problem("signing.next_from", message);
        }
        let next = NextKey {
            from,
            key,
            public_key_file: file.next_public_key_file.clone(),
        };
        (Some(next), earlier)
    }
}
