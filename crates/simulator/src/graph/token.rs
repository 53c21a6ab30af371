//! Delta tokens: opaque to clients, in the anatomy seen on business drives.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::world::{ItemNo, Slot};

/// .NET ticks (100 ns) at the Unix epoch.
const TICKS_AT_EPOCH: i64 = 621_355_968_000_000_000;

/// Where a reader of the feed stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The round tells what is later than this operation; 0 for a full enumeration.
    pub(super) since: u64,
    /// Newest operation when the round began; `None` before its first page.
    pub(super) upto: Option<u64>,
    /// Pages of the round so far; makes every link of a round another.
    pub(super) page: u64,
    pub(super) place: Place,
}

/// Next entry of the round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Full enumeration, from this item on, in order of item number.
    All { from: ItemNo },
    /// Tombstones after this slot; live items follow.
    Gone { after: Slot },
    /// Live items after this slot.
    Live { after: Slot },
}

impl Cursor {
    /// Everything that exists now.
    pub(super) fn everything() -> Self {
        Self {
            since: 0,
            upto: None,
            page: 0,
            place: Place::All { from: ItemNo::ROOT },
        }
    }

    /// Changes after an operation.
    pub(super) fn since(seq: u64) -> Self {
        Self {
            since: seq,
            upto: None,
            page: 0,
            place: Place::Gone {
                after: Slot::end_of(seq),
            },
        }
    }

    /// The token's text; `list` is the drive's list, `now` only decorates.
    pub(super) fn token(&self, list: &str, now: Timestamp) -> String {
        let ticks = now.as_second() * 10_000_000 + TICKS_AT_EPOCH;
        let (kind, seq, item) = match self.place {
            Place::All { from } => ('a', 0, from),
            Place::Gone { after } => ('g', after.seq, after.item),
            Place::Live { after } => ('l', after.seq, after.item),
        };
        let upto = self.upto.map_or("-".to_owned(), |seq| seq.to_string());
        let end = format!("{}.{upto}.{kind}.{seq}.{}", self.page, item.0);
        let since = self.since;
        URL_SAFE_NO_PAD.encode(format!("3;%234;%231;3;{list};{ticks};{since};%23;%23;%23{end}"))
    }

    /// Reads a token of this drive.
    pub(super) fn read(token: &str, list: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).ok()?).ok()?;
        let fields: Vec<&str> = text.split(';').collect();
        let [_, _, _, _, place, _, since, _, _, end] = fields.as_slice() else {
            return None;
        };
        let parts: Vec<&str> = end.strip_prefix("%23")?.split('.').collect();
        let [page, upto, kind, seq, item] = parts.as_slice() else {
            return None;
        };
        let item = ItemNo(item.parse().ok()?);
        let after = Slot {
            seq: seq.parse().ok()?,
            item,
        };
        let place = match (*kind, *place == list) {
            ("a", true) => Place::All { from: item },
            ("g", true) => Place::Gone { after },
            ("l", true) => Place::Live { after },
            _ => return None,
        };
        Some(Self {
            since: since.parse().ok()?,
            upto: if *upto == "-" {
                None
            } else {
                Some(upto.parse().ok()?)
            },
            page: page.parse().ok()?,
            place,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_read_back_on_their_drive_only() {
        let mut cursor = Cursor::since(12);
        cursor.upto = Some(30);
        cursor.place = Place::Live {
            after: Slot {
                seq: 20,
                item: ItemNo(4),
            },
        };
        let token = cursor.token("list", Timestamp::UNIX_EPOCH);
        assert_eq!(Cursor::read(&token, "list"), Some(cursor));
        assert_eq!(Cursor::read(&token, "other"), None);
        assert_eq!(Cursor::read("1230919asd190410jlka", "list"), None);
        let all = Cursor::everything();
        assert_eq!(
            Cursor::read(&all.token("l", Timestamp::UNIX_EPOCH), "l"),
            Some(all)
        );
    }
}
