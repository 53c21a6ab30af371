//! `retention`: locks that last longer, never shorter.

use std::collections::BTreeMap;

use revtrail_archive::{
    Archive, Protection,
    custody::{self, Holdings, Target},
};
use revtrail_model::time::{Clock as _, Timestamp};
use revtrail_settings::{Config, Ledger};
use serde_json::{Map, Value, json};

use crate::{
    args::{ExtendArgs, Global, LedgerArg, RetentionCommand},
    clock::SystemClock,
    exit::{Exit, Failure},
    output::Sheet,
    times, wiring,
};

pub(crate) async fn run(global: &Global, command: &RetentionCommand) -> Result<Exit, Failure> {
    match command {
        RetentionCommand::Extend(args) => extend(global, args).await,
    }
}

async fn extend(global: &Global, args: &ExtendArgs) -> Result<Exit, Failure> {
    let config = Config::load(&global.config)?;
    let arg = LedgerArg {
        ledger: Some(args.ledger.clone()),
    };
    let until = moment(args)?;
    let archive = wiring::archive(&config).await?;
    can_lock(&config, archive.protection())?;
    let failed = |error: revtrail_archive::ArchiveError| {
        Failure::from(error).at_archive(&config.archive, config.endpoint_url.as_ref())
    };
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for (name, ledger) in wiring::ledgers(&config, &arg)? {
        let holdings = custody::holdings(archive.as_ref(), name).await.map_err(failed)?;
        for (log, plan) in plans(&holdings, args.year, (ledger, until)) {
            let done = if args.apply {
                plan.carry_out(archive.as_ref()).await
            } else {
                plan.untouched()
            };
            rows.push(done.row(&log));
            problems.extend(done.problems);
        }
    }
    if rows.is_empty() {
        return Err(Failure::usage(
            "there is no record object of that ledger and year",
            "check --ledger and --year",
        ));
    }
    let exit = if problems.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    };
    let mut about = Map::new();
    about.insert("dry_run".into(), json!(!args.apply));
    about.insert("failures".into(), Value::Array(problems));
    Sheet {
        columns: vec![
            "log",
            "until",
            "objects",
            "long_enough",
            "to_extend",
            "extended",
            "failed",
        ],
        rows,
        about,
        name: "logs",
    }
    .print(global.output)?;
    Ok(exit)
}

/// The moment of `--until`, which must be to come.
fn moment(args: &ExtendArgs) -> Result<Option<Timestamp>, Failure> {
    let until = times::optional(args.until.as_ref())?;
    if until.is_some_and(|until| until <= SystemClock.now()) {
        return Err(Failure::usage(
            "--until lies in the past",
            "give a moment to come; a lock cannot be shortened",
        ));
    }
    Ok(until)
}

/// Refuses an archive that cannot lock anything.
fn can_lock(config: &Config, protection: Protection) -> Result<(), Failure> {
    match protection {
        Protection::ObjectLock { .. } => Ok(()),
        Protection::None => Err(Failure::usage(
            format!("archive {} has no locks that could be extended", config.archive),
            "retention is kept by S3 Object Lock only; a directory has none",
        )),
    }
}

/// What is to be done about one log.
struct Plan {
    until: Option<Timestamp>,
    long_enough: usize,
    targets: Vec<Target>,
}

/// What came of it.
struct Done {
    plan: Plan,
    extended: usize,
    problems: Vec<Value>,
}

fn plans(
    holdings: &Holdings,
    year: Option<i16>,
    (ledger, until): (&Ledger, Option<Timestamp>),
) -> BTreeMap<String, Plan> {
    let mut plans: BTreeMap<String, Plan> = BTreeMap::new();
    for (object, target, head) in holdings.targets() {
        if year.is_some_and(|year| year != object.log.year) {
            continue;
        }
        let until = until.or_else(|| ledger.retention.after_year(object.log.year));
        let plan = plans.entry(object.log.to_string()).or_insert(Plan {
            until,
            long_enough: 0,
            targets: Vec::new(),
        });
        // A lock that lasts longer than asked for, for whatever reason, stays as it is.
        if head.retention.is_some_and(|lock| Some(lock.until) >= until) {
            plan.long_enough += 1;
        } else {
            plan.targets.push(target);
        }
    }
    plans
}

impl Plan {
    async fn carry_out(mut self, archive: &dyn Archive) -> Done {
        let (mut extended, mut problems) = (0, Vec::new());
        if let Some(until) = self.until {
            let targets = std::mem::take(&mut self.targets);
            for (target, outcome) in custody::lock(archive, targets, until).await {
                match outcome {
                    Ok(()) => extended += 1,
                    Err(error) => {
                        problems.push(json!(format!("{}: {}", target.key, chain(&error))));
                        self.targets.push(target);
                    }
                }
            }
        }
        Done {
            plan: self,
            extended,
            problems,
        }
    }

    fn untouched(self) -> Done {
        Done {
            plan: self,
            extended: 0,
            problems: Vec::new(),
        }
    }
}

impl Done {
    fn row(&self, log: &str) -> Vec<Value> {
        let (plan, left) = (&self.plan, self.plan.targets.len());
        vec![
            json!(log),
            json!(plan.until),
            json!(plan.long_enough + left + self.extended),
            json!(plan.long_enough),
            json!(left),
            json!(self.extended),
            json!(self.problems.len()),
        ]
    }
}

/// An error and its causes in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(below) = cause {
        text.push_str(": ");
        text.push_str(&below.to_string());
        cause = below.source();
    }
    text
}
