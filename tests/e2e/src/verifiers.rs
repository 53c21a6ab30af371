//! The other programs that judge a record: what they say must be what `revtrail verify` says.

use std::{collections::BTreeSet, path::Path, process::Command};

use serde_json::Value;

use crate::program::{Outcome, beside, run};

/// What a verifier is given: all of it from the auditor, but for the copy.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Directory of the ledger, named like it.
    pub copy: &'a Path,
    /// PEM file of the public key.
    pub key: &'a Path,
    /// Origin of the ledger.
    pub origin: &'a str,
    /// The moment as of which deadlines are judged.
    pub as_of: &'a str,
}

/// `revtrail-verify` on the copy.
///
/// # Panics
/// When it has not been built.
pub fn auditor(case: Case<'_>) -> Outcome {
    run(arguments(&mut Command::new(beside("revtrail-verify")), case))
}

fn arguments<'c>(command: &'c mut Command, case: Case<'_>) -> &'c mut Command {
    command
        .arg(case.copy)
        .arg("--key-file")
        .arg(case.key)
        .args(["--origin", case.origin, "--as-of", case.as_of])
        .args(["--output", "json"])
}

/// Says where the auditor's program differs from `revtrail verify`: exit code, report, any finding.
pub fn differs(main: &Outcome, auditor: &Outcome) -> Option<String> {
    let report = |outcome: &Outcome| {
        let mut report = outcome.json();
        // Said of the archive, not of the record.
        if let Some(members) = report.as_object_mut() {
            members.remove("write_protection");
        }
        report
    };
    if main.code != auditor.code {
        return Some(format!(
            "verify ended with {main:?}, revtrail-verify with {auditor:?}"
        ));
    }
    let (one, other) = (report(main), report(auditor));
    (one != other).then(|| format!("verify says {one:#}, revtrail-verify says {other:#}"))
}

/// Objects named in a report, with the severity.
pub fn named(report: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array();
    findings
        .into_iter()
        .flatten()
        .map(|finding| (text(&finding["severity"]), text(&finding["key"])))
        .collect()
}
