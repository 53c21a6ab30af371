//! Archive addresses.

use std::{fmt, path::PathBuf, str::FromStr};

use url::Url;

use crate::{ArchiveError, ArchiveErrorKind, ObjectKey};

/// Where an archive is: `s3://bucket`, `s3://bucket/some/prefix` or `file:///absolute/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveUrl {
    /// A bucket, or the part of it below a prefix.
    S3 {
        /// Bucket name.
        bucket: String,
        /// Goes before every key, joined with `/`.
        prefix: Option<ObjectKey>,
    },
    /// A local directory, absolute.
    Directory(PathBuf),
}

impl ArchiveUrl {
    /// Reads an address; errors are of kind `Config` and say what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ArchiveError> {
        let refuse = |why: &str| {
            let shown: String = text.chars().take(200).collect();
            ArchiveError::new(ArchiveErrorKind::Config, "url", format!("{shown:?}")).because(why)
        };
        let url = Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
        let plain = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none();
        if !plain {
            // What stands there may be a secret: name the host only.
            let shown = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
            return Err(ArchiveError::new(ArchiveErrorKind::Config, "url", shown)
                .because("address has a user, port, query or fragment"));
        }
        match url.scheme() {
            "s3" => {
                let bucket = url.host_str().unwrap_or_default().to_owned();
                if !is_bucket_name(&bucket) {
                    return Err(refuse("bucket name must be 3 to 63 of a-z 0-9 . -"));
                }
                let path = url.path().trim_matches('/');
                let prefix = match path {
                    "" => None,
                    path => Some(path.parse::<ObjectKey>()?),
                };
                if prefix.as_ref().is_some_and(|prefix| prefix.as_str().len() > 120) {
                    return Err(refuse("prefix is longer than 120 bytes"));
                }
                Ok(Self::S3 { bucket, prefix })
            }
            "file" => match url.to_file_path() {
                Ok(path) if path.is_absolute() => Ok(Self::Directory(path)),
                _ => Err(refuse("file address must be file:///absolute/path")),
            },
            _ => Err(refuse("address must start with s3:// or file://")),
        }
    }
}

/// General-purpose bucket names (S3 user guide, "General purpose bucket naming rules"), in short.
fn is_bucket_name(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b))
}

impl FromStr for ArchiveUrl {
    type Err = ArchiveError;

    fn from_str(text: &str) -> Result<Self, ArchiveError> {
        Self::parse(text)
    }
}

impl fmt::Display for ArchiveUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3 { bucket, prefix: None } => write!(f, "s3://{bucket}"),
            Self::S3 {
                bucket,
                prefix: Some(prefix),
            } => write!(f, "s3://{bucket}/{prefix}"),
            Self::Directory(path) => match Url::from_file_path(path) {
                Ok(url) => write!(f, "{url}"),
                Err(()) => write!(f, "file://{}", path.display()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_both_kinds() {
        let s3 = ArchiveUrl::parse("s3://acme-records/audit/eu/").unwrap();
        assert_eq!(
            s3,
            ArchiveUrl::S3 {
                bucket: "acme-records".into(),
                prefix: Some("audit/eu".parse().unwrap()),
            }
        );
        assert_eq!(s3.to_string(), "s3://acme-records/audit/eu");
        let local = ArchiveUrl::parse("file:///srv/my record").unwrap();
        assert_eq!(local, ArchiveUrl::Directory("/srv/my record".into()));
        assert_eq!(local.to_string(), "file:///srv/my%20record");
        let bare = ArchiveUrl::parse("s3://acme-records").unwrap();
        assert_eq!(bare.to_string(), "s3://acme-records");
    }

    #[test]
    fn refuses_what_is_ambiguous() {
        for text in [
            "",
            "acme-records",
            "https://acme-records/",
            "s3://",
            "s3://Acme_Records",
            "s3://ab",
            "s3://acme-records?x=1",
            "s3://key:secret@acme-records",
            "s3://acme-records:80/x",
            "s3://acme-records/a//b",
            "s3://acme-records/a%20b",
            "file://host/path",
        ] {
            let error = ArchiveUrl::parse(text).unwrap_err();
            assert_eq!(error.kind(), ArchiveErrorKind::Config, "{text}");
        }
    }

    #[test]
    fn a_secret_in_the_address_is_not_repeated() {
        let error = ArchiveUrl::parse("s3://key:secret@acme-records").unwrap_err();
        assert_eq!(
            error.to_string(),
            "archive url on s3://acme-records: wrong setting"
        );
    }

    #[test]
    fn a_prefix_leaves_room_for_the_key() {
        let long = format!("s3://acme-records/{}", "a".repeat(121));
        assert_eq!(
            ArchiveUrl::parse(&long).unwrap_err().kind(),
            ArchiveErrorKind::Config
        );
    }
}
