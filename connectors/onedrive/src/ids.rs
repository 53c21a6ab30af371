//! Ids in one spelling.
//!
//! Ids on business drives are opaque and compared byte for byte. On personal drives the letter case of ids differs between answers, and
//! a leading zero of the drive's may be missing; since June 2025 both are seen, and the same item would otherwise be two.

use revtrail_model::id::{DriveId, ItemId};

/// Digits of a personal drive's id.
const DIGITS: usize = 16;

/// A drive's id: on personal drives sixteen hex digits, upper case.
pub(crate) fn drive(told: &str) -> DriveId {
    personal(told).unwrap_or_else(|| told.to_owned()).into()
}

/// Whether it is a person's drive, and not one of an organisation.
pub(crate) fn is_personal(drive: &DriveId) -> bool {
    personal(drive.as_str()).is_some()
}

/// Whether an item is on a person's drive.
pub(crate) fn is_personal_item(told: &str) -> bool {
    told.split_once('!')
        .is_some_and(|(drive, _)| personal(drive).is_some())
}

/// An item's id: on personal drives `DRIVE!number`, the drive as in [`drive`].
pub(crate) fn item(told: &str) -> ItemId {
    let spelled = told
        .split_once('!')
        .and_then(|(drive, rest)| Some(format!("{}!{}", personal(drive)?, rest.to_ascii_lowercase())));
    spelled.unwrap_or_else(|| told.to_owned()).into()
}

fn personal(told: &str) -> Option<String> {
    // Shorter ones have not been seen, and a single letter before the mark is how ids of business drives begin.
    let is_personal =
        (DIGITS - 2..=DIGITS).contains(&told.len()) && told.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_personal.then(|| format!("{:0>DIGITS$}", told.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::upper("0A1B2C3D4E5F6071", "0A1B2C3D4E5F6071")]
    #[case::lower("0a1b2c3d4e5f6071", "0A1B2C3D4E5F6071")]
    #[case::zero_lost("a1b2c3d4e5f6071", "0A1B2C3D4E5F6071")]
    #[case::business("b!Lower-And-Upper", "b!Lower-And-Upper")]
    fn a_drive_has_one_spelling(#[case] told: &str, #[case] expected: &str) {
        assert_eq!(drive(told).as_str(), expected);
    }

    #[rstest]
    #[case::upper("A1B2C3D4E5F6071!103", "0A1B2C3D4E5F6071!103")]
    #[case::lower("0a1b2c3d4e5f6071!103", "0A1B2C3D4E5F6071!103")]
    #[case::migrated(
        "0A1B2C3D4E5F6071!sEA8cc6beffdb43d7976fbc7da445c639",
        "0A1B2C3D4E5F6071!sea8cc6beffdb43d7976fbc7da445c639"
    )]
    #[case::business("01ABCdef6Y2GOVW7725BZO354PWSELRRZ", "01ABCdef6Y2GOVW7725BZO354PWSELRRZ")]
    fn an_item_has_one_spelling(#[case] told: &str, #[case] expected: &str) {
        assert_eq!(item(told).as_str(), expected);
    }
}
