//! What audit logs told about events, put beside them. It never replaces what a revision said.

use std::collections::BTreeMap;

use revtrail_model::{
    Digest,
    disclosure::Disclosure,
    event::{Actor, Basis},
    id::FolderName,
    leaf::{AnnotationLeaf, Outcome, Unexplained},
};

use crate::reader::Row;

/// One annotation and its place in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotationRow {
    /// Log year.
    pub year: i16,
    /// Index of the leaf in the log.
    pub index: u64,
    /// The leaf.
    pub annotation: AnnotationLeaf,
    /// What opens it: actor, application and client.
    pub opened: Disclosure,
}

/// Annotations by event.
pub(crate) type Annotations = BTreeMap<(FolderName, Digest), Vec<AnnotationRow>>;

/// What all annotations of one event come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribution {
    /// There is none: the log was not read, or may still tell.
    Open,
    /// The log names this actor; absent when its record does not say who.
    By(Option<Actor>),
    /// Records name different actors.
    Disputed(Vec<Actor>),
    /// The log has no record.
    Unattributed(Option<Unexplained>),
}

impl AnnotationRow {
    /// Who the record names.
    pub fn actor(&self) -> Option<Actor> {
        self.annotation.actor(&self.opened)
    }
}

impl Row {
    /// What the audit log says about who did it. Records about the item itself go before those about a folder above it; one that is
    /// contested leaves all of its kind in doubt; a record that came late outdoes that there was none.
    pub fn attribution(&self) -> Attribution {
        let records = |basis: Basis| {
            let records = self.annotations.iter().filter(move |row| {
                row.annotation.outcome != Outcome::Unattributed && row.annotation.basis == basis
            });
            records.collect::<Vec<_>>()
        };
        let found = Some(records(Basis::Reported)).filter(|found| !found.is_empty());
        let found = found.unwrap_or_else(|| records(Basis::Derived));
        if found
            .iter()
            .any(|row| row.annotation.outcome == Outcome::Ambiguous)
        {
            return Attribution::Disputed(found.iter().filter_map(|row| row.actor()).collect());
        }
        match (found.first(), self.annotations.first()) {
            (Some(record), _) => Attribution::By(record.actor()),
            (None, Some(nothing)) => Attribution::Unattributed(nothing.annotation.reason),
            (None, None) => Attribution::Open,
        }
    }
}
