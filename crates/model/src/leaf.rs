//! Leaves: the stored bytes of one record, hashed verbatim into the log.
//!
//! A leaf is one line of canonical JSON of at most [`MAX_LEAF_BYTES`]. A snapshot's leaves are: for each folder its events in a
//! deterministic order, then that folder's window; the run leaf last. The first snapshot of a log starts with its genesis leaf, the
//! last one holds its close leaf. A snapshot of `hold` leaves and a run leaf records legal holds. `annotation` leaves stand after all
//! windows.

mod annotation;
mod event;
mod hold;
mod log;
mod run;
mod window;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use annotation::{
    Annotation, AnnotationLeaf, Finding, Outcome, RecordFinding, Unexplained, seal_annotation,
};
pub use event::{EventGlance, EventLeaf, seal};
pub use hold::{Hold, HoldAction, HoldLeaf, seal_hold};
pub use log::{CloseLeaf, GenesisLeaf, PreviousLog};
pub use run::{AuditRead, CheckpointRef, Objects, Requests, RunLeaf, Tool};
pub use window::{Counted, Gap, GapReason, Kept, LeafRef, Walk, WindowLeaf, WindowState};

use crate::{ModelError, disclosure::Commitments, record::canonical};

/// Largest leaf, bytes: the entry length of a C2SP entry bundle is 16 bits.
pub const MAX_LEAF_BYTES: usize = 65_535;

/// Version of the leaf formats.
pub const VERSION: u32 = 1;

/// One record, as read from a leaf.
#[derive(Debug, Clone, PartialEq)]
pub enum Leaf {
    /// A fact.
    Event(Box<EventLeaf>),
    /// What one look at one folder covered.
    Window(Box<WindowLeaf>),
    /// End of a snapshot.
    Run(Box<RunLeaf>),
    /// First leaf of a log.
    Genesis(Box<GenesisLeaf>),
    /// Last leaf but one of a log.
    Close(Box<CloseLeaf>),
    /// A legal hold placed or released.
    Hold(Box<HoldLeaf>),
    /// What an audit log told about an event.
    Annotation(Box<AnnotationLeaf>),
    /// A type this version does not know; kept, counted, not interpreted.
    Unknown(String),
}

/// How a canonical event leaf of this version ends.
const EVENT_END: &[u8] = br#","type":"event","v":1}"#;

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    v: u32,
}

impl Leaf {
    /// What the leaf commits to; `None` for a leaf that never commits to anything.
    pub fn commitments(&self) -> Option<&Commitments> {
        match self {
            Self::Event(event) => Some(&event.c),
            Self::Hold(hold) => Some(&hold.c),
            Self::Annotation(annotation) => Some(&annotation.c),
            Self::Window(_) | Self::Run(_) | Self::Genesis(_) | Self::Close(_) | Self::Unknown(_) => None,
        }
    }

    /// Reads a leaf. Unknown members are ignored, an unknown type or version is [`Leaf::Unknown`]: the bytes stay the evidence.
    pub fn parse(bytes: &[u8]) -> Result<Self, ModelError> {
        check_size(bytes)?;
        if bytes.ends_with(EVENT_END) {
            // Nearly every leaf is an event, which then is read once. Its own members decide, not how it ends.
            let event: EventLeaf = from_slice(bytes)?;
            if event.kind == "event" && event.v == VERSION {
                return Ok(Self::Event(Box::new(event)));
            }
        }
        let tag: Tag<'_> = from_slice(bytes)?;
        if tag.v != VERSION {
            return Ok(Self::Unknown(format!("{} version {}", tag.kind, tag.v)));
        }
        Ok(match &*tag.kind {
            "event" => Self::Event(from_slice(bytes)?),
            "window" => Self::Window(from_slice(bytes)?),
            "run" => Self::Run(from_slice(bytes)?),
            "genesis" => Self::Genesis(from_slice(bytes)?),
            "close" => Self::Close(from_slice(bytes)?),
            "hold" => Self::Hold(from_slice(bytes)?),
            "annotation" => Self::Annotation(from_slice(bytes)?),
            _ => Self::Unknown(tag.kind.into_owned()),
        })
    }
}

fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, ModelError> {
    serde_json::from_slice(bytes).map_err(ModelError::Leaf)
}

fn check_size(bytes: &[u8]) -> Result<(), ModelError> {
    if bytes.len() > MAX_LEAF_BYTES {
        return Err(ModelError::LeafTooLarge {
            bytes: bytes.len(),
            limit: MAX_LEAF_BYTES,
        });
    }
    Ok(())
}

/// The bytes of a leaf: canonical JSON, size checked.
pub fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, ModelError> {
    let bytes = canonical(record)?;
    check_size(&bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
