//! `verify`: the whole record, offline; with `--store` also what the bucket keeps of it.

mod store;

use std::sync::Arc;

use revtrail_archive::{Archive, ArchiveErrorKind, ObjectKey, Protection, custody};
use revtrail_evidence::{
    Policy, RecordSource, Report, SourceError, TrustPolicy, Verdict, VerifyError, check_stamps, judge_tips,
    proof::Refusal, timestamp::Authority, verify,
};
use revtrail_ledger::{Note, VerifierKey};
use revtrail_model::time::{Clock as _, Timestamp};
use revtrail_settings::Config;
use serde_json::{Map, Value, json};

use crate::{
    args::{Global, VerifyArgs},
    clock::SystemClock,
    exit::{Exit, Failure},
    keys::Keys,
    output::{Sheet, say},
    stamper::authority,
    times, wiring,
};

pub(crate) async fn run(global: &Global, args: &VerifyArgs) -> Result<Exit, Failure> {
    let config = Config::load(&global.config)?;
    let now = times::optional(args.as_of.as_ref())?.unwrap_or_else(|| SystemClock.now());
    let trusted = Trusted::load(&config, args)?;
    let archive = wiring::archive(&config).await?;
    let protection = archive.protection();
    let mut worst = Exit::Done;
    for (name, ledger) in wiring::ledgers(&config, &args.ledger)? {
        let (name, origin, trusted) = (name.clone(), ledger.origin.clone(), trusted.clone());
        let stored_name = name.clone();
        let source = Blocking {
            archive: Arc::clone(&archive),
            runtime: tokio::runtime::Handle::current(),
        };
        let ledger_name = name.to_string();
        let outcome = tokio::task::spawn_blocking(move || {
            let policy = Policy {
                ledger: name,
                origin,
                key: &|origin| trusted.key(origin),
                now,
            };
            let mut report = verify(&source, &policy)?;
            check_stamps(&source, &mut report, trusted.authority.as_ref())?;
            let judged = trusted.judge(&mut report, now);
            Ok((report, judged))
        });
        let (mut report, judged) = outcome
            .await
            .map_err(|error| Failure::new(Exit::Failed, error, None))?
            .map_err(cannot_judge)?;
        judged.map_err(refused)?;
        let store = if args.store {
            let failed = |failure: Failure| failure.at_archive(&config.archive, config.endpoint_url.as_ref());
            let holdings = custody::holdings(archive.as_ref(), &stored_name)
                .await
                .map_err(|error| failed(error.into()))?;
            Some(store::judge(&config, ledger, &holdings, &mut report))
        } else {
            None
        };
        show(global, &ledger_name, (&report, store), protection)?;
        worst = worse(worst, exit_of(report.verdict()));
    }
    Ok(worst)
}

/// Where the verifier's keys come from.
#[derive(Clone)]
struct Trusted {
    keys: Source,
    copies: Vec<Note>,
    /// Who is believed about time.
    authority: Option<Authority>,
}

#[derive(Clone)]
enum Source {
    Config(Arc<Keys>),
    Policy(Arc<TrustPolicy>),
}

impl Trusted {
    fn load(config: &Config, args: &VerifyArgs) -> Result<Self, Failure> {
        let keys = match &args.policy {
            Some(path) => Source::Policy(Arc::new(super::prove::load_policy(path)?)),
            None => Source::Config(Keys::load(config)?),
        };
        let copies = super::prove::read_copies(&args.cosigned)?;
        let authority = match (&keys, &config.timestamps) {
            (Source::Policy(policy), _) => policy.authority().cloned(),
            (Source::Config(_), Some(timestamps)) => Some(authority(&timestamps.ca_file)?),
            (Source::Config(_), None) => None,
        };
        Ok(Self {
            keys,
            copies,
            authority,
        })
    }

    fn key(&self, origin: &str) -> Option<VerifierKey> {
        match &self.keys {
            Source::Config(keys) => keys.verifier(origin),
            Source::Policy(policy) => policy.log(origin).map(|log| log.key.clone()),
        }
    }

    /// Compares cosigned copies with the record, and asks for what the policy requires.
    fn judge(&self, report: &mut Report, now: Timestamp) -> Result<(), Refusal> {
        let none = TrustPolicy::default();
        let policy = match &self.keys {
            Source::Config(_) => &none,
            Source::Policy(policy) => policy.as_ref(),
        };
        judge_tips(report, policy, &self.copies, now)
    }
}

fn refused(refusal: Refusal) -> Failure {
    let hint = "give copies of the newest checkpoint that a trusted cosigner signed in time (--cosigned)";
    let exit = super::prove::exit_of(&refusal);
    Failure::new(exit, refusal, Some(hint.into()))
}

fn cannot_judge(error: VerifyError) -> Failure {
    let exit = match &error {
        VerifyError::NoKey(_) => Exit::CannotJudge,
        _ => Exit::Failed,
    };
    let hint = match exit {
        Exit::CannotJudge => "name the log and its key in the policy file",
        _ => "check the archive url and that this machine can read it",
    };
    Failure::new(exit, error, Some(hint.into()))
}

fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Sound => Exit::Done,
        Verdict::Incomplete => Exit::Incomplete,
        Verdict::Contradicted => Exit::Contradiction,
    }
}

/// A contradiction outweighs a missing end.
fn worse(a: Exit, b: Exit) -> Exit {
    if a == Exit::Contradiction || b == Exit::Done {
        a
    } else {
        b
    }
}

fn show(
    global: &Global,
    ledger: &str,
    (report, store): (&Report, Option<String>),
    protection: Protection,
) -> Result<(), Failure> {
    let protection = match protection {
        Protection::ObjectLock { mode } => format!("S3 Object Lock ({mode})"),
        Protection::None => {
            "none: whoever can write to this directory can delete or replace the record as a whole".to_owned()
        }
    };
    let mut facts = report.facts(ledger);
    facts.push(("write_protection", json!(protection)));
    let mut about = Map::new();
    about.extend(facts.into_iter().map(|(name, value)| (name.to_owned(), value)));
    if let Some(store) = store {
        about.insert("store".into(), json!(store));
    }
    let rows: Vec<Vec<Value>> = report
        .findings
        .iter()
        .map(|finding| {
            vec![
                json!(finding.severity),
                json!(finding.key),
                json!(finding.what),
                json!(finding.expected),
                json!(finding.actual),
            ]
        })
        .collect();
    let empty = rows.is_empty();
    let sheet = Sheet {
        columns: vec!["severity", "key", "what", "expected", "actual"],
        rows,
        about,
        name: "findings",
    };
    if empty && global.output == crate::args::Output::Table {
        sheet.remarks();
        say("no findings");
        return Ok(());
    }
    sheet.print(global.output)
}

/// The archive as the verifier reads it: from a thread that may wait.
struct Blocking {
    archive: Arc<dyn Archive>,
    runtime: tokio::runtime::Handle,
}

impl RecordSource for Blocking {
    fn keys(&self, prefix: &str) -> Result<Vec<String>, SourceError> {
        let failed = |error| SourceError {
            key: prefix.to_owned(),
            source: Box::new(error),
        };
        let (mut keys, mut after): (Vec<String>, Option<ObjectKey>) = (Vec::new(), None);
        loop {
            let page = self
                .runtime
                .block_on(self.archive.list(prefix, after.as_ref()))
                .map_err(failed)?;
            keys.extend(page.keys.iter().map(ToString::to_string));
            keys.extend(page.foreign.iter().cloned());
            match page.keys.last() {
                Some(last) if page.more => after = Some(last.clone()),
                _ => return Ok(keys),
            }
        }
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let failed = |error| SourceError {
            key: key.to_owned(),
            source: Box::new(error),
        };
        let name: ObjectKey = key.parse().map_err(failed)?;
        match self.runtime.block_on(self.archive.read(&name)) {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(error) if error.kind() == ArchiveErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}
