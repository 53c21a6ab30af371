//! The newest windows, without reading the whole record.

use futures::future::BoxFuture;
use revtrail_ledger::Checkpoint;
use revtrail_model::{
    Digest,
    layout::{Kind, LogName, segment_digest},
    leaf::Leaf,
};

use crate::{
    error::QueryError,
    reader::{Reader, WindowRow},
};

impl Reader {
    /// Windows of the newest snapshots, as many as asked for, the newest first. Each segment has the digest that a signed checkpoint
    /// names; that the tree grew as it should is left to a verification. A ledger without a log has none.
    pub fn newest_windows(&self, snapshots: usize) -> BoxFuture<'_, Result<Vec<WindowRow>, QueryError>> {
        Box::pin(async move {
            let mut windows = Vec::new();
            let mut left = snapshots;
            for log in self.logs().await?.into_iter().rev() {
                let mut seq = self.checkpoints(&log).await?;
                while let (Some(before), Some(fewer)) = (seq.checked_sub(1), left.checked_sub(1)) {
                    (seq, left) = (before, fewer);
                    windows.extend(self.windows_of(&log, seq).await?);
                }
            }
            Ok(windows)
        })
    }

    async fn windows_of(&self, log: &LogName, seq: u64) -> Result<Vec<WindowRow>, QueryError> {
        let origin = log.origin(&self.origin);
        let trusted = (self.key)(&origin).ok_or_else(|| QueryError::NoKey(origin.clone()))?;
        let key = log.checkpoint(seq);
        let checkpoint = Checkpoint::open(&self.get(&key).await?, &trusted).map_err(|error| {
            QueryError::Contradiction {
                key,
                what: error.to_string(),
            }
        })?;
        let root = Digest::from_bytes(*checkpoint.root.as_bytes());
        let key = log.object(Kind::Segment, seq, &root);
        let leaves = self.segment(&key, segment_digest(&checkpoint.extensions)).await?;
        let first = checkpoint.size.leaves().checked_sub(leaves.len() as u64);
        let first = first.ok_or_else(|| QueryError::Contradiction {
            key: key.clone(),
            what: "has more leaves than the signed tree".into(),
        })?;
        let mut windows = Vec::new();
        for (n, leaf) in leaves.iter().enumerate().rev() {
            let leaf = Leaf::parse(leaf).map_err(|source| QueryError::Model {
                key: key.clone(),
                source,
            })?;
            if let Leaf::Window(window) = leaf {
                windows.push(WindowRow {
                    year: log.year,
                    index: first + n as u64,
                    window: *window,
                });
            }
        }
        Ok(windows)
    }
}
