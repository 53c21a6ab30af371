//! `hold`: legal holds by case, recorded in the log and set on the objects.

use std::{collections::BTreeMap, sync::Arc};

use revtrail_archive::Protection;
use revtrail_harvest::{
    RunPlan, Step,
    holds::{self, Order, Recorded, Settled},
    state::{OpenHold, OpenHolds},
};
use revtrail_model::{id::LedgerName, leaf::HoldAction};
use revtrail_query::{HoldRow, Record};
use revtrail_settings::{Config, Ledger};
use serde_json::{Map, Value, json};

use super::{answer::records, retention::chain};
use crate::{
    args::{Global, HoldArgs, HoldCommand, LedgerArg},
    exit::{Exit, Failure},
    output::{Sheet, say},
    wiring,
};

pub(crate) async fn run(global: &Global, command: &HoldCommand) -> Result<Exit, Failure> {
    match command {
        HoldCommand::Place(args) => order(global, args, HoldAction::Placed).await,
        HoldCommand::Release(args) => order(global, args, HoldAction::Released).await,
        HoldCommand::List(arg) => list(global, arg).await,
    }
}

async fn order(global: &Global, args: &HoldArgs, action: HoldAction) -> Result<Exit, Failure> {
    let order = checked(args, action)?;
    let config = Config::load(&global.config)?;
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for (name, ledger) in wiring::ledgers(&config, &args.ledger)? {
        let done = carry_out(global, &config, (name, ledger), &order)
            .await
            .map_err(|failure| failure.at_archive(&config.archive, config.endpoint_url.as_ref()))?;
        problems.extend(done.problems());
        rows.push(done.row(name, &order));
    }
    let exit = if problems.is_empty() {
        Exit::Done
    } else {
        say("hint: the order is recorded; run the same command again for the objects that failed");
        Exit::Failed
    };
    let mut about = Map::new();
    about.insert("failures".into(), Value::Array(problems));
    let columns = vec![
        "ledger",
        "case",
        "order",
        "held",
        "released",
        "unchanged",
        "failed",
        "log",
        "tree_size",
    ];
    Sheet {
        columns,
        rows,
        about,
        name: "ledgers",
    }
    .print(global.output)?;
    Ok(exit)
}

fn checked(args: &HoldArgs, action: HoldAction) -> Result<Order, Failure> {
    for (name, text) in [
        ("CASE", &args.case),
        ("--by", &args.by),
        ("--reason", &args.reason),
    ] {
        if text.trim().is_empty() {
            return Err(Failure::usage(
                format!("{name} is empty"),
                "say which case, who orders it, and why",
            ));
        }
    }
    Ok(Order {
        action,
        case: args.case.clone(),
        by: args.by.clone(),
        reason: args.reason.clone(),
        year: args.year,
    })
}

struct Done {
    recorded: Recorded,
    settled: Settled,
}

impl Done {
    fn problems(&self) -> impl Iterator<Item = Value> + '_ {
        let failed = self.settled.failed.iter();
        failed.map(|(key, error)| json!(format!("{key}: {}", chain(error))))
    }

    fn row(&self, ledger: &LedgerName, order: &Order) -> Vec<Value> {
        let (recorded, settled) = (&self.recorded, &self.settled);
        let told = if recorded.holds.is_empty() {
            "recorded before"
        } else {
            order.action.as_str()
        };
        vec![
            json!(ledger),
            json!(order.case),
            json!(told),
            json!(settled.held),
            json!(settled.released),
            json!(settled.unchanged),
            json!(settled.failed.len()),
            json!(recorded.log),
            json!(recorded.tree_size),
        ]
    }
}

async fn carry_out(
    global: &Global,
    config: &Config,
    (name, ledger): (&LedgerName, &Ledger),
    order: &Order,
) -> Result<Done, Failure> {
    // Nothing is read from providers, so their secrets need not be there.
    let bare = Ledger {
        folders: Vec::new(),
        ..ledger.clone()
    };
    let plan = wiring::run_plan(config, (name, &bare), Arc::new(|_: &Step| {})).await?;
    can_hold(config, &plan)?;
    let recorded = holds::record(&plan, order).await?;
    let released = match (order.action, recorded.holds.is_empty()) {
        (HoldAction::Placed, _) => OpenHolds::new(),
        (HoldAction::Released, false) => recorded.holds.clone(),
        (HoldAction::Released, true) => released_before(global, name, order).await?,
    };
    let settle = |open: OpenHolds| {
        let (plan, released) = (&plan, released.clone());
        async move { holds::settle(&plan.archive, name, (&open, &released)).await }
    };
    let mut settled = settle(recorded.open.clone()).await?;
    // A case that was opened meanwhile may have found objects held that this release then let go.
    let open = holds::open(&plan).await?;
    if open != recorded.open {
        let again = settle(open).await?;
        settled.held += again.held;
        settled.failed.extend(again.failed);
    }
    Ok(Done { recorded, settled })
}

/// Refuses an archive that cannot hold anything, before anything is recorded.
fn can_hold(config: &Config, plan: &RunPlan) -> Result<(), Failure> {
    match plan.archive.protection() {
        Protection::ObjectLock { .. } => Ok(()),
        Protection::None => Err(Failure::usage(
            format!("archive {} has no legal holds", config.archive),
            "legal holds are kept by S3 Object Lock only; whoever can write to a directory can delete what is there",
        )),
    }
}

/// Holds of the case that were released earlier: a release that was cut off is finished by repeating it.
async fn released_before(global: &Global, name: &LedgerName, order: &Order) -> Result<OpenHolds, Failure> {
    let arg = LedgerArg {
        ledger: Some(name.to_string()),
    };
    let read = records(global, &arg, &|_| false).await?;
    let of_case = |row: &&HoldRow| {
        let year = row.hold.year.map(|year| year.0);
        row.hold.action == HoldAction::Released
            && case(row) == Some(order.case.as_str())
            && order.year.is_none_or(|wanted| u64::try_from(wanted).ok() == year)
    };
    let found: OpenHolds = read
        .iter()
        .flat_map(|(_, record)| record.holds.iter().filter(of_case))
        .map(|row| {
            let hold = OpenHold {
                case: order.case.clone(),
                year: row.hold.year,
            };
            (row.hold.hold_id.clone(), hold)
        })
        .collect();
    if found.is_empty() {
        return Err(Failure::usage(
            format!("ledger {name} has no hold of case {:?}", order.case),
            "`revtrail hold list` shows the cases; a hold is released for the year it was placed for",
        ));
    }
    Ok(found)
}

fn case(row: &HoldRow) -> Option<&str> {
    row.opened.case.as_ref().map(|case| case.name.as_str())
}

async fn list(global: &Global, arg: &LedgerArg) -> Result<Exit, Failure> {
    let read = records(global, arg, &|_| false).await?;
    let rows = read
        .iter()
        .flat_map(|(ledger, record)| holds_of(ledger, record))
        .collect();
    Sheet {
        columns: vec![
            "ledger",
            "case",
            "year",
            "state",
            "placed_at",
            "placed_by",
            "reason",
            "released_at",
            "released_by",
            "release_reason",
            "placed_leaf",
            "released_leaf",
            "hold_id",
        ],
        rows,
        about: Map::new(),
        name: "holds",
    }
    .print(global.output)?;
    Ok(Exit::Done)
}

/// One row per hold, in the order of placing.
fn holds_of(ledger: &LedgerName, record: &Record) -> Vec<Vec<Value>> {
    let of = |action| record.holds.iter().filter(move |row| row.hold.action == action);
    let ended: BTreeMap<_, &HoldRow> = of(HoldAction::Released)
        .map(|row| (row.hold.hold_id.clone(), row))
        .collect();
    let by = |row: &HoldRow| row.opened.actor.as_ref().and_then(|actor| actor.name.clone());
    let why = |row: &HoldRow| row.opened.reason.as_ref().map(|reason| reason.text.clone());
    let leaf = |row: &HoldRow| format!("{}#{}", row.year, row.index);
    of(HoldAction::Placed)
        .map(|placed| {
            let released = ended.get(&placed.hold.hold_id).copied();
            vec![
                json!(ledger),
                json!(case(placed)),
                json!(placed.hold.year.map_or("all".to_owned(), |year| year.to_string())),
                json!(if released.is_some() { "released" } else { "open" }),
                json!(placed.hold.at),
                json!(by(placed)),
                json!(why(placed)),
                json!(released.map(|row| row.hold.at)),
                json!(released.and_then(by)),
                json!(released.and_then(why)),
                json!(leaf(placed)),
                json!(released.map(leaf)),
                json!(placed.hold.hold_id),
            ]
        })
        .collect()
}
