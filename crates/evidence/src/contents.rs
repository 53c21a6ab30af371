//! Contents of files: each that an event names must be there, whole.

use revtrail_model::{
    layout::{Kind, ObjectName},
    sha256,
};

use crate::{
    finding::{Finding, Report},
    log::{Carried, LogCheck},
    source::SourceError,
};

/// Checks the contents that the events of a log name, one at a time.
pub(crate) fn check(
    log: &LogCheck<'_>,
    carried: &mut Carried,
    report: &mut Report,
) -> Result<(), SourceError> {
    for digest in std::mem::take(&mut carried.contents) {
        let key = log.name.content(&digest);
        match log.source.read(&key)?.map(|bytes| sha256(&bytes)) {
            Some(actual) if actual == digest => {}
            Some(actual) => {
                let what = "bytes do not have the digest that an event names";
                let finding = Finding::contradiction(key, what);
                report.findings.push(finding.values(digest, actual));
            }
            None => {
                let what = "is missing, though an event names these contents";
                report.findings.push(Finding::contradiction(key, what));
            }
        }
        carried.named.insert(ObjectName {
            kind: Kind::Content,
            seq: 0,
            digest: Some(digest),
        });
    }
    Ok(())
}
