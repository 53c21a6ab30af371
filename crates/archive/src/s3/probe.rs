//! Finds out whether a bucket keeps the promises the record needs.

use aws_sdk_s3::{
    config::{Config, retry::RetryConfig},
    error::ProvideErrorMetadata as _,
    primitives::ByteStream,
    types::{BucketVersioningStatus, ObjectLockEnabled, ObjectLockRetentionMode},
};
use futures::future::join_all;
use revtrail_model::time::Timestamp;

use super::{
    S3Archive,
    failure::{Call, failure},
};
use crate::{ArchiveError, ArchiveErrorKind, RetentionMode};

const WRITERS: usize = 8;
/// A store without the promise may still pass one round by luck.
const ROUNDS: usize = 3;

/// What [`S3Archive::probe`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReport {
    /// Bucket versioning.
    pub versioning: Versioning,
    /// Object Lock of the bucket.
    pub object_lock: ObjectLockState,
    /// Whether create-only writes are.
    pub conditional_creates: ConditionalCreates,
    /// The store's time at its last answer.
    pub store_time: Option<Timestamp>,
}

/// Bucket versioning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    /// Every write keeps the version before it.
    Enabled,
    /// Never enabled, or suspended.
    Off,
}

/// Object Lock of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectLockState {
    /// Objects may carry locks.
    Enabled {
        /// Mode that objects get which ask for none, if the bucket has a default.
        default_mode: Option<RetentionMode>,
    },
    /// Objects cannot carry locks.
    Off,
}

/// Outcome of 8 concurrent creates of one key, repeated with fresh keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionalCreates {
    /// How many writers were told that they created the object, per round. Must be 1.
    pub winners_per_round: Vec<usize>,
}

impl ConditionalCreates {
    /// Whether exactly one writer won every time.
    pub fn hold(&self) -> bool {
        !self.winners_per_round.is_empty() && self.winners_per_round.iter().all(|n| *n == 1)
    }
}

impl ProbeReport {
    /// What makes the bucket unfit for a record, one sentence each; empty when it is fit.
    /// `lock_mode` is what the operator configured.
    pub fn problems(&self, lock_mode: Option<RetentionMode>) -> Vec<&'static str> {
        let mut problems = Vec::new();
        if lock_mode.is_some() && self.versioning == Versioning::Off {
            problems.push("bucket versioning is off: enable it");
        }
        if lock_mode.is_some() && self.object_lock == ObjectLockState::Off {
            problems.push("Object Lock is off: enable it on the bucket or use another bucket");
        }
        if !self.conditional_creates.hold() {
            problems.push(
                "the store let several writers create one key, or none: it does not honour If-None-Match and cannot keep a record",
            );
        }
        problems
    }
}

impl S3Archive {
    /// Asks for versioning and Object Lock, then lets writers race for one key. Leaves three
    /// small objects under `probe/`, locked only if the bucket has a default retention.
    pub async fn probe(&self) -> Result<ProbeReport, ArchiveError> {
        let versioning = self.versioning().await?;
        let object_lock = self.object_lock().await?;
        let mut winners_per_round = Vec::new();
        for _ in 0..ROUNDS {
            winners_per_round.push(self.race().await?);
        }
        Ok(ProbeReport {
            versioning,
            object_lock,
            conditional_creates: ConditionalCreates { winners_per_round },
            store_time: self.clock.last(),
        })
    }

    /// Asks for versioning and Object Lock, and writes nothing; says what makes the bucket unfit, as
    /// [`ProbeReport::problems`] does, as far as that can be told without writing.
    pub async fn inspect(&self, lock_mode: Option<RetentionMode>) -> Result<Vec<&'static str>, ArchiveError> {
        let report = ProbeReport {
            versioning: self.versioning().await?,
            object_lock: self.object_lock().await?,
            // Not tried.
            conditional_creates: ConditionalCreates {
                winners_per_round: vec![1],
            },
            store_time: self.clock.last(),
        };
        Ok(report.problems(lock_mode))
    }

    async fn versioning(&self) -> Result<Versioning, ArchiveError> {
        let answer = self
            .client
            .get_bucket_versioning()
            .bucket(&self.bucket)
            .send()
            .await
            .map_err(|error| failure(error, "probe", &self.bucket, Call::Read))?;
        Ok(match answer.status {
            Some(BucketVersioningStatus::Enabled) => Versioning::Enabled,
            _ => Versioning::Off,
        })
    }

    async fn object_lock(&self) -> Result<ObjectLockState, ArchiveError> {
        let answer = self
            .client
            .get_object_lock_configuration()
            .bucket(&self.bucket)
            .send()
            .await;
        let lock = match answer {
            Ok(answer) => answer.object_lock_configuration,
            Err(error) if error.code() == Some("ObjectLockConfigurationNotFoundError") => None,
            Err(error) => return Err(failure(error, "probe", &self.bucket, Call::Read)),
        };
        let Some(lock) = lock.filter(|lock| lock.object_lock_enabled == Some(ObjectLockEnabled::Enabled))
        else {
            return Ok(ObjectLockState::Off);
        };
        let default = lock.rule.and_then(|rule| rule.default_retention);
        let default_mode = match default.and_then(|default| default.mode) {
            Some(ObjectLockRetentionMode::Compliance) => Some(RetentionMode::Compliance),
            Some(ObjectLockRetentionMode::Governance) => Some(RetentionMode::Governance),
            _ => None,
        };
        Ok(ObjectLockState::Enabled { default_mode })
    }

    /// One round; gives the number of winners.
    async fn race(&self) -> Result<usize, ArchiveError> {
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).map_err(|error| {
            ArchiveError::new(ArchiveErrorKind::Config, "probe", &self.bucket).because(error)
        })?;
        let name = self.with_prefix(&format!("probe/{:016x}", u64::from_be_bytes(random)));
        let outcomes = join_all((0..WRITERS).map(|writer| self.race_once(&name, writer))).await;
        let mut winners = 0;
        for outcome in outcomes {
            winners += usize::from(outcome?);
        }
        Ok(winners)
    }

    /// Whether this writer won. No retries: they would turn a win into a loss.
    async fn race_once(&self, name: &str, writer: usize) -> Result<bool, ArchiveError> {
        let answer = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(name)
            .if_none_match("*")
            .body(ByteStream::from(format!("writer {writer}").into_bytes()))
            .customize()
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) => match error.raw_response().map(|raw| raw.status().as_u16()) {
                Some(409 | 412) => Ok(false),
                _ => Err(failure(error, "probe", name, Call::Write)),
            },
        }
    }
}
