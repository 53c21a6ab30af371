//! Ids of the Drive face: made from item number and operation number alone, so a moved or renamed item keeps its own, and
//! readable backwards, so no table of ids is needed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ids::derive;
use crate::world::ItemNo;

/// Derived bytes in front of the number of an id.
const FILE_BYTES: usize = 20;
/// As [`FILE_BYTES`], of a revision id.
const REVISION_BYTES: usize = 28;

/// Id of an item other than the root: `1` and 32 opaque characters.
pub(crate) fn file(no: ItemNo) -> String {
    let derived = derive("drive-file", &no.0.to_string());
    let mut bytes: Vec<u8> = derived.iter().copied().take(FILE_BYTES).collect();
    bytes.extend(masked(no.0.to_be_bytes(), &derived));
    format!("1{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The item with this id; whether it exists is not known here.
pub(crate) fn file_no(id: &str) -> Option<ItemNo> {
    let bytes = URL_SAFE_NO_PAD.decode(id.strip_prefix('1')?).ok()?;
    let (derived, tail) = bytes.split_at_checked(FILE_BYTES)?;
    let no = ItemNo(u32::from_be_bytes(masked(tail.try_into().ok()?, derived)));
    (no != ItemNo::ROOT && file(no) == id).then_some(no)
}

/// Id of the My Drive root of the person with this address; the last six characters spell ROOT in base64.
pub(crate) fn root(owner: &str) -> String {
    let bytes: Vec<u8> = derive("drive-root", owner).into_iter().take(8).collect();
    format!("0A{}Uk9PVA", URL_SAFE_NO_PAD.encode(bytes))
}

/// Id of the shared drive this person reads, and of its root folder.
pub(crate) fn shared_drive(owner: &str) -> String {
    let bytes: Vec<u8> = derive("drive-shared", owner).into_iter().take(8).collect();
    format!("0A{}Uk9PVA", URL_SAFE_NO_PAD.encode(bytes))
}

/// Id of a revision of the editors: a growing number.
pub(crate) fn editors_revision(seq: u64) -> String {
    seq.to_string()
}

/// Id of the revision that operation `seq` made: `0B` and 48 opaque characters.
pub(crate) fn revision(seq: u64) -> String {
    let derived = derive("drive-revision", &seq.to_string());
    let mut bytes: Vec<u8> = derived.iter().copied().take(REVISION_BYTES).collect();
    bytes.extend(masked(seq.to_be_bytes(), &derived));
    format!("0B{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The operation that made the revision with this id; whether it exists is not known here.
pub(crate) fn revision_seq(id: &str) -> Option<u64> {
    if let Ok(seq) = id.parse() {
        return Some(seq);
    }
    let bytes = URL_SAFE_NO_PAD.decode(id.strip_prefix("0B")?).ok()?;
    let (derived, tail) = bytes.split_at_checked(REVISION_BYTES)?;
    let seq = u64::from_be_bytes(masked(tail.try_into().ok()?, derived));
    (revision(seq) == id).then_some(seq)
}

/// `permissionId` of the account with this address: 20 decimal digits.
pub(crate) fn permission(email: &str) -> String {
    let number = derive("drive-permission", email)
        .into_iter()
        .take(8)
        .fold(0_u64, |sum, byte| (sum << 8) | u64::from(byte));
    format!("{number:020}")
}

/// Applying it twice gives the number back.
fn masked<const N: usize>(mut number: [u8; N], mask: &[u8]) -> [u8; N] {
    for (byte, other) in number.iter_mut().zip(mask) {
        *byte ^= other;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back_to_their_numbers_and_nothing_else_does() {
        for no in [1, 2, 100_000, u32::MAX].map(ItemNo) {
            let id = file(no);
            assert_eq!((id.len(), file_no(&id)), (33, Some(no)));
        }
        for seq in [1, 7, u64::MAX] {
            let id = revision(seq);
            assert_eq!((id.len(), revision_seq(&id)), (50, Some(seq)));
        }
        assert_ne!(file(ItemNo(1)), file(ItemNo(2)));
        let forged = file(ItemNo(1)).replace(|letter: char| letter.is_ascii_digit(), "z");
        assert_eq!(file_no(&forged), None);
        assert_eq!(file_no("root"), None);
        assert_eq!(revision_seq("head"), None);
        assert_eq!(root("a@example.com").len(), 19);
        assert_eq!(permission("a@example.com").len(), 20);
    }
}
