//! A time-stamping authority over HTTP (RFC 3161 §3.4).

use std::{path::Path, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use revtrail_connector::post::post;
use revtrail_evidence::timestamp::{Authority, MAX_TOKEN_BYTES, check_stamp, positive, request};
use revtrail_harvest::{StampEvery, Stamper, TimeStamper};
use revtrail_model::{sha256, time::Timestamp};
use revtrail_settings::{Config, StampPer};
use url::Url;

use crate::exit::{Exit, Failure};

const TIMEOUT: Duration = Duration::from_secs(30);

/// The authority that stamps checkpoints, if one is configured.
pub(crate) fn stamper(config: &Config) -> Result<Option<Stamper>, Failure> {
    let Some(settings) = &config.timestamps else {
        return Ok(None);
    };
    let Some(url) = &settings.url else {
        return Ok(None);
    };
    let service = Service {
        url: url.clone(),
        authority: authority(&settings.ca_file)?,
    };
    let every = match settings.per {
        StampPer::Checkpoint => StampEvery::Checkpoint,
        StampPer::Day => StampEvery::Day,
    };
    Ok(Some((Arc::new(service), every)))
}

/// Reads the certificates in which chains must end.
pub(crate) fn authority(path: &Path) -> Result<Authority, Failure> {
    let failed = |error: anyhow::Error| {
        let error = error.context(format!("{} cannot be used", path.display()));
        Failure::new(
            Exit::CannotJudge,
            error,
            Some("timestamps.ca_file must hold the authority's CA certificates in PEM".into()),
        )
    };
    let pem = std::fs::read_to_string(path).map_err(|error| failed(error.into()))?;
    Authority::from_pem(&pem).map_err(|error| failed(error.into()))
}

struct Service {
    url: Url,
    authority: Authority,
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

impl TimeStamper for Service {
    fn stamp<'a>(&'a self, data: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, AnyError>> {
        Box::pin(async move {
            let mut nonce = [0; 8];
            getrandom::fill(&mut nonce)?;
            let question = request(&sha256(data), nonce);
            let limits = (MAX_TOKEN_BYTES, TIMEOUT);
            let answer = post(&self.url, "application/timestamp-query", question, limits).await?;
            // A token that does not hold, or answers another request, is not worth keeping for years.
            let stamp = check_stamp(&answer, data, &self.authority)?;
            if stamp.nonce != Some(positive(nonce)) {
                return Err("the answer is to another request".into());
            }
            Ok(answer.to_vec())
        })
    }

    fn time_of(&self, token: &[u8], data: &[u8]) -> Option<Timestamp> {
        check_stamp(token, data, &self.authority)
            .ok()
            .map(|stamp| stamp.at)
    }
}
