//! What audit logs tell: records of who did what, read beside the change feed and often later.
//!
//! A log never makes events of its own. Its records name the actor of facts that were found by comparing states; which record belongs
//! to which fact is decided by the harvest, alike for all providers.

use std::time::Duration;

use revtrail_model::{
    Digest,
    event::{Action, Actor, ActorSource, ClientDetails},
    id::{Cursor, DriveId, ItemId, PageToken, PlaceKey, RevisionId},
    sha256,
};
use serde_json::{Value, value::RawValue};

use crate::{change::Raw, connector::Next, time::Timestamp};

/// What is known about an account's audit log. Data, so that no caller has to ask which provider it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditLog {
    /// [`ActorSource::AuditLog`], or [`ActorSource::Activity`] for a feed that shows only what the asking account may see.
    pub source: ActorSource,
    /// How long after the act its record may appear. An event without a record by then is unattributed.
    pub lateness: Duration,
    /// How far back the log can be read; absent when the provider does not say.
    pub reach: Option<Duration>,
}

/// Identity of one record of a log: the same record read twice has the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActivityId(Digest);

impl ActivityId {
    /// For a record that the provider gives an id.
    pub fn of_id(id: &str) -> Self {
        Self(sha256(id.as_bytes()))
    }

    /// For a record without id: over its bytes, which the caller has put in one order and spelling.
    pub fn of_bytes(canonical: &[u8]) -> Self {
        Self(sha256(canonical))
    }

    /// For a record without id: over its members in the order of their names, for it may come with them in another order.
    pub fn of_members(record: &RawValue) -> Result<Self, serde_json::Error> {
        let mut canonical = Vec::new();
        write_sorted(&serde_json::from_str(record.get())?, &mut canonical);
        Ok(Self::of_bytes(&canonical))
    }

    /// The digest.
    pub const fn digest(self) -> Digest {
        self.0
    }
}

impl From<Digest> for ActivityId {
    fn from(digest: Digest) -> Self {
        Self(digest)
    }
}

/// One record of an audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Identity of the record.
    pub id: ActivityId,
    /// When it was done, by the log's clock; for a stretch of time its end.
    pub at: Timestamp,
    /// The kinds of facts it may explain; never empty, because records that explain nothing are left out by the connector.
    pub explains: Vec<Action>,
    /// The items it names, before and after.
    pub targets: Vec<Target>,
    /// Who did it; absent when the record does not say.
    pub actor: Option<Actor>,
    /// From where; absent when the record does not say.
    pub client: Option<ClientDetails>,
    /// The provider's bytes.
    pub raw: Raw,
}

/// An item that a record names, by all the record says of it. A member that is absent restricts nothing; a target with neither item
/// nor place matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its root of items.
    pub drive: Option<DriveId>,
    /// The item.
    pub item: Option<ItemId>,
    /// Where it was or is, spelled as the change feed spells it.
    pub place: Option<PlaceKey>,
    /// The revision that the act made.
    pub revision: Option<RevisionId>,
    /// Whether what lies below is explained too.
    pub extent: Extent,
}

/// How far a record about an item reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The item itself.
    Itself,
    /// A folder and what lies below it, which the log does not list.
    WithContents,
}

/// Where to read the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActivityPoint {
    /// Everything from this moment on, it included.
    From(Timestamp),
    /// What has appeared since the cursor, late records included. Records already told may come again.
    After(Cursor),
    /// The next page of a reading under way.
    Page(PageToken),
}

/// One page of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityPage {
    /// Records in any order, perhaps none although more pages follow.
    pub activities: Vec<Activity>,
    /// What follows.
    pub next: Next,
    /// The provider's clock when it answered; absent when it sent none.
    pub answered_at: Option<Timestamp>,
}

/// JSON with the members of objects in the order of their names.
fn write_sorted(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            out.push(b'{');
            for (name, value) in members {
                out.extend(Value::from(name.as_str()).to_string().as_bytes());
                out.push(b':');
                write_sorted(value, out);
                out.push(b',');
            }
            out.push(b'}');
        }
        Value::Array(values) => {
            out.push(b'[');
            for value in values {
                write_sorted(value, out);
                out.push(b',');
            }
            out.push(b']');
        }
        plain => out.extend(plain.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_the_same_by_what_identifies_it() {
        assert_eq!(ActivityId::of_id("6f2c"), ActivityId::of_id("6f2c"));
        assert_ne!(ActivityId::of_id("6f2c"), ActivityId::of_id("6f2d"));
        assert_eq!(
            ActivityId::of_bytes(b"{}").digest().to_string(),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
    }
}
