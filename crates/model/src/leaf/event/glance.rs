//! What verification needs of an event leaf, read without building the record.
//!
//! A log is mostly event leaves in canonical form: members in order, no escapes, one spelling of each value. Such a line is read where it
//! stands. A line that differs in any way is left to [`Leaf::parse`](crate::leaf::Leaf::parse), which alone decides what a leaf is: what
//! is taken here is taken there, too, and means the same (tested).

use std::ops::Range;

use memchr::memchr;
use serde::de::{
    DeserializeOwned, IntoDeserializer as _,
    value::{Error, StrDeserializer},
};

use crate::{
    Digest,
    event::{Action, ActorKind, ActorSource, Basis, ContentMissing, ItemKind, TimeSource},
    id::Provider,
    leaf::MAX_LEAF_BYTES,
    time::is_plain,
};

/// What is judged of an event, borrowed from the bytes of its leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventGlance<'a> {
    /// Where in the leaf its commitments stand, an object in canonical form; empty when it commits to nothing.
    pub c: Range<usize>,
    /// Digest of the contents it names.
    pub content_sha256: Option<Digest>,
    /// The designated folder.
    pub folder: &'a str,
    /// The event's id.
    pub id: Digest,
    /// The ledger it names.
    pub ledger: &'a str,
    /// Digest of its raw record.
    pub raw_sha256: Option<Digest>,
}

impl<'a> EventGlance<'a> {
    /// Reads `bytes` if that is an event leaf of this version in canonical form. `None` says nothing about other bytes.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        // All bytes are looked at, so that many are at a time.
        let special = |byte: &u8| u8::from(*byte < b' ') | u8::from(*byte == b'\\');
        if bytes.iter().fold(0, |found, byte| found | special(byte)) > 0 || bytes.len() > MAX_LEAF_BYTES {
            return None;
        }
        let mut scan = Scan {
            text: str::from_utf8(bytes).ok()?,
            at: 0,
        };
        let glance = scan.event()?;
        (scan.at == bytes.len()).then_some(glance)
    }
}

/// A place in a text without escapes and control characters.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn event(&mut self) -> Option<EventGlance<'a>> {
        self.word::<Action>("{\"action\":\"")?;
        self.word::<ActorKind>(",\"actor_kind\":\"")?;
        self.word::<ActorSource>(",\"actor_source\":\"")?;
        let _baseline = self.skip(",\"baseline\":true");
        self.word::<Basis>(",\"basis\":\"")?;
        let c = self.commitments()?;
        self.optional(",\"claimed_at\":\"", is_plain)?;
        self.optional(",\"content_missing\":\"", is_word::<ContentMissing>)?;
        let content_sha256 = if self.skip(",\"content_sha256\":\"") {
            Some(self.string()?.parse().ok()?)
        } else {
            None
        };
        self.optional(",\"derived_from\":\"", any)?;
        self.value(",\"drive_id\":\"")?;
        let folder = self.value(",\"folder\":\"")?;
        self.optional(",\"function\":\"", any)?;
        self.hashes()?;
        let id = self.value(",\"id\":\"")?.parse().ok()?;
        self.value(",\"item_id\":\"")?;
        self.word::<ItemKind>(",\"item_kind\":\"")?;
        let ledger = self.value(",\"ledger\":\"")?;
        self.optional(",\"mime_type\":\"", any)?;
        is_plain(self.value(",\"observed_at\":\"")?).then_some(())?;
        self.optional(",\"occurred_at\":\"", is_plain)?;
        self.optional(",\"occurred_not_after\":\"", is_plain)?;
        self.optional(",\"occurred_not_before\":\"", is_plain)?;
        self.word::<TimeSource>(",\"occurred_source\":\"")?;
        self.optional(",\"previous_revision_id\":\"", any)?;
        self.word::<Provider>(",\"provider\":\"")?;
        let raw_sha256 = if self.skip(",\"raw_sha256\":\"") {
            Some(self.string()?.parse().ok()?)
        } else {
            None
        };
        let _reconciled = self.skip(",\"reconciled\":true");
        self.optional(",\"revision_id\":\"", any)?;
        self.optional(",\"size_bytes\":\"", is_count)?;
        self.value(",\"source_api\":\"")?;
        self.optional(",\"source_request_id\":\"", any)?;
        self.value(",\"tenant\":\"")?;
        self.skip(",\"type\":\"event\",\"v\":1}").then_some(EventGlance {
            c,
            content_sha256,
            folder,
            id,
            ledger,
            raw_sha256,
        })
    }

    /// Goes past `expected` if it stands here.
    fn skip(&mut self, expected: &str) -> bool {
        let found = self
            .text
            .as_bytes()
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(expected.as_bytes()));
        if found {
            self.at += expected.len();
        }
        found
    }

    /// The rest of a string, and past its closing quote.
    fn string(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let length = memchr(b'"', rest.as_bytes())?;
        self.at += length + 1;
        rest.get(..length)
    }

    /// A string member, its key given with everything up to the value.
    fn value(&mut self, key: &str) -> Option<&'a str> {
        if self.skip(key) { self.string() } else { None }
    }

    /// A member that may be absent; `None` when it is there and not as it must be.
    fn optional(&mut self, key: &str, fits: fn(&str) -> bool) -> Option<()> {
        if self.skip(key) {
            return fits(self.string()?).then_some(());
        }
        Some(())
    }

    /// A member that is one of a few words.
    fn word<T: DeserializeOwned>(&mut self, key: &str) -> Option<()> {
        is_word::<T>(self.value(key)?).then_some(())
    }

    fn commitments(&mut self) -> Option<Range<usize>> {
        if !self.skip(",\"c\":") {
            return Some(self.at..self.at);
        }
        let start = self.at;
        let mut before = "{";
        for (first, following) in [
            ("{\"actor\":\"", ",\"actor\":\""),
            ("{\"application\":\"", ",\"application\":\""),
            ("{\"case\":\"", ",\"case\":\""),
            ("{\"path\":\"", ",\"path\":\""),
            ("{\"reason\":\"", ",\"reason\":\""),
        ] {
            let key = if before == "{" { first } else { following };
            if self.skip(key) {
                let _committed = self.string()?;
                before = ",";
            }
        }
        // An object without members is not how a leaf says that it commits to nothing.
        (before == "," && self.skip("}")).then_some(start..self.at)
    }

    fn hashes(&mut self) -> Option<()> {
        if !self.skip(",\"hashes\":{\"") {
            return Some(());
        }
        loop {
            let _algorithm = self.string()?;
            let _value = self.value(":\"")?;
            if self.skip("}") {
                return Some(());
            }
            if !self.skip(",\"") {
                return None;
            }
        }
    }
}

const fn any(_: &str) -> bool {
    true
}

fn is_word<T: DeserializeOwned>(text: &str) -> bool {
    let word: StrDeserializer<'_, Error> = text.into_deserializer();
    T::deserialize(word).is_ok()
}

/// A 64-bit number in shortest form; longer ones than 19 digits are left to the reader of all leaves.
fn is_count(text: &str) -> bool {
    let digits = text.as_bytes();
    (1..=19).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && (digits.len() == 1 || digits.first() != Some(&b'0'))
}
