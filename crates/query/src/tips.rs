//! The newest checkpoint of each log, for those who keep checkpoints outside the archive.

use futures::future::BoxFuture;
use revtrail_ledger::{Checkpoint, Note};
use revtrail_model::layout::LogName;

use crate::{error::QueryError, reader::Reader};

/// The newest checkpoint of a log; its signature held.
#[derive(Debug, Clone)]
pub struct Tip {
    /// The log.
    pub log: LogName,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The checkpoint as signed.
    pub note: Note,
}

impl Reader {
    /// The newest checkpoint of each log, the oldest log first. A log that has no checkpoint yet is left out.
    pub fn tips(&self) -> BoxFuture<'_, Result<Vec<Tip>, QueryError>> {
        Box::pin(async move {
            let mut tips = Vec::new();
            for log in self.logs().await? {
                if let Some(last) = self.checkpoints(&log).await?.checked_sub(1) {
                    tips.push(self.tip(log, last).await?);
                }
            }
            if tips.is_empty() {
                return Err(QueryError::NoLog(self.ledger.to_string()));
            }
            Ok(tips)
        })
    }

    async fn tip(&self, log: LogName, seq: u64) -> Result<Tip, QueryError> {
        let origin = log.origin(&self.origin);
        let trusted = (self.key)(&origin).ok_or_else(|| QueryError::NoKey(origin.clone()))?;
        let key = log.checkpoint(seq);
        let bytes = self.get(&key).await?;
        let opened =
            Note::parse(&bytes).and_then(|note| Ok((Checkpoint::verify(&note, &trusted, &[])?.0, note)));
        match opened {
            Ok((checkpoint, note)) => Ok(Tip {
                log,
                checkpoint,
                note,
            }),
            Err(error) => Err(QueryError::Contradiction {
                key,
                what: error.to_string(),
            }),
        }
    }
}
