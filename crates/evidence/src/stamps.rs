//! Time stamps that stand beside a ledger's record, checked against what run leaves say of them and against a trusted authority.

use std::collections::BTreeMap;

use revtrail_ledger::{Checkpoint, Note};
use revtrail_model::{Digest, sha256};

use crate::{
    finding::{CheckedLog, Finding, Report},
    source::{RecordSource, SourceError},
    timestamp::{Authority, check_stamp},
};

/// Checks every time stamp of the logs of a report: that those named by run leaves are there, unchanged; with an authority also that each
/// is over its checkpoint and held when it was made.
pub fn check_stamps(
    source: &dyn RecordSource,
    report: &mut Report,
    trusted: Option<&Authority>,
) -> Result<(), SourceError> {
    let mut findings = Vec::new();
    let mut stamps = 0;
    let mut logs = std::mem::take(&mut report.checked);
    let named: BTreeMap<&String, &Digest> = logs.iter().flat_map(|log| &log.stamps).collect();
    for (key, digest) in &named {
        let finding = |what: &str| Finding::contradiction((*key).clone(), what);
        match source.read(key)? {
            None => findings.push(finding("a run leaf names this time stamp, and it is missing")),
            Some(token) if sha256(&token) != **digest => {
                let changed = finding("not the time stamp that a run leaf names");
                findings.push(changed.values(digest, sha256(&token)));
            }
            Some(_) => {}
        }
    }
    for log in &mut logs {
        stamps += check_log(source, log, trusted, &mut findings)?;
    }
    report.stamps = stamps;
    report.checked = logs;
    report.findings.append(&mut findings);
    Ok(())
}

/// Tree size of a checkpoint. Whether it is one of the log was checked before.
fn size_of(note: &[u8]) -> Option<u64> {
    let checkpoint = Checkpoint::parse(Note::parse(note).ok()?.text()).ok()?;
    Some(checkpoint.size.leaves())
}

/// Number of time stamps that held.
fn check_log(
    source: &dyn RecordSource,
    log: &mut CheckedLog,
    trusted: Option<&Authority>,
    findings: &mut Vec<Finding>,
) -> Result<u64, SourceError> {
    let prefix = format!("{}timestamps/", log.prefix);
    let keys = source.keys(&prefix)?;
    let Some(trusted) = trusted else {
        if !keys.is_empty() {
            let what = format!(
                "{} time stamps were not checked: no certificate of an authority is configured",
                keys.len()
            );
            findings.push(Finding::note(prefix, what));
        }
        return Ok(0);
    };
    let mut held = 0;
    for key in keys {
        let seq = key
            .strip_prefix(&prefix)
            .and_then(|name| name.strip_suffix(".tsr"));
        let note = match seq {
            Some(seq) => source.read(&format!("{}checkpoints/{seq}", log.prefix))?,
            None => None,
        };
        let Some(note) = note else {
            findings.push(Finding::note(
                key,
                "not the time stamp of a checkpoint of this log",
            ));
            continue;
        };
        let token = source.read(&key)?.unwrap_or_default();
        match check_stamp(&token, &note, trusted) {
            Ok(stamp) => {
                held += 1;
                if let Some(size) = size_of(&note) {
                    log.stamped.insert(size, stamp.at);
                }
            }
            Err(error) => findings.push(Finding::contradiction(key, error.to_string())),
        }
    }
    Ok(held)
}
