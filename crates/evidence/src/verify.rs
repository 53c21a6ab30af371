//! A whole ledger: its logs, year by year, and the joints between them.

use revtrail_ledger::{Algorithm, VerifierKey};
use revtrail_model::{id::LedgerName, layout::LogName, leaf::PreviousLog, time::Timestamp};

use crate::{
    finding::{Finding, Report},
    log::{Inherited, LogCheck},
    source::{RecordSource, SourceError},
};

/// What the verifier trusts and expects. It comes from the auditor, never from the archive.
pub struct Policy<'a> {
    /// The ledger.
    pub ledger: LedgerName,
    /// Its origin.
    pub origin: String,
    /// Verifier key of a log, by its origin line.
    pub key: &'a dyn Fn(&str) -> Option<VerifierKey>,
    /// The present moment, for deadlines.
    pub now: Timestamp,
}

/// Why nothing could be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The source failed.
    #[error("record could not be read")]
    Source(#[from] SourceError),
    /// There is no key for a log.
    #[error("no trusted key for origin {0}")]
    NoKey(String),
}

/// Checks every log of the ledger.
pub fn verify(source: &dyn RecordSource, policy: &Policy<'_>) -> Result<Report, VerifyError> {
    let mut report = Report::default();
    let keys = source.keys(&format!("{}/", policy.ledger))?;
    let (mut previous, mut inherited): (Option<End>, Inherited) = (None, Inherited::default());
    let mut views = Vec::new();
    for name in years(&keys, &policy.ledger) {
        let origin = name.origin(&policy.origin);
        let key = match (policy.key)(&origin) {
            Some(key) => key,
            None => announced(previous.as_ref(), &origin, &mut report)?,
        };
        let own: Vec<&String> = keys
            .iter()
            .filter(|key| key.starts_with(&name.prefix()))
            .collect();
        let check = LogCheck::new(source, &name, &origin, &key);
        let mut end = check.run(&own, &mut inherited, &mut report)?;
        views.append(&mut end.views);
        joint(previous.as_ref(), &end, &mut report);
        report.logs += 1;
        previous = Some(end);
    }
    report.open_holds = inherited.holds.open;
    inherited.annotated.finish(source, &mut report)?;
    inherited.raws.finish(source, &mut report)?;
    match previous {
        Some(end) => last_log(&end, policy, &mut report),
        None => report.findings.push(Finding::incomplete(
            policy.ledger.to_string(),
            "the archive holds no log of this ledger",
        )),
    }
    // The record first, what is derived from it after.
    report.findings.append(&mut views);
    Ok(report)
}

/// The key that the close leaf of the log before announces, for a log that the verifier has no key for: whoever trusts that log's key
/// trusts what it signed.
fn announced(before: Option<&End>, origin: &str, report: &mut Report) -> Result<VerifierKey, VerifyError> {
    let key = before
        .filter(|end| end.next_origin.as_deref() == Some(origin))
        .and_then(|end| end.next_key.as_ref()?.parse::<VerifierKey>().ok())
        .filter(|key| key.name().as_str() == origin && key.algorithm() == Algorithm::Ed25519)
        .ok_or_else(|| VerifyError::NoKey(origin.to_owned()))?;
    let what = format!(
        "there is no trusted key for this log; it is checked with the one that the log before announces, {key}"
    );
    report.findings.push(Finding::note(origin, what));
    Ok(key)
}

/// How a log ends, as far as the next one must agree.
pub(crate) struct End {
    /// Prefix of the log.
    pub(crate) prefix: String,
    /// Its final checkpoint, if it has one.
    pub(crate) tip: Option<PreviousLog>,
    /// What its genesis leaf says of the log before.
    pub(crate) previous: Option<PreviousLog>,
    /// Its first snapshot, and so that leaf, could be judged.
    pub(crate) begins: bool,
    /// It was closed; unknown when its last snapshots could not be judged.
    pub(crate) closed: Option<bool>,
    /// Key that it was checked with.
    pub(crate) key: VerifierKey,
    /// Verifier key of the log its close leaf names.
    pub(crate) next_key: Option<String>,
    /// Origin of the log its close leaf names.
    pub(crate) next_origin: Option<String>,
    /// Origin of this log.
    pub(crate) origin: String,
    /// When the next snapshot was due.
    pub(crate) due: Option<Timestamp>,
    /// What is wrong with its tiles.
    pub(crate) views: Vec<Finding>,
}

fn years(keys: &[String], ledger: &LedgerName) -> Vec<LogName> {
    let mut years: Vec<i16> = keys
        .iter()
        .filter_map(|key| {
            key.strip_prefix(ledger.as_str())?
                .strip_prefix('/')?
                .split_once('/')
        })
        .filter_map(|(year, _)| {
            year.parse()
                .ok()
                .filter(|number: &i16| number.to_string() == year)
        })
        .collect();
    years.sort_unstable();
    years.dedup();
    years
        .into_iter()
        .map(|year| LogName {
            ledger: ledger.clone(),
            year,
        })
        .collect()
}

/// The genesis leaf of a log must name the final checkpoint of the log before, and that log must have been closed.
fn joint(before: Option<&End>, end: &End, report: &mut Report) {
    let Some(before) = before else {
        if end.previous.is_some() {
            let what = "the genesis leaf names a log before this one, and the archive does not hold it";
            report
                .findings
                .push(Finding::incomplete(end.prefix.clone(), what));
        }
        return;
    };
    if end.tip.is_none() {
        return;
    }
    if end.begins && end.previous != before.tip {
        let show = |log: &Option<PreviousLog>| {
            log.as_ref().map_or("none".to_owned(), |log| {
                format!("size {} root {}", log.size, log.root)
            })
        };
        let finding = Finding::contradiction(
            end.prefix.clone(),
            "the genesis leaf does not continue the final checkpoint of the log before",
        );
        report
            .findings
            .push(finding.values(show(&before.tip), show(&end.previous)));
    }
    if before.closed.is_none() {
        // Its last leaves are not known.
    } else if before.closed == Some(false) {
        report.findings.push(Finding::contradiction(
            before.prefix.clone(),
            "a later log exists, but this one was never closed",
        ));
    } else if before.next_origin.as_ref() != Some(&end.origin) {
        let finding = Finding::contradiction(
            before.prefix.clone(),
            "the close leaf names another log than the one that follows",
        );
        report
            .findings
            .push(finding.values(before.next_origin.clone().unwrap_or_default(), &end.origin));
    } else if before.next_key.as_deref() != Some(end.key.to_string().as_str()) {
        let finding = Finding::contradiction(
            end.prefix.clone(),
            "the key of this log is not the one that the close leaf of the log before announces",
        );
        report
            .findings
            .push(finding.values(before.next_key.clone().unwrap_or_default(), &end.key));
    }
}

/// The newest log must be open and up to date.
fn last_log(end: &End, policy: &Policy<'_>, report: &mut Report) {
    if end.closed == Some(true) {
        let next = end.next_origin.clone().unwrap_or_default();
        report.findings.push(Finding::incomplete(
            end.prefix.clone(),
            format!("the log was closed and the log that follows, {next}, is missing"),
        ));
    } else if let Some(due) = end.due.filter(|due| *due < policy.now) {
        let what = "the next snapshot is overdue: the harvest stopped, or the end of the log is missing";
        report.findings.push(
            Finding::incomplete(end.prefix.clone(), what)
                .values(format!("a snapshot by {due}"), format!("none by {}", policy.now)),
        );
    }
}
