//! Time stamps of an authority over checkpoints.
//!
//! A token is got after the commit and stored beside the record; the run leaf of the next snapshot names its digest, so that it cannot be
//! taken away unnoticed. Without it the snapshot stands: a service that is not reachable costs a warning, and the next snapshot's token
//! covers everything before it, too, for its tree does.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::future::BoxFuture;
use revtrail_archive::{ArchiveErrorKind, record};
use revtrail_model::{
    Digest,
    layout::LogName,
    sha256,
    time::{Timestamp, jiff::tz::TimeZone},
};

use crate::{
    error::HarvestError,
    holds,
    run::RunPlan,
    store::{self, Created},
};

/// A time-stamping authority (RFC 3161).
pub trait TimeStamper: Send + Sync {
    /// A token over `data`, as the authority answered it. Only one that was checked comes back.
    fn stamp<'a>(
        &'a self,
        data: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>>;

    /// When a stored token over `data` was made; `None` if it does not hold.
    fn time_of(&self, token: &[u8], data: &[u8]) -> Option<Timestamp>;
}

/// Which checkpoints are stamped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampEvery {
    /// Each one.
    Checkpoint,
    /// The first one of each UTC day for which a token is got.
    Day,
}

/// Gets a token for the snapshot `seq`, if there is none yet. Never fails: the snapshot is committed.
pub(crate) async fn after_commit(plan: &RunPlan, name: &LogName, seq: u64) {
    match stamp(plan, name, seq).await {
        Ok(Some(key)) => tracing::info!(object.key = %key, "stored a time stamp"),
        Ok(None) => {}
        Err(error) => {
            let error = error.as_ref() as &dyn std::error::Error;
            tracing::warn!(log = %name, error, "no time stamp was stored; the next snapshot asks again");
        }
    }
}

async fn stamp(
    plan: &RunPlan,
    name: &LogName,
    seq: u64,
) -> Result<Option<String>, Box<dyn std::error::Error + Send + Sync>> {
    let Some((stamper, every)) = &plan.stamper else {
        return Ok(None);
    };
    let key = name.timestamp(seq);
    let is_due = *every == StampEvery::Checkpoint || !is_stamped_today(plan, name, stamper.as_ref()).await?;
    if !is_due || read(plan, &key).await?.is_some() {
        return Ok(None);
    }
    let note = store::read(&plan.archive, &name.checkpoint(seq)).await?;
    let token = stamper.stamp(&note).await?;
    match store::create(&plan.archive, &key, token, (plan.retention)(name.year)).await? {
        // Another run that stamps the same checkpoint is as good.
        Created::New | Created::Exists(_) => {}
    }
    holds::cover_stamp(&plan.archive, name, seq).await;
    Ok(Some(key))
}

/// Whether the newest token of the log is of the present UTC day.
async fn is_stamped_today(
    plan: &RunPlan,
    name: &LogName,
    stamper: &dyn TimeStamper,
) -> Result<bool, HarvestError> {
    let Some(seq) = record::newest_timestamp(&plan.archive, name).await? else {
        return Ok(false);
    };
    let Some(token) = read(plan, &name.timestamp(seq)).await? else {
        return Ok(false);
    };
    let note = store::read(&plan.archive, &name.checkpoint(seq)).await?;
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let made = stamper.time_of(&token, &note);
    Ok(made.is_some_and(|made| day(made) == day(plan.clock.now())))
}

/// The token over the checkpoint `seq`, which no run leaf names yet, by key, for the run leaf that follows. A token is made after the run
/// leaf of its own snapshot, so only that of the newest checkpoint can be missing.
pub(crate) async fn unnamed(
    plan: &RunPlan,
    name: &LogName,
    seq: u64,
) -> Result<BTreeMap<String, Digest>, HarvestError> {
    if plan.stamper.is_none() {
        return Ok(BTreeMap::new());
    }
    let key = name.timestamp(seq);
    let token = read(plan, &key).await?;
    Ok(token.map(|token| (key, sha256(&token))).into_iter().collect())
}

async fn read(plan: &RunPlan, key: &str) -> Result<Option<Bytes>, HarvestError> {
    match plan.archive.read(&store::object_key(key)?).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ArchiveErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
