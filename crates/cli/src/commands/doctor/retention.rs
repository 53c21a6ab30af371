//! How long the provider keeps revisions, as the newest windows measured, beside the time between two harvests. The rule is the harvest's.

use std::sync::Arc;

use revtrail_archive::Archive;
use revtrail_harvest::{
    Nearness,
    retention::{interval_ms, period_ms},
};
use revtrail_model::{
    id::{FolderName, LedgerName},
    leaf::WindowLeaf,
    time::Clock as _,
};
use revtrail_settings::{Config, Ledger};
use serde_json::json;

use super::Check;
use crate::{clock::SystemClock, commands::answer::reader, exit::Failure, keys::Keys};

/// Snapshots looked through.
const SNAPSHOTS: usize = 30;

/// What is done where too little is kept.
const REMEDY: &str = "harvest more often, or have the provider keep more: one look missed, and revisions may be gone unseen (docs/operator-guide.md, section 9)";

pub(super) async fn examine(
    config: &Config,
    archive: &Arc<dyn Archive>,
    (name, ledger): (&LedgerName, &Ledger),
) -> Vec<Check> {
    // Keys that cannot be read have a check of their own.
    let Ok(keys) = Keys::load(config) else {
        return Vec::new();
    };
    let reader = reader(
        archive,
        (name, ledger),
        Arc::new(move |origin| keys.verifier(origin)),
    );
    let windows = match reader.newest_windows(SNAPSHOTS).await {
        Ok(windows) => windows,
        Err(error) => return vec![Check::fail("retention", name.as_str(), &Failure::from(error))],
    };
    let now = SystemClock.now();
    let period_ms = period_ms(now, |after| ledger.schedule.deadline_after(after));
    let checks = ledger.folders.iter().map(|folder| {
        let own = windows.iter().map(|row| &row.window);
        let own: Vec<&WindowLeaf> = own.filter(|window| window.folder == folder.name).collect();
        check((name, &folder.name), &own, period_ms)
    });
    checks.collect()
}

/// Judges one folder by its newest windows, the newest first.
fn check((ledger, folder): (&LedgerName, &FolderName), windows: &[&WindowLeaf], period_ms: i64) -> Check {
    let about = format!("{ledger}/{folder}");
    let measured = windows
        .iter()
        .filter_map(|window| Nearness::of(window, period_ms));
    let Some(nearest) = measured.min_by(Nearness::nearest) else {
        let interval = windows
            .first()
            .map_or(period_ms, |window| interval_ms(window, period_ms));
        let found = format!(
            "nothing was measured yet: {} windows, no list of revisions among them that begins late; {} between two harvests",
            windows.len(),
            lasting(interval)
        );
        let measure = json!({ "interval_ms": interval, "windows": windows.len() });
        return Check::pass("retention", about, found).with(measure);
    };
    let found = format!(
        "some file's revisions are kept for {}, {} of them at most, and {} lie between two harvests ({} windows)",
        lasting(nearest.kept_ms),
        nearest.most,
        lasting(nearest.interval_ms),
        windows.len()
    );
    let measure = json!({
        "interval_ms": nearest.interval_ms,
        "kept_ms": nearest.kept_ms,
        "most": nearest.most,
        "windows": windows.len(),
    });
    let check = if nearest.is_near() {
        Check::warn("retention", about, found, REMEDY)
    } else {
        Check::pass("retention", about, found)
    };
    check.with(measure)
}

/// Units of a stretch of time, seconds.
const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];

/// A stretch of time in its largest unit and the next, cut and not rounded.
fn lasting(ms: i64) -> String {
    let seconds = (ms / 1000).max(0);
    let largest = UNITS.iter().position(|(length, _)| seconds >= *length);
    let largest = largest.unwrap_or(UNITS.len() - 1);
    let counts = UNITS.iter().scan(seconds, |left, (length, unit)| {
        let count = *left / length;
        *left %= length;
        Some((count, unit))
    });
    let two = counts.skip(largest).take(2).enumerate();
    let told = two.filter(|(place, (count, _))| *place == 0 || *count > 0);
    let words: Vec<String> = told.map(|(_, (count, unit))| format!("{count} {unit}")).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_of_time_is_told_in_two_units() {
        for (ms, words) in [
            (0, "0 s"),
            (999, "0 s"),
            (59_000, "59 s"),
            (3_605_000, "1 h"),
            (100 * 60_000, "1 h 40 min"),
            (3 * 86_400_000 + 4 * 3_600_000 + 60_000, "3 d 4 h"),
            // Clocks apart.
            (-5_000, "0 s"),
        ] {
            assert_eq!(lasting(ms), words);
        }
    }
}
