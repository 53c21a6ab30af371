//! The newest checkpoint of each log, judged by a policy: is the key still trusted, have enough cosigners seen it, and does the record
//! hold what they saw?

use std::collections::BTreeMap;

use revtrail_ledger::{Checkpoint, Note, VerifiedSignature};
use revtrail_model::{sha256, time::Timestamp};

use crate::{
    finding::{CheckedLog, Finding, Report},
    proof::Refusal,
    trust::{TrustPolicy, TrustedLog},
};

/// Judges the newest checkpoint of each log of a report with copies that others cosigned. What contradicts or lacks something is added to
/// the findings; a key that can no longer be trusted is a refusal, for then the record cannot be judged at all.
pub fn judge_tips(
    report: &mut Report,
    policy: &TrustPolicy,
    copies: &[Note],
    now: Timestamp,
) -> Result<(), Refusal> {
    let mut findings = Vec::new();
    for log in &report.checked {
        judge_log(log, policy, copies, now, &mut findings)?;
    }
    report.findings.append(&mut findings);
    Ok(())
}

fn judge_log(
    log: &CheckedLog,
    policy: &TrustPolicy,
    copies: &[Note],
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Result<(), Refusal> {
    let Some((tip, _)) = log.texts.last_key_value() else {
        return Ok(());
    };
    // A key that was announced by the log before has no end of its own.
    let announced = TrustedLog {
        key: log.key.clone(),
        valid_until: None,
    };
    let trusted = policy.log(&log.origin).unwrap_or(&announced);
    let mut seen: BTreeMap<u64, Vec<VerifiedSignature<'_>>> = BTreeMap::new();
    for copy in copies {
        match read_copy(log, policy, trusted, copy) {
            Ok(Some((size, signatures))) => seen.entry(size).or_default().extend(signatures),
            Ok(None) => {}
            Err(finding) => findings.push(*finding),
        }
    }
    let at_tip = seen.get(tip).map(Vec::as_slice).unwrap_or_default();
    let Err(refusal) = policy.judge(trusted, at_tip, now) else {
        return Ok(());
    };
    let attested = seen
        .iter()
        .rev()
        .find(|(_, signatures)| policy.judge(trusted, signatures, now).is_ok());
    let how_far = attested.map_or(String::new(), |(size, _)| {
        format!(" (up to {size} of {tip} leaves, the log is attested)")
    });
    match refusal {
        Refusal::Incomplete(what) => {
            findings.push(Finding::incomplete(
                log.prefix.clone(),
                format!("{what}{how_far}"),
            ));
            Ok(())
        }
        // A trusted authority that saw the checkpoint in time is as good as a cosigner.
        Refusal::CannotJudge(_) if is_stamped_in_time(log, trusted, *tip) => Ok(()),
        Refusal::CannotJudge(what) => Err(Refusal::CannotJudge(format!("{what}{how_far}"))),
        Refusal::Contradiction(what) => Err(Refusal::Contradiction(what)),
    }
}

fn is_stamped_in_time(log: &CheckedLog, trusted: &TrustedLog, size: u64) -> bool {
    let (stamped, until) = (log.stamped.get(&size), trusted.valid_until);
    stamped.zip(until).is_some_and(|(at, until)| *at <= until)
}

type Copy<'p> = (u64, Vec<VerifiedSignature<'p>>);

/// Tree size and cosignatures of a copy that is of this log and stands in it.
fn read_copy<'p>(
    log: &CheckedLog,
    policy: &'p TrustPolicy,
    trusted: &'p TrustedLog,
    copy: &Note,
) -> Result<Option<Copy<'p>>, Box<Finding>> {
    let Ok(claimed) = Checkpoint::parse(copy.text()) else {
        return Ok(None);
    };
    if claimed.origin.as_str() != log.origin {
        return Ok(None);
    }
    let (size, root) = (claimed.size.leaves(), claimed.root);
    let finding = |finding: Finding, what: &str| {
        let shown = format!("size {size} root {root}");
        Err(Box::new(finding.values(shown, what)))
    };
    let signatures = match Checkpoint::verify(copy, &trusted.key, policy.cosigners()) {
        Ok((_, signatures)) => signatures,
        Err(error) => {
            let what = "a cosigned copy of a checkpoint is not signed as it says";
            let wrong = Finding::contradiction(log.prefix.clone(), what);
            return finding(wrong, &error.to_string());
        }
    };
    if log.texts.last_key_value().is_some_and(|(tip, _)| size > *tip) {
        let what = "a cosigned copy is of a larger tree: the end of the log is missing";
        return finding(
            Finding::incomplete(log.prefix.clone(), what),
            "no such checkpoint",
        );
    }
    match log.texts.get(&size) {
        Some(text) if *text == sha256(copy.text().as_bytes()) => Ok(Some((size, signatures))),
        _ => {
            let what = "a cosigned copy of a checkpoint is not in the record: the log was forked";
            let wrong = Finding::contradiction(log.prefix.clone(), what);
            finding(wrong, "another checkpoint, or none of this size")
        }
    }
}
