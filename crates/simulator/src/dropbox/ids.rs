//! Ids in Dropbox's spelling, made from the world's numbers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::ids::derive;
use crate::world::ItemNo;

/// The only namespace; its eight hex digits end every rev.
pub(crate) const NAMESPACE: u32 = 203_817_621;

/// `id:` and 22 opaque characters.
pub(crate) fn item_id(no: ItemNo) -> String {
    format!("id:{}", opaque("dropbox-item", &no.0.to_string(), 22))
}

/// `dbid:AA` and 33 opaque characters, 40 in all, for the person with this address.
pub(crate) fn account_id(email: &str) -> String {
    format!("dbid:AA{}", opaque("dropbox-account", email, 33))
}

/// `dbmid:AA` and 33 opaque characters for the team member with this address.
pub(crate) fn member_id(email: &str) -> String {
    format!("dbmid:AA{}", opaque("dropbox-member", email, 33))
}

/// `dbaid:AA` and 33 opaque characters for the application of this name.
pub(crate) fn application_id(name: &str) -> String {
    format!("dbaid:AA{}", opaque("dropbox-application", name, 33))
}

fn opaque(kind: &str, key: &str, length: usize) -> String {
    URL_SAFE_NO_PAD
        .encode(derive(kind, key))
        .chars()
        .take(length)
        .collect()
}

/// What is unique in a rev: microseconds since 1970 of the revision's moment, later by some when several revisions share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RevNumber(u64);

impl RevNumber {
    /// 13 hex digits of microseconds and 8 of the namespace, lower case.
    pub(crate) fn rev(self) -> String {
        format!("{:013x}{NAMESPACE:08x}", self.0)
    }

    /// The number in a rev of this namespace.
    pub(crate) fn parse(rev: &str) -> Option<Self> {
        let digits = rev.strip_suffix(&format!("{NAMESPACE:08x}"))?;
        u64::from_str_radix(digits, 16).ok().map(Self)
    }
}

/// Numbers revisions in the order of the world's operations, so that every replay numbers them alike.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RevClock {
    last: u64,
}

impl RevClock {
    /// The number of the next revision; it was made at `at`.
    pub(crate) fn next(&mut self, at: Timestamp) -> RevNumber {
        let micros = u64::try_from(at.as_microsecond()).unwrap_or_default();
        self.last = micros.max(self.last + 1);
        RevNumber(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_lengths_of_the_real_ones() {
        assert_eq!(item_id(ItemNo(7)).len(), 25);
        assert_eq!(account_id("a@example.com").len(), 40);
        assert_ne!(account_id("a@example.com"), account_id("b@example.com"));
    }

    #[test]
    fn revs_of_one_moment_differ_and_read_back() {
        let mut clock = RevClock::default();
        let at: Timestamp = "2021-02-07T01:11:10.982363Z".parse().unwrap();
        let (one, two) = (clock.next(at), clock.next(at));
        assert_eq!(one.rev(), format!("5bab4ba9864db{NAMESPACE:08x}"));
        assert!(one < two);
        assert_eq!(RevNumber::parse(&two.rev()), Some(two));
        assert_eq!(RevNumber::parse("5bab4ba9864db00000000"), None);
    }
}
