//! Ids and names, each a type of its own. A clone shares the text, so holding one id in several places costs it once.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_id! {
    /// Name of a ledger: folders that share retention, signing key and audience. From the configuration.
    LedgerName;
    /// Name of a designated folder, unique in its ledger. From the configuration.
    FolderName;
    /// Name of a provider account in the configuration.
    AccountName;
    /// Customer organisation or account at the provider (Entra tenant, Google permission id of the subject, Dropbox account id).
    TenantId;
    /// One root of items (Graph drive, Google My Drive or shared drive, Dropbox namespace). Opaque.
    DriveId;
    /// Provider-assigned id of a file or folder (Graph `driveItem.id`, Drive `file.id`, Dropbox `id:…`).
    /// Opaque: compared byte for byte, never parsed; unique only together with its [`DriveId`].
    ItemId;
    /// Provider-assigned id of one saved state of a file's content (Graph `driveItemVersion.id`, Drive revision id, Dropbox `rev`). Opaque.
    RevisionId;
    /// Place to resume a change feed between runs. Opaque; never logged whole, because some providers put arguments in it.
    Cursor;
    /// Place to resume within one listing. Opaque.
    PageToken;
    /// The key under which a provider that names deleted things only by path knows a place (Dropbox `path_lower`). Opaque but for
    /// one rule: `/` separates levels, so a key followed by `/` is a prefix of everything below it.
    PlaceKey;
    /// Id of one legal hold: 32 random hex digits, so that it tells nothing about the case.
    HoldId;
    /// Id of one run of the harvest: start time and random part, unique in its ledger.
    RunId;
}

impl PlaceKey {
    /// True when `self` lies below `ancestor` in the tree.
    pub fn is_below(&self, ancestor: &Self) -> bool {
        self.0
            .strip_prefix(ancestor.as_str())
            .is_some_and(|rest| rest.starts_with('/'))
    }

    /// The same place after what was at `from` went to `to`; `None` when it is not at or below `from`.
    #[must_use]
    pub fn rebased(&self, from: &Self, to: &Self) -> Option<Self> {
        if self == from {
            return Some(to.clone());
        }
        let rest = self
            .is_below(from)
            .then(|| self.0.strip_prefix(from.as_str()))??;
        Some(Self::from(format!("{}{rest}", to.as_str())))
    }
}

/// A file store with an API of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// OneDrive for Business, SharePoint libraries, OneDrive personal (Microsoft Graph).
    #[serde(rename = "onedrive")]
    OneDrive,
    /// Google Drive: My Drive and shared drives.
    GoogleDrive,
    /// Dropbox, individual and team.
    Dropbox,
}

impl Provider {
    /// The name used in events, configuration and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneDrive => "onedrive",
            Self::GoogleDrive => "google_drive",
            Self::Dropbox => "dropbox",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_below_only_across_a_separator() {
        let place = |text: &str| PlaceKey::from(text);
        assert!(place("/a/b").is_below(&place("/a")));
        assert!(!place("/ab").is_below(&place("/a")));
        assert!(!place("/a").is_below(&place("/a")));
    }

    #[test]
    fn a_place_follows_what_it_is_in() {
        let place = |text: &str| PlaceKey::from(text);
        let rebased = |text: &str| place(text).rebased(&place("/a"), &place("/c/d"));
        assert_eq!(rebased("/a"), Some(place("/c/d")));
        assert_eq!(rebased("/a/b/x"), Some(place("/c/d/b/x")));
        assert_eq!(rebased("/ab"), None);
    }

    #[test]
    fn provider_names_agree_with_their_serialised_form() {
        for provider in [Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox] {
            assert_eq!(
                serde_json::to_string(&provider).unwrap(),
                format!("\"{provider}\"")
            );
        }
    }
}
