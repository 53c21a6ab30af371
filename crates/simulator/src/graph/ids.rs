//! Ids of drive, items, versions and people, in the anatomy of a business drive. Pure: replays agree on them.

use super::personal;
use crate::ids::{derive, guid, onedrive_drive};
use crate::sim::{OneDriveAccount, Options};
use crate::world::ItemNo;

/// Same for every item of the drive.
const DRIVE_PREFIX: [u8; 4] = [0x8a, 0x1f, 0x5c, 0x27];
/// Every root folder of a business drive has this unique id, written as text.
const ROOT_GUID: [u8; 16] = [
    0xea, 0x8c, 0xc6, 0xbe, 0xff, 0xdb, 0x43, 0xd7, 0x97, 0x6f, 0xbc, 0x7d, 0xa4, 0x45, 0xc6, 0x39,
];
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Id of the only drive: `b!` and 64 characters, or of a personal drive sixteen digits, that depend on the owner's address alone.
pub fn drive_id(options: &Options) -> String {
    match options.onedrive_account {
        OneDriveAccount::Business => onedrive_drive(&options.owner.email),
        OneDriveAccount::Personal => personal::drive(&options.owner.email),
    }
}

/// `01` and the base32 of drive prefix and the item's unique id.
pub(crate) fn item_id(no: ItemNo) -> String {
    let mut bytes = DRIVE_PREFIX.to_vec();
    bytes.extend(stored(item_bytes(no)));
    format!("01{}", base32(&bytes))
}

/// The unique id that is inside the item's id, its tags, and `sharepointIds`; upper case.
pub(crate) fn item_guid(no: ItemNo) -> String {
    text(item_bytes(no)).to_uppercase()
}

/// Number of the save, counted from 1, as a major version.
pub(crate) fn version_id(place: usize) -> String {
    format!("{}.0", place + 1)
}

/// Directory object of a person.
pub(crate) fn actor_id(email: &str) -> String {
    guid("onedrive-user", email)
}

/// Application registration.
pub(crate) fn application_id(name: &str) -> String {
    guid("onedrive-application", name)
}

/// The list behind the drive: third part of the drive's id, and part of delta tokens.
pub(crate) fn list_guid(options: &Options) -> String {
    stored_guid(&derive("onedrive-drive-list", &options.owner.email))
}

/// A GUID in the order of storage as text, as in the parts of a drive's id.
pub(crate) fn stored_guid(part: &[u8]) -> String {
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().zip(part) {
        *to = *from;
    }
    text(stored(bytes))
}

fn item_bytes(no: ItemNo) -> [u8; 16] {
    if no == ItemNo::ROOT {
        return ROOT_GUID;
    }
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().zip(derive("onedrive-item", &no.0.to_string())) {
        *to = from;
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    bytes
}

/// From the order of the text to that of storage and back: the first three parts are little-endian.
fn stored(mut bytes: [u8; 16]) -> [u8; 16] {
    for part in [0..4, 4..6, 6..8] {
        bytes.get_mut(part).unwrap_or_default().reverse();
    }
    bytes
}

fn text(bytes: [u8; 16]) -> String {
    let mut text = crate::ids::hex(&bytes);
    for place in [20, 16, 12, 8] {
        text.insert(place, '-');
    }
    text
}

/// RFC 4648 §6 without padding; whole groups of 5 bytes only.
fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 8 / 5);
    for group in bytes.chunks(5) {
        let bits = group
            .iter()
            .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            let digit = (bits >> (place * 5) & 31) as usize;
            out.push(char::from(BASE32.get(digit).copied().unwrap_or(b'A')));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_anatomy_of_a_business_drive() {
        let root = item_id(ItemNo::ROOT);
        assert_eq!(root.len(), 34);
        assert!(root.ends_with("6Y2GOVW7725BZO354PWSELRRZ"), "{root}");
        assert_eq!(item_guid(ItemNo::ROOT), "EA8CC6BE-FFDB-43D7-976F-BC7DA445C639");
        let other = item_id(ItemNo(7));
        assert_eq!(other.get(..8), root.get(..8), "one drive, one prefix");
        assert_ne!(other, item_id(ItemNo(8)));
        let drive = drive_id(&Options::default());
        assert_eq!((drive.len(), drive.get(..2)), (66, Some("b!")));
        assert_eq!(list_guid(&Options::default()).len(), 36);
    }
}
