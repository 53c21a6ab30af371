//! A copy of a ledger: every check of `revtrail verify`.

use std::{fmt::Write as _, path::Path};

use revtrail_evidence::{
    Policy, RecordSource as _, Report, Severity, TrustPolicy, Verdict, VerifyError, check_stamps, judge_tips,
    verify, visible,
};
use revtrail_ledger::Note;
use revtrail_model::{
    id::LedgerName,
    layout::{Kind, LogName},
    time::Timestamp,
};
use serde_json::{Map, Value, json};

use crate::{
    args::{CopyArgs, Output},
    directory::Directory,
    keys::Trust,
    outcome::{Exit, Failure, as_of, print, say},
};

/// Version of the JSON document, that of `revtrail verify`.
const JSON_VERSION: u32 = 1;

pub(crate) fn run(args: &CopyArgs) -> Result<Exit, Failure> {
    let now = as_of(args.form.as_of.as_ref())?;
    let trust = Trust::new(args)?;
    let Some(dir) = &args.dir else {
        return Err(Failure::new(Exit::Usage, "no directory is named", "see --help"));
    };
    let place = Place::of(dir, args.ledger.as_deref())?;
    let source = Directory::new(dir, place.prefix());
    let policy = Policy {
        ledger: place.ledger.clone(),
        origin: trust.origin.clone(),
        key: &|origin| trust.key(origin),
        now,
    };
    let mut report = verify(&source, &policy).map_err(|error| cannot_judge(&error, dir))?;
    let authority = trust.policy.as_ref().and_then(TrustPolicy::authority);
    check_stamps(&source, &mut report, authority)
        .map_err(|error| cannot_judge(&VerifyError::Source(error), dir))?;
    if let Some(policy) = &trust.policy {
        cosigned(&source, policy, now, &mut report)?;
    }
    show(args.form.output, &place, &report)?;
    advise(args, &place, &report);
    Ok(report.verdict().into())
}

fn cannot_judge(error: &VerifyError, dir: &Path) -> Failure {
    let (exit, hint) = match error {
        VerifyError::NoKey(_) => (
            Exit::CannotJudge,
            "get the verifier key of that log from a source of your own, and add it",
        ),
        _ => (Exit::Failed, "check that the copy is whole and can be read"),
    };
    Failure::new(exit, format!("{} cannot be judged", dir.display()), hint).because(error)
}

/// What the directory is, by its name alone: what is in it must not decide how it is read.
struct Place {
    ledger: LedgerName,
    /// Set when the directory is that of one year.
    year: Option<i16>,
}

impl Place {
    fn of(dir: &Path, ledger: Option<&str>) -> Result<Self, Failure> {
        let path = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
        let own = name(&path);
        let year = own.as_ref().and_then(|name| {
            let year: i16 = name.parse().ok()?;
            (year.to_string() == *name).then_some(year)
        });
        let from_path = match year {
            Some(_) => path.parent().and_then(name),
            None => own,
        };
        match ledger.map(str::to_owned).or(from_path) {
            Some(ledger) => Ok(Self {
                ledger: ledger.as_str().into(),
                year,
            }),
            None => Err(Failure::new(
                Exit::Usage,
                format!("{} does not tell the name of the ledger", dir.display()),
                "add --ledger with the name of the ledger",
            )),
        }
    }

    fn prefix(&self) -> String {
        match self.year {
            Some(year) => self.log(year).prefix(),
            None => format!("{}/", self.ledger),
        }
    }

    fn log(&self, year: i16) -> LogName {
        LogName {
            ledger: self.ledger.clone(),
            year,
        }
    }
}

/// What the policy requires beyond keys: cosigners, and keys still trusted. Asked of the newest checkpoint of each log, whose tree
/// covers all before it; the cosignatures are those that the copy holds.
fn cosigned(
    source: &Directory,
    policy: &TrustPolicy,
    now: Timestamp,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut copies = Vec::new();
    for log in &report.checked {
        let prefix = format!("{}{}/", log.prefix, Kind::Checkpoint.directory());
        let failed = |error| cannot_judge(&VerifyError::Source(error), Path::new(&log.prefix));
        let Some(key) = source.keys(&prefix).map_err(failed)?.pop() else {
            continue;
        };
        // What is wrong with it was found already.
        if report.findings.iter().any(|finding| finding.key == key) {
            continue;
        }
        let note = source.read(&key).map_err(failed)?;
        copies.extend(note.and_then(|note| Note::parse(&note).ok()));
    }
    judge_tips(report, policy, &copies, now).map_err(|refusal| {
        let hint = "ask for the present key, or for a checkpoint that cosigners of your policy have signed";
        Failure::new(Exit::CannotJudge, refusal.to_string(), hint)
    })
}

fn show(output: Output, place: &Place, report: &Report) -> Result<(), Failure> {
    let mut facts = report.facts(place.ledger.as_str());
    facts.push((
        "write_protection",
        json!("none: this is a copy; it shows what the log says, not that nothing was withheld"),
    ));
    match output {
        Output::Table => print(&text(&facts, report)),
        Output::Json => {
            let mut document: Map<String, Value> = facts
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            document.insert("findings".into(), json!(report.findings));
            document.insert("version".into(), JSON_VERSION.into());
            print(&format!("{:#}\n", Value::Object(document)))
        }
    }
}

fn text(facts: &[(&str, Value)], report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Note => "note",
            Severity::Incomplete => "incomplete",
            Severity::Contradiction => "contradiction",
        };
        let _infallible = writeln!(out, "{severity} {}", visible(&finding.key));
        let values = [
            ("", Some(&finding.what)),
            ("expected ", finding.expected.as_ref()),
            ("found    ", finding.actual.as_ref()),
        ];
        for (name, value) in values {
            if let Some(value) = value {
                let _infallible = writeln!(out, "    {name}{}", visible(value));
            }
        }
    }
    if report.findings.is_empty() {
        out.push_str("no findings\n");
    }
    for (name, value) in facts {
        let value = match value {
            Value::Null => String::new(),
            Value::String(text) => visible(text),
            other => other.to_string(),
        };
        let _infallible = writeln!(out, "{name}: {value}");
    }
    out
}

/// What may be wrong with the call rather than with the record.
fn advise(args: &CopyArgs, place: &Place, report: &Report) {
    if report.logs == 0 {
        say("hint: DIR is the directory that holds the years of one ledger, or one year");
    } else if report.verdict() == Verdict::Contradicted && args.ledger.is_none() {
        say(&format!(
            "hint: the ledger is taken to be named {:?}, like the directory; add --ledger if that is not its name in the record",
            place.ledger.as_str()
        ));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use revtrail_evidence::Finding;

    use super::*;

    #[rstest]
    #[case::ledger("/audit/finance", None, "finance/")]
    #[case::ledger_renamed("/audit/copy", Some("finance"), "finance/")]
    #[case::slash("/audit/finance/", None, "finance/")]
    #[case::year("/audit/finance/2026", None, "finance/2026/")]
    #[case::year_renamed("/audit/copy/2026", Some("finance"), "finance/2026/")]
    #[case::not_a_year("/audit/02026", None, "02026/")]
    fn the_name_of_the_directory_says_what_it_is(
        #[case] dir: &str,
        #[case] ledger: Option<&str>,
        #[case] prefix: &str,
    ) {
        assert_eq!(Place::of(Path::new(dir), ledger).unwrap().prefix(), prefix);
    }

    #[test]
    fn a_directory_without_a_name_asks_for_one() {
        let failure = Place::of(Path::new("/"), None).err().unwrap();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.render().contains("--ledger"), "{}", failure.render());
    }

    #[test]
    fn hostile_names_are_made_visible() {
        let mut report = Report::default();
        report
            .findings
            .push(Finding::contradiction("main/\u{1b}[2J", "x").values("a", "b\nc"));
        let text = text(&report.facts("main"), &report);
        assert!(
            text.starts_with("contradiction main/\\u{1b}[2J\n    x\n    expected a\n    found    b\\u{a}c\n"),
            "{text}"
        );
        assert!(text.contains("\nverdict: contradicted\n"), "{text}");
    }
}
