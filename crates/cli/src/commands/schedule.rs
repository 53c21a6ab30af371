//! `schedule`: harvest each ledger when its cron expression says so.

use std::time::Duration;

use revtrail_model::{
    id::LedgerName,
    time::{Clock as _, Timestamp, millis_between},
};
use revtrail_settings::{Config, Ledger};

use crate::{
    args::{Global, LedgerArg},
    clock::SystemClock,
    commands::harvest,
    exit::{Exit, Failure},
    output::say,
    wiring,
};

/// Longest single sleep: a clock that is set while we sleep is noticed within this time.
const NAP: Duration = Duration::from_secs(30);

pub(crate) async fn run(global: &Global, args: &LedgerArg) -> Result<Exit, Failure> {
    let config = Config::load(&global.config)?;
    let ledgers = wiring::ledgers(&config, args)?;
    loop {
        let now = SystemClock.now();
        let Some((due, at)) = next(&ledgers, now) else {
            return Err(Failure::usage(
                "no ledger has a due moment left",
                "check ledgers.*.schedule",
            ));
        };
        tracing::info!(ledger = %due.0, due = %at, "waiting for the next harvest");
        tokio::select! {
            () = sleep_until(at) => {}
            outcome = tokio::signal::ctrl_c() => return outcome.map(|()| Exit::Done).map_err(Failure::from),
        }
        if let Err(failure) = harvest::once(global, &config, due, harvest::Listing::WhenDue).await {
            say(&format!("ledger {}: {}", due.0, failure.render()));
        }
    }
}

type Due<'a> = (&'a LedgerName, &'a Ledger);

fn next<'a>(ledgers: &[Due<'a>], now: Timestamp) -> Option<(Due<'a>, Timestamp)> {
    ledgers
        .iter()
        .filter_map(|ledger| Some((*ledger, ledger.1.schedule.next_after(now)?)))
        .min_by_key(|(_, at)| *at)
}

async fn sleep_until(at: Timestamp) {
    while let Ok(left) = u64::try_from(millis_between(SystemClock.now(), at))
        && left > 0
    {
        tokio::time::sleep(Duration::from_millis(left).min(NAP)).await;
    }
}
