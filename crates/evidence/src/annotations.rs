//! Annotations: each stands at the end of its snapshot, is of this ledger, is opened by the sidecar and names an event that is recorded.

use crate::{
    finding::{Finding, Report},
    load::{Leaves, Opened, Record},
    log::Carried,
};

/// Checks the annotations of a snapshot, whose events were taken before.
pub(crate) fn check(leaves: &Leaves, opened: Option<&Opened>, carried: &mut Carried, report: &mut Report) {
    let mut begun = false;
    for (index, record) in leaves.records.iter().enumerate() {
        let place = leaves.first + index as u64;
        let finding = |what: &str| {
            Finding::contradiction(leaves.key.as_str(), format!("annotation at leaf {place}: {what}"))
        };
        let Record::Annotation(annotation) = record else {
            if begun && !matches!(record, Record::Run(_)) {
                let what = format!("leaf {place} stands after an annotation");
                report
                    .findings
                    .push(Finding::contradiction(leaves.key.as_str(), what));
            }
            continue;
        };
        begun = true;
        report.annotations += 1;
        if !annotation.own_ledger {
            report.findings.push(finding("is of another ledger"));
        }
        if opened.is_some_and(|opened| opened.refused.contains(&index)) {
            report
                .findings
                .push(finding("the sidecar does not open its commitments"));
        }
    }
    carried.annotated.take(leaves);
}
