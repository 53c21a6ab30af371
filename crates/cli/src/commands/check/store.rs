//! What the store keeps of each record object, compared with what the record and the configuration say.
//!
//! Against the record (the genesis leaf of the log says until when its objects are locked) a difference is a contradiction; against the
//! configuration alone it is something missing, because a configuration may have been changed since.

use revtrail_archive::{
    LegalHold, PART_BYTES, Retention, RetentionMode, VersionKind,
    custody::{Holdings, RecordObject, Stored},
};
use revtrail_evidence::{Finding, Report};
use revtrail_model::time::Timestamp;
use revtrail_settings::{Config, Ledger};

/// Adds what is wrong to the report; gives what was looked at, in a sentence.
pub(super) fn judge(config: &Config, ledger: &Ledger, holdings: &Holdings, report: &mut Report) -> String {
    if !holdings.versions_kept {
        let what = "this archive keeps no versions, locks or checksums: there is nothing to check beside the record itself";
        report
            .findings
            .push(Finding::note(config.archive.to_string(), what));
        return "nothing to check: no versions are kept here".to_owned();
    }
    let mut versions = 0;
    for object in &holdings.objects {
        versions += object.versions.len();
        let asked = config.lock.and_then(|lock| {
            Some(Retention {
                mode: lock.mode,
                until: ledger.retention.after_year(object.log.year)?,
            })
        });
        let promised = report.locked_until.get(&object.log.prefix()).copied();
        judge_object(object, Expected { promised, asked }, &mut report.findings);
        let wanted = report
            .open_holds
            .values()
            .any(|year| year.is_none_or(|year| i64::try_from(year.0) == Ok(i64::from(object.log.year))));
        let wanted = if wanted { LegalHold::On } else { LegalHold::Off };
        judge_hold(object, wanted, &mut report.findings);
    }
    format!(
        "{} record object(s) in {versions} version(s) and delete marker(s)",
        holdings.objects.len()
    )
}

/// The lock that a record object should have.
#[derive(Clone, Copy)]
struct Expected {
    /// As the genesis leaf of its log says.
    promised: Option<Timestamp>,
    /// As the configuration asks for.
    asked: Option<Retention>,
}

fn judge_object(object: &RecordObject, expected: Expected, findings: &mut Vec<Finding>) {
    let of = |kind| object.versions.iter().filter(move |stored| stored.kind == kind);
    let markers: Vec<String> = of(VersionKind::DeleteMarker).map(tell).collect();
    if !markers.is_empty() {
        let what = "a delete marker stands on this record key: the object below it is still there";
        let finding = Finding::contradiction(object.key.to_string(), what);
        findings.push(finding.values("no delete marker", markers.join("; ")));
    }
    if of(VersionKind::Object).count() > 1 {
        let what = "has more than one version, though a record object is written once: the oldest is the one that was committed";
        let all: Vec<String> = of(VersionKind::Object).map(tell).collect();
        let finding = Finding::contradiction(object.key.to_string(), what);
        findings.push(finding.values("one version", all.join("; ")));
    }
    match of(VersionKind::Object).next_back() {
        Some(first) => {
            findings.extend(judge_lock(object, first, expected));
            findings.extend(judge_checksum(object, first));
        }
        None => findings.push(Finding::contradiction(
            object.key.to_string(),
            "nothing but delete markers is left: the object itself was deleted",
        )),
    }
}

/// A version in words.
fn tell(stored: &Stored) -> String {
    let id = stored.id.as_ref().map_or("?", |id| id.as_str());
    let at = stored.stored_at.map(|at| format!(" of {at}"));
    let shown = stored.is_latest.then_some(", shown under the key");
    let digest = stored.head.as_ref().and_then(|head| head.sha256);
    let digest = digest.map(|digest| format!(", sha256 {digest}"));
    format!(
        "version {id}{}{}{}",
        at.unwrap_or_default(),
        shown.unwrap_or_default(),
        digest.unwrap_or_default()
    )
}

fn judge_lock(object: &RecordObject, stored: &Stored, expected: Expected) -> Option<Finding> {
    let lock = stored.head.as_ref().and_then(|head| head.retention);
    let key = object.key.to_string();
    let show = |lock: Option<Retention>| {
        lock.map_or("no lock".to_owned(), |lock| {
            format!("{} until {}", lock.mode, lock.until)
        })
    };
    if let Some(promised) = expected.promised
        && lock.is_none_or(|lock| lock.until < promised)
    {
        let what = if lock.is_none() {
            "is not locked, though the genesis leaf of its log says so"
        } else {
            "is locked for less long than the genesis leaf of its log says"
        };
        return Some(Finding::contradiction(key, what).values(format!("until {promised}"), show(lock)));
    }
    let asked = expected.asked?;
    let values = |finding: Finding| Some(finding.values(show(Some(asked)), show(lock)));
    let Some(lock) = lock else {
        let what =
            "is not locked, and the configuration asks for a lock: `revtrail retention extend` places it";
        return values(Finding::incomplete(key, what));
    };
    if lock.until < asked.until {
        let what = "is locked for less long than the configuration asks for: `revtrail retention extend` extends the lock";
        return values(Finding::incomplete(key, what));
    }
    match (asked.mode, lock.mode) {
        (RetentionMode::Compliance, RetentionMode::Governance) => values(Finding::incomplete(
            key,
            "is locked in governance mode, and the configuration asks for compliance mode",
        )),
        (RetentionMode::Governance, RetentionMode::Compliance) => values(Finding::note(
            key,
            "is locked in compliance mode, which is stronger than the configuration asks for",
        )),
        _ => None,
    }
}

/// Every version of an object is held while a case is open, and none otherwise.
fn judge_hold(object: &RecordObject, wanted: LegalHold, findings: &mut Vec<Finding>) {
    let mut heads = object.versions.iter().filter_map(|stored| stored.head.as_ref());
    if heads.all(|head| head.legal_hold == wanted) {
        return;
    }
    let key = object.key.to_string();
    findings.push(match wanted {
        LegalHold::On => Finding::incomplete(
            key,
            "is not held, though a legal hold on its log is open: run `revtrail hold place` for the case again",
        ),
        LegalHold::Off => Finding::note(
            key,
            "is held, though the record knows no open legal hold on its log: a release was cut off, or another tool set it",
        ),
    });
}

fn judge_checksum(object: &RecordObject, stored: &Stored) -> Option<Finding> {
    let head = stored.head.as_ref()?;
    if head.sha256.is_some() {
        return None;
    }
    let key = object.key.to_string();
    if usize::try_from(head.size_bytes).is_ok_and(|size| size <= PART_BYTES) {
        let what = "the store keeps no SHA-256 checksum of it: it was not written by revtrail as it is";
        return Some(Finding::incomplete(key, what));
    }
    let what = "was uploaded in parts, so the store keeps no SHA-256 of the whole; the record itself has one";
    Some(Finding::note(key, what))
}

#[cfg(test)]
mod tests;
