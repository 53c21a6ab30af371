//! The canonical bytes of an event leaf, written member by member: a log is mostly event leaves, and a general serialiser takes more than
//! twice as long. It is the measure of what is written here (tested).

use std::io::Write as _;

use super::EventLeaf;
use crate::{
    Digest, ModelError,
    disclosure::Commitments,
    id::RevisionId,
    leaf::check_size,
    record::{USUAL_BYTES, push_string},
};

impl EventLeaf {
    /// The leaf's bytes.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let mut out = Members {
            bytes: Vec::with_capacity(USUAL_BYTES),
            before: b'{',
        };
        out.word("action", self.action.as_str());
        out.word("actor_kind", self.actor_kind.as_str());
        out.word("actor_source", self.actor_source.as_str());
        if self.baseline {
            out.plain("baseline", b"true");
        }
        out.word("basis", self.basis.as_str());
        out.commitments(&self.c);
        out.shown("claimed_at", self.claimed_at)?;
        out.digest("content_sha256", self.content_sha256.as_ref());
        out.text("derived_from", self.derived_from.as_deref());
        out.text("drive_id", Some(self.drive_id.as_str()));
        out.text("folder", Some(self.folder.as_str()));
        out.text("function", self.function.as_deref());
        out.texts("hashes", self.hashes.iter());
        out.digest("id", Some(&self.id));
        out.text("item_id", Some(self.item_id.as_str()));
        out.word("item_kind", self.item_kind.as_str());
        out.text("ledger", Some(self.ledger.as_str()));
        out.text("mime_type", self.mime_type.as_deref());
        out.shown("observed_at", Some(self.observed_at))?;
        out.shown("occurred_at", self.occurred_at)?;
        out.shown("occurred_not_after", self.occurred_not_after)?;
        out.shown("occurred_not_before", self.occurred_not_before)?;
        out.word("occurred_source", self.occurred_source.as_str());
        let revision = |id| Option::map(id, RevisionId::as_str);
        out.text(
            "previous_revision_id",
            revision(self.previous_revision_id.as_ref()),
        );
        out.word("provider", self.provider.as_str());
        out.digest("raw_sha256", self.raw_sha256.as_ref());
        out.text("revision_id", revision(self.revision_id.as_ref()));
        out.shown("size_bytes", self.size_bytes)?;
        out.text("source_api", Some(&self.source_api));
        out.text("source_request_id", self.source_request_id.as_deref());
        out.text("tenant", Some(self.tenant.as_str()));
        out.text("type", Some(&self.kind));
        out.plain("v", self.v.to_string().as_bytes());
        out.bytes.push(b'}');
        check_size(&out.bytes)?;
        Ok(out.bytes)
    }
}

/// An object in the making.
struct Members {
    bytes: Vec<u8>,
    /// What stands before the next member: the brace, then commas.
    before: u8,
}

impl Members {
    /// A member whose value is written next. Keys are words without anything to escape.
    fn key(&mut self, key: &str) {
        self.bytes.push(self.before);
        self.before = b',';
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.extend_from_slice(b"\":");
    }

    fn plain(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.bytes.extend_from_slice(value);
    }

    /// A value without anything to escape.
    fn quoted(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(value);
        self.bytes.push(b'"');
    }

    fn word(&mut self, key: &str, value: &'static str) {
        self.quoted(key, value.as_bytes());
    }

    fn digest(&mut self, key: &str, value: Option<&Digest>) {
        if let Some(value) = value {
            self.quoted(key, &value.digits());
        }
    }

    /// A value that shows itself in its canonical form, without anything to escape.
    fn shown(&mut self, key: &str, value: Option<impl std::fmt::Display>) -> Result<(), ModelError> {
        let Some(value) = value else { return Ok(()) };
        self.key(key);
        write!(self.bytes, "\"{value}\"").map_err(|error| ModelError::Serialise(serde_json::Error::io(error)))
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.key(key);
            push_string(value, &mut self.bytes);
        }
    }

    fn texts<'a>(&mut self, key: &str, values: impl Iterator<Item = (&'a String, &'a String)>) {
        let mut before = b'{';
        for (name, value) in values {
            if before == b'{' {
                self.key(key);
            }
            self.bytes.push(before);
            before = b',';
            push_string(name, &mut self.bytes);
            self.bytes.push(b':');
            push_string(value, &mut self.bytes);
        }
        if before == b',' {
            self.bytes.push(b'}');
        }
    }

    fn commitments(&mut self, c: &Commitments) {
        if *c == Commitments::default() {
            return;
        }
        self.key("c");
        self.before = b'{';
        for (key, value) in c.members() {
            self.text(key, value);
        }
        self.bytes.push(b'}');
    }
}
