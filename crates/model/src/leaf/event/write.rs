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
    #[expect(clippy::too_many_lines, reason = "two lines for each member")]
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        // Named one by one, so that a new member cannot be forgotten here.
        let Self {
            action,
            actor_kind,
            actor_source,
            baseline,
            basis,
            c,
            claimed_at,
            content_missing,
            content_sha256,
            derived_from,
            drive_id,
            folder,
            function,
            hashes,
            id,
            item_id,
            item_kind,
            ledger,
            mime_type,
            observed_at,
            occurred_at,
            occurred_not_after,
            occurred_not_before,
            occurred_source,
            previous_revision_id,
            provider,
            raw_sha256,
            reconciled,
            revision_id,
            size_bytes,
            source_api,
            source_request_id,
            tenant,
            kind,
            v,
        } = self;
        let mut out = Members {
            bytes: Vec::with_capacity(USUAL_BYTES),
            before: b'{',
        };
        out.word("action", action.as_str());
        out.word("actor_kind", actor_kind.as_str());
        out.word("actor_source", actor_source.as_str());
        if *baseline {
            out.plain("baseline", b"true");
        }
        out.word("basis", basis.as_str());
        out.commitments(c);
        out.shown("claimed_at", *claimed_at)?;
        if let Some(reason) = content_missing {
            out.word("content_missing", reason.as_str());
        }
        out.digest("content_sha256", content_sha256.as_ref());
        out.text("derived_from", derived_from.as_deref());
        out.text("drive_id", Some(drive_id.as_str()));
        out.text("folder", Some(folder.as_str()));
        out.text("function", function.as_deref());
        out.texts("hashes", hashes.iter());
        out.digest("id", Some(id));
        out.text("item_id", Some(item_id.as_str()));
        out.word("item_kind", item_kind.as_str());
        out.text("ledger", Some(ledger.as_str()));
        out.text("mime_type", mime_type.as_deref());
        out.shown("observed_at", Some(*observed_at))?;
        out.shown("occurred_at", *occurred_at)?;
        out.shown("occurred_not_after", *occurred_not_after)?;
        out.shown("occurred_not_before", *occurred_not_before)?;
        out.word("occurred_source", occurred_source.as_str());
        let revision = |id| Option::map(id, RevisionId::as_str);
        out.text("previous_revision_id", revision(previous_revision_id.as_ref()));
        out.word("provider", provider.as_str());
        out.digest("raw_sha256", raw_sha256.as_ref());
        if *reconciled {
            out.plain("reconciled", b"true");
        }
        out.text("revision_id", revision(revision_id.as_ref()));
        out.shown("size_bytes", *size_bytes)?;
        out.text("source_api", Some(source_api));
        out.text("source_request_id", source_request_id.as_deref());
        out.text("tenant", Some(tenant.as_str()));
        out.text("type", Some(kind));
        out.plain("v", v.to_string().as_bytes());
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
