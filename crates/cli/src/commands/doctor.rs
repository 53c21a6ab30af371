//! `doctor`: whether a harvest would work, asked without writing anything.

mod folders;
mod local;
mod remedy;
mod retention;

use revtrail_evidence::visible;
use revtrail_model::time::{Timestamp, millis_between};
use revtrail_settings::{Config, SettingsError};
use serde_json::{Map, Value, json};

use crate::{
    args::{Global, LedgerArg, Output},
    exit::{Exit, Failure},
    output::Sheet,
    wiring,
};

/// A difference of clocks that is worth a word. Answers carry whole seconds and travel a while.
const CLOCK_TOLERANCE_MS: i64 = 60_000;

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Pass,
    /// It works, but something is lost or weaker than it could be.
    Warn {
        hint: String,
    },
    Fail {
        hint: String,
        exit: Exit,
    },
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    name: &'static str,
    /// Account, folder or file it is about.
    about: String,
    verdict: Verdict,
    found: String,
    /// What was measured, in numbers, for programs.
    measured: Value,
}

impl Check {
    fn new(name: &'static str, about: impl Into<String>, verdict: Verdict, found: impl Into<String>) -> Self {
        Self {
            name,
            about: about.into(),
            verdict,
            found: found.into(),
            measured: Value::Null,
        }
    }

    fn with(mut self, measured: Value) -> Self {
        self.measured = measured;
        self
    }

    fn pass(name: &'static str, about: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(name, about, Verdict::Pass, found)
    }

    fn warn(name: &'static str, about: impl Into<String>, found: impl Into<String>, hint: &str) -> Self {
        let verdict = Verdict::Warn {
            hint: hint.to_owned(),
        };
        Self::new(name, about, verdict, found)
    }

    fn fail(name: &'static str, about: impl Into<String>, failure: &Failure) -> Self {
        let causes: Vec<String> = failure.error.chain().map(ToString::to_string).collect();
        let verdict = Verdict::Fail {
            hint: failure.hint.clone().unwrap_or_default(),
            exit: failure.exit,
        };
        Self::new(name, about, verdict, causes.join(": "))
    }

    /// The cells of [`columns`].
    fn row(&self, output: Output) -> Vec<Value> {
        let (word, hint) = match &self.verdict {
            Verdict::Pass => ("pass", ""),
            Verdict::Warn { hint } => ("warn", hint.as_str()),
            Verdict::Fail { hint, .. } => ("fail", hint.as_str()),
        };
        let hint = if hint.is_empty() { Value::Null } else { json!(hint) };
        let mut row = vec![
            json!(self.name),
            json!(visible(&self.about)),
            json!(word),
            json!(visible(&self.found)),
            hint,
        ];
        if output != Output::Table {
            row.push(self.measured.clone());
        }
        row
    }
}

/// People read what was measured in words.
fn columns(output: Output) -> Vec<&'static str> {
    let mut columns = vec!["check", "about", "result", "found", "hint"];
    if output != Output::Table {
        columns.push("measured");
    }
    columns
}

pub(crate) async fn run(global: &Global, args: &LedgerArg) -> Result<Exit, Failure> {
    let checks = match Config::load(&global.config) {
        Ok(config) => examine(global, &config, args).await?,
        Err(error) => vec![unreadable(global, error)],
    };
    let exit = exit_of(&checks);
    Sheet {
        columns: columns(global.output),
        rows: checks.iter().map(|check| check.row(global.output)).collect(),
        about: Map::from_iter([("ok".to_owned(), json!(exit == Exit::Done))]),
        name: "checks",
    }
    .print(global.output)?;
    Ok(exit)
}

fn unreadable(global: &Global, error: SettingsError) -> Check {
    Check::fail(
        "configuration",
        global.config.display().to_string(),
        &Failure::from(error),
    )
}

async fn examine(global: &Global, config: &Config, args: &LedgerArg) -> Result<Vec<Check>, Failure> {
    let ledgers = wiring::ledgers(config, args)?;
    let folders: usize = ledgers.iter().map(|(_, ledger)| ledger.folders.len()).sum();
    let found = format!("{} ledgers, {folders} folders", ledgers.len());
    let mut checks = vec![Check::pass(
        "configuration",
        global.config.display().to_string(),
        found,
    )];
    checks.extend(local::keys(config, &ledgers));
    checks.extend(local::archive(config, &ledgers).await);
    checks.extend(folders::examine(config, &ledgers).await);
    Ok(checks)
}

/// What must be mended by hand outweighs what may pass by itself.
fn exit_of(checks: &[Check]) -> Exit {
    let failed = |wanted: Exit| {
        checks
            .iter()
            .any(|check| matches!(&check.verdict, Verdict::Fail { exit, .. } if *exit == wanted))
    };
    [Exit::Contradiction, Exit::Usage, Exit::CannotJudge, Exit::Failed]
        .into_iter()
        .find(|exit| failed(*exit))
        .unwrap_or(Exit::Done)
}

/// Our clock against another's.
fn clock(about: impl Into<String>, ours: Timestamp, theirs: Timestamp) -> Check {
    let ahead_ms = millis_between(theirs, ours);
    let found = format!("this machine is {} s ahead", ahead_ms / 1000);
    if ahead_ms.abs() <= CLOCK_TOLERANCE_MS {
        return Check::pass("clock", about, found);
    }
    Check::warn(
        "clock",
        about,
        found,
        "synchronise this machine's clock: times of observation and signed log-ins depend on it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(exit: Exit) -> Check {
        let verdict = Verdict::Fail {
            hint: "h".into(),
            exit,
        };
        Check::new("c", "a", verdict, "f")
    }

    #[test]
    fn what_must_be_mended_by_hand_decides_the_exit_code() {
        let pass = || Check::pass("c", "a", "f");
        assert_eq!(exit_of(&[pass()]), Exit::Done);
        assert_eq!(
            exit_of(&[pass(), failed(Exit::Failed), failed(Exit::Usage)]),
            Exit::Usage
        );
        assert_eq!(
            exit_of(&[failed(Exit::Failed), failed(Exit::CannotJudge)]),
            Exit::CannotJudge
        );
        // A record that contradicts itself outweighs everything.
        assert_eq!(
            exit_of(&[failed(Exit::Usage), failed(Exit::Contradiction)]),
            Exit::Contradiction
        );
    }

    #[test]
    fn clocks_may_differ_a_little() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let noon = at("2026-11-21T12:00:00Z");
        assert_eq!(
            clock("a", noon, at("2026-11-21T12:00:59Z")).verdict,
            Verdict::Pass
        );
        let late = clock("a", noon, at("2026-11-21T11:58:30Z"));
        assert_eq!(late.found, "this machine is 90 s ahead");
        assert!(matches!(late.verdict, Verdict::Warn { .. }));
    }
}
