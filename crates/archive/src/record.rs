//! Finding what a ledger's record consists of, whatever the archive is.

use revtrail_model::{
    id::LedgerName,
    layout::{Kind, LogName, ObjectName},
};

use crate::{Archive, ArchiveError, ObjectKey, PAGE_ENTRIES};

/// Years of a ledger's logs, oldest first.
pub async fn logs(archive: &dyn Archive, ledger: &LedgerName) -> Result<Vec<LogName>, ArchiveError> {
    let prefix = format!("{ledger}/");
    let mut found: Vec<LogName> = Vec::new();
    let mut after: Option<ObjectKey> = None;
    loop {
        let page = archive.list_up_to(1, &prefix, after.as_ref()).await?;
        let Some(key) = page.keys.first() else {
            return Ok(found);
        };
        let directory = key
            .as_str()
            .strip_prefix(&prefix)
            .and_then(|rest| rest.split('/').next())
            .unwrap_or_default();
        if let Ok(year) = directory.parse::<i16>()
            && year.to_string() == directory
        {
            found.push(LogName {
                ledger: ledger.clone(),
                year,
            });
        }
        // No object of ours sorts after `z…` in a directory, so this skips to the next one.
        after = Some(format!("{prefix}{directory}/zzzzzzzz").parse()?);
    }
}

/// Names of all record objects of one kind, in order.
pub async fn objects(
    archive: &dyn Archive,
    log: &LogName,
    kind: Kind,
) -> Result<Vec<(ObjectName, String)>, ArchiveError> {
    let prefix = log.directory(kind);
    let mut found = Vec::new();
    let mut after: Option<ObjectKey> = None;
    loop {
        let page = archive.list(&prefix, after.as_ref()).await?;
        for key in &page.keys {
            if let Some(name) = log.parse(key.as_str()) {
                found.push((name, key.to_string()));
            }
        }
        match page.keys.last() {
            Some(last) if page.more => after = Some(last.clone()),
            _ => return Ok(found),
        }
    }
}

/// Whether a log has come to a commit.
pub async fn has_checkpoint(archive: &dyn Archive, log: &LogName) -> Result<bool, ArchiveError> {
    let seen = Numbered::checkpoints(archive, log).above(1, None).await?;
    Ok(seen != Seen::Nothing)
}

/// Number of the newest checkpoint, found with a logarithmic number of listings.
///
/// Each listing asks whether anything stands above a number. That is so or not whatever is missing below it: a log with holes gives its
/// highest checkpoint, too.
pub async fn newest_checkpoint(archive: &dyn Archive, log: &LogName) -> Result<Option<u64>, ArchiveError> {
    Numbered::checkpoints(archive, log).newest().await
}

/// Number of the newest checkpoint that has a time stamp, found in the same way.
pub async fn newest_timestamp(archive: &dyn Archive, log: &LogName) -> Result<Option<u64>, ArchiveError> {
    let series = Series::Timestamps;
    Numbered { archive, log, series }.newest().await
}

/// Objects whose keys sort by their numbers.
#[derive(Clone, Copy)]
enum Series {
    Checkpoints,
    Timestamps,
}

struct Numbered<'a> {
    archive: &'a dyn Archive,
    log: &'a LogName,
    series: Series,
}

/// What stands above a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    /// This is the highest.
    Last(u64),
    /// This, and perhaps more.
    More(u64),
}

impl<'a> Numbered<'a> {
    fn checkpoints(archive: &'a dyn Archive, log: &'a LogName) -> Self {
        let series = Series::Checkpoints;
        Self { archive, log, series }
    }

    /// Gallops upwards from the first page, then halves what is left.
    async fn newest(&self) -> Result<Option<u64>, ArchiveError> {
        const PAGE: u64 = PAGE_ENTRIES as u64;
        let mut low = match self.above(PAGE_ENTRIES, None).await? {
            Seen::Nothing => return Ok(None),
            Seen::Last(highest) => return Ok(Some(highest)),
            Seen::More(highest) => highest,
        };
        // The next page first: few logs have more than two.
        let (mut step, mut high) = (0_u64, None);
        // Once nothing is known to stand above `high`, each listing halves what is between, down to what one page holds.
        while high.is_none_or(|high| high - low > PAGE) {
            let probe = match high {
                Some(high) => low + (high - low) / 2,
                None => low.saturating_add(step),
            };
            match self.above(PAGE_ENTRIES, Some(probe)).await? {
                Seen::Nothing => high = Some(probe),
                Seen::Last(highest) => return Ok(Some(highest)),
                Seen::More(highest) => low = highest,
            }
            step = step.saturating_mul(2).max(PAGE);
        }
        loop {
            match self.above(PAGE_ENTRIES, Some(low)).await? {
                Seen::Nothing => return Ok(Some(low)),
                Seen::Last(highest) => return Ok(Some(highest)),
                Seen::More(highest) => low = highest,
            }
        }
    }

    /// The end of the first page (of so many keys) above a number that holds any object of this series.
    async fn above(&self, most: usize, number: Option<u64>) -> Result<Seen, ArchiveError> {
        let prefix = match self.series {
            Series::Checkpoints => self.log.directory(Kind::Checkpoint),
            Series::Timestamps => self.log.timestamps(),
        };
        let mut after = number
            .map(|number| self.key(number).parse::<ObjectKey>())
            .transpose()?;
        loop {
            let page = self.archive.list_up_to(most, &prefix, after.as_ref()).await?;
            let numbers = page.keys.iter().filter_map(|key| self.number(key.as_str()));
            match (numbers.max(), page.more) {
                (Some(highest), true) => return Ok(Seen::More(highest)),
                (Some(highest), false) => return Ok(Seen::Last(highest)),
                (None, false) => return Ok(Seen::Nothing),
                // A page of nothing but foreign objects says nothing yet.
                (None, true) => after = page.keys.last().cloned(),
            }
        }
    }

    fn key(&self, number: u64) -> String {
        match self.series {
            Series::Checkpoints => self.log.checkpoint(number),
            Series::Timestamps => self.log.timestamp(number),
        }
    }

    fn number(&self, key: &str) -> Option<u64> {
        match self.series {
            Series::Checkpoints => self
                .log
                .parse(key)
                .filter(|name| name.kind == Kind::Checkpoint)
                .map(|name| name.seq),
            Series::Timestamps => self.log.parse_timestamp(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::MemoryArchive;

    fn log() -> LogName {
        LogName {
            ledger: "main".into(),
            year: 2026,
        }
    }

    async fn with(keys: impl IntoIterator<Item = String>) -> MemoryArchive {
        let archive = MemoryArchive::new();
        for key in keys {
            archive
                .create(&key.parse().unwrap(), "x".into(), None)
                .await
                .unwrap();
        }
        archive
    }

    #[tokio::test]
    async fn finds_the_newest_checkpoint_of_logs_of_any_length() {
        for count in [0, 1, 999, 1000, 1001, 2000, 2001, 3999, 9_001] {
            let archive = with((0..count).map(|seq| log().checkpoint(seq))).await;
            let newest = newest_checkpoint(&archive, &log()).await.unwrap();
            assert_eq!(newest, count.checked_sub(1), "{count}");
            assert_eq!(has_checkpoint(&archive, &log()).await.unwrap(), count > 0);
        }
    }

    #[tokio::test]
    async fn holes_and_foreign_objects_lead_nowhere() {
        let mut seqs: BTreeSet<u64> = (0..2_500).chain(5_000..5_010).collect();
        seqs.insert(80_000);
        let mut keys: Vec<String> = seqs.iter().map(|seq| log().checkpoint(*seq)).collect();
        let directory = log().directory(Kind::Checkpoint);
        keys.extend((0..2_100).map(|n| format!("{directory}zz{n:05}")));
        keys.extend((0..1_100).map(|n| format!("{directory}00000000000000003000-{n:05}")));
        let archive = with(keys).await;
        assert_eq!(newest_checkpoint(&archive, &log()).await.unwrap(), Some(80_000));
        assert_eq!(newest_timestamp(&archive, &log()).await.unwrap(), None);
        let archive = with([0, 7, u64::MAX].map(|seq| log().timestamp(seq))).await;
        assert_eq!(newest_timestamp(&archive, &log()).await.unwrap(), Some(u64::MAX));
        assert!(!has_checkpoint(&archive, &log()).await.unwrap());
        let many = (0..1_500).chain([u64::MAX]).map(|seq| log().checkpoint(seq));
        let archive = with(many).await;
        assert_eq!(newest_checkpoint(&archive, &log()).await.unwrap(), Some(u64::MAX));
    }
}
