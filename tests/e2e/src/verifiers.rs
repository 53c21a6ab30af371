//! The other programs that judge a record: what they say must be what `revtrail verify` says.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

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

/// `docs/verify.py` on the copy; nothing where Python or a zstd for it is missing. `REVTRAIL_TEST_PYTHON` names the interpreter.
pub fn script(case: Case<'_>) -> Option<Outcome> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let python = env::var_os("REVTRAIL_TEST_PYTHON").map_or("python3".into(), PathBuf::from);
        let usable = Command::new(&python).arg(file()).arg("--zstd").output();
        usable.is_ok_and(|out| out.status.success()).then_some(python)
    });
    let mut command = Command::new(python.as_ref()?);
    Some(run(arguments(command.arg(file()), case)))
}

/// The Python script.
fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify.py")
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

/// Says where the Python script differs from `revtrail verify`: exit code, verdict, objects named. It words its findings otherwise, and
/// may find more or fewer about one object.
pub fn script_differs(main: &Outcome, script: &Outcome) -> Option<String> {
    if main.code != script.code {
        return Some(format!("verify ended with {main:?}, verify.py with {script:?}"));
    }
    let (one, other) = (main.json(), script.json());
    let agree = one["verdict"] == other["verdict"] && named(&one) == named(&other);
    (!agree).then(|| format!("verify says {one:#}, verify.py says {other:#}"))
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
