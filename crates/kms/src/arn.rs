//! Names of KMS keys.

use std::{fmt, str::FromStr};

/// Amazon Resource Name of one KMS key: `arn:aws:kms:<region>:<account>:key/<key id>`.
///
/// An alias is refused: whoever may move it to another key would change who signs. A bare key id is refused, too, for it
/// says neither account nor region.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyArn {
    text: String,
    region: String,
}

/// Text that does not name one KMS key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<key id>): {0}")]
pub struct NoKeyArn(&'static str);

impl KeyArn {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Region of the key, where it is asked for.
    pub fn region(&self) -> &str {
        &self.region
    }
}

impl FromStr for KeyArn {
    type Err = NoKeyArn;

    fn from_str(text: &str) -> Result<Self, NoKeyArn> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "kms", region, account, resource] = parts.as_slice() else {
            return Err(NoKeyArn("it has other parts"));
        };
        let plain = |text: &str| {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            !text.is_empty() && text.len() <= 64 && text.chars().all(fits)
        };
        if !partition.starts_with("aws") || !plain(partition) || !plain(region) {
            return Err(NoKeyArn("partition or region is wrong"));
        }
        if account.len() != 12 || !account.chars().all(|c| c.is_ascii_digit()) {
            return Err(NoKeyArn("the account must have 12 digits"));
        }
        match resource.split_once('/') {
            Some(("key", id)) if plain(id) => Ok(Self {
                text: text.to_owned(),
                region: (*region).to_owned(),
            }),
            Some(("alias", _)) => Err(NoKeyArn(
                "an alias can be moved to another key; name the key itself",
            )),
            _ => Err(NoKeyArn("it must end in key/<key id>")),
        }
    }
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain(
        "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "eu-central-1"
    )]
    #[case::multi_region(
        "arn:aws:kms:us-east-2:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        "us-east-2"
    )]
    #[case::government("arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/1234abcd", "us-gov-west-1")]
    fn names_one_key(#[case] text: &str, #[case] region: &str) {
        let arn: KeyArn = text.parse().unwrap();
        assert_eq!(arn.region(), region);
        assert_eq!(arn.to_string(), text);
    }

    #[rstest]
    #[case::empty("", "other parts")]
    #[case::id_only("1234abcd-12ab-34cd-56ef-1234567890ab", "other parts")]
    #[case::alias(
        "arn:aws:kms:eu-central-1:111122223333:alias/signing",
        "an alias can be moved"
    )]
    #[case::bucket("arn:aws:s3:::bucket", "other parts")]
    #[case::account("arn:aws:kms:eu-central-1:1111:key/a", "12 digits")]
    #[case::region("arn:aws:kms::111122223333:key/a", "region is wrong")]
    #[case::host("arn:aws:kms:evil.example/:111122223333:key/a", "region is wrong")]
    #[case::no_id("arn:aws:kms:eu-central-1:111122223333:key/", "key/<key id>")]
    #[case::control("arn:aws:kms:eu-central-1:111122223333:key/a\n", "key/<key id>")]
    fn refuses_everything_else(#[case] text: &str, #[case] why: &str) {
        let error = text.parse::<KeyArn>().unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}
