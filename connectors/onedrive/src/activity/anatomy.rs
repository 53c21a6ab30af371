//! Item ids from what records say.
//!
//! A record names an item by the unique id it has in its list, the feed by an id of the drive. Those of business drives were seen to be `01`
//! and the base32 of four bytes, the same for all items of a drive, and sixteen of the unique id. Microsoft does not document that, so
//! nothing is concluded from it: an id made this way is only one the item may have. In which order its bytes stand is taken as open, too.
//! An id that is wrong is no item's, and a record with it explains nothing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use revtrail_connector::{Extent, FolderRoot, Target};
use revtrail_model::id::DriveId;

/// What an item id begins with.
const MARK: &str = "01";
/// Bytes that all items of a drive share.
const PREFIX: usize = 4;
/// Bytes of a unique id.
const GUID: usize = 16;
/// What the id of a business drive begins with; three unique ids follow, of which the last is the list's.
const DRIVE_MARK: &str = "b!";
const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A unique id, in the order of its text.
type Guid = [u8; GUID];

/// The drives of the designated folders, as far as their ids have the anatomy.
pub(super) struct Drives(Vec<Drive>);

struct Drive {
    id: DriveId,
    prefix: [u8; PREFIX],
    list: Option<Guid>,
}

impl Drives {
    pub(super) fn of(roots: &[FolderRoot]) -> Self {
        let mut drives: Vec<Drive> = Vec::new();
        for root in roots {
            let Some(prefix) = prefix(root.item.as_str()) else {
                continue;
            };
            if !drives.iter().any(|known| known.prefix == prefix) {
                drives.push(Drive {
                    id: root.drive.clone(),
                    prefix,
                    list: list(root.drive.as_str()),
                });
            }
        }
        Self(drives)
    }

    /// The ids an item may have, one for each drive and order of bytes. A target names its drive only where the record's list is the
    /// drive's.
    pub(super) fn targets(&self, item: &str, list: Option<&str>, extent: Extent) -> Vec<Target> {
        let Some(item) = guid(item) else {
            return Vec::new();
        };
        let told = list.and_then(guid);
        let mut targets = Vec::new();
        for drive in &self.0 {
            let same = |known: Guid| told == Some(known) || told == Some(stored(known));
            let is_ours = drive.list.is_some_and(same);
            for bytes in [stored(item), item] {
                targets.push(Target {
                    drive: is_ours.then(|| drive.id.clone()),
                    item: Some(id(drive.prefix, bytes).into()),
                    place: None,
                    revision: None,
                    extent,
                });
            }
        }
        targets
    }
}

/// The bytes that an item id shares with all others of its drive.
fn prefix(item: &str) -> Option<[u8; PREFIX]> {
    let bytes = base32(item.strip_prefix(MARK)?)?;
    (bytes.len() == PREFIX + GUID).then(|| bytes.first_chunk().copied())?
}

/// The list behind a drive.
fn list(drive: &str) -> Option<Guid> {
    let bytes = URL_SAFE_NO_PAD.decode(drive.strip_prefix(DRIVE_MARK)?).ok()?;
    let list: Guid = (bytes.len() == 3 * GUID).then(|| bytes.last_chunk().copied())??;
    Some(stored(list))
}

fn id(prefix: [u8; PREFIX], guid: Guid) -> String {
    let bytes: Vec<u8> = prefix.into_iter().chain(guid).collect();
    let mut text = MARK.to_owned();
    for group in bytes.chunks(5) {
        let bits = group
            .iter()
            .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            let digit = usize::try_from(bits >> (place * 5) & 31).unwrap_or_default();
            text.extend(DIGITS.get(digit).copied().map(char::from));
        }
    }
    text
}

/// RFC 4648 §6 without padding; whole groups only.
fn base32(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(8) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 8 * 5);
    for group in text.as_bytes().chunks(8) {
        let mut bits = 0_u64;
        for letter in group {
            let digit = DIGITS.iter().position(|digit| digit == letter)?;
            bits = bits << 5 | u64::try_from(digit).ok()?;
        }
        bytes.extend(bits.to_be_bytes().into_iter().skip(3));
    }
    Some(bytes)
}

/// A unique id from its text, with or without braces, in either case.
fn guid(text: &str) -> Option<Guid> {
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | '{' | '}')).collect();
    if digits.len() != 2 * GUID || !digits.is_ascii() {
        return None;
    }
    let mut bytes = [0; GUID];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// From the order of the text to that of storage, and back: the first three parts are little-endian.
fn stored(mut guid: Guid) -> Guid {
    for part in [0..4, 4..6, 6..8] {
        guid.get_mut(part).unwrap_or_default().reverse();
    }
    guid
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The id of a root folder, of which many are known, and the unique id in it.
    const ROOT: &str = "01ABCDEFF6Y2GOVW7725BZO354PWSELRRZ";
    const ROOT_GUID: &str = "EA8CC6BE-FFDB-43D7-976F-BC7DA445C639";

    fn root(drive: &str, item: &str) -> FolderRoot {
        FolderRoot {
            drive: drive.into(),
            item: item.into(),
            place: None,
            name: None,
            parent: None,
            former: Vec::new(),
        }
    }

    fn drive(list: Guid) -> String {
        let bytes: Vec<u8> = [7; 32].into_iter().chain(stored(list)).collect();
        format!("b!{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    #[test]
    fn an_item_id_is_made_from_the_unique_id_and_those_of_its_drive() {
        let list = guid("8cafd2d5-6a51-41bb-ae86-a63c0d78d39b").unwrap();
        let drives = Drives::of(&[root(&drive(list), ROOT)]);
        let targets = drives.targets(
            &format!("{{{ROOT_GUID}}}"),
            Some("8cafd2d5-6a51-41bb-ae86-a63c0d78d39b"),
            Extent::Itself,
        );
        let ids: Vec<&str> = targets
            .iter()
            .filter_map(|target| Some(target.item.as_ref()?.as_str()))
            .collect();
        assert_eq!((ids.len(), ids[0]), (2, ROOT));
        assert_ne!(ids[1], ROOT);
        assert_eq!(targets[0].drive.as_ref().unwrap().as_str(), drive(list));
        let elsewhere = drives.targets(
            ROOT_GUID,
            Some("9cafd2d5-6a51-41bb-ae86-a63c0d78d39b"),
            Extent::Itself,
        );
        assert_eq!(elsewhere[0].drive, None);
        assert_eq!(
            elsewhere[0].item.as_ref().unwrap().as_str(),
            ROOT,
            "the item is told all the same"
        );
    }

    #[test]
    fn what_has_another_anatomy_is_left_alone() {
        let personal = root("0A1B2C3D4E5F6071", "0A1B2C3D4E5F6071!103");
        assert_eq!(
            Drives::of(&[personal]).targets(ROOT_GUID, None, Extent::Itself),
            []
        );
        let drives = Drives::of(&[root("b!short", ROOT), root("b!short", ROOT)]);
        assert_eq!(drives.targets("not a guid", None, Extent::Itself), []);
        assert_eq!(drives.targets(ROOT_GUID, None, Extent::WithContents).len(), 2);
        assert_eq!(prefix("01abcdef6y2govw7725bzo354pwselrrz"), None);
        assert_eq!(base32("A"), None);
    }
}
