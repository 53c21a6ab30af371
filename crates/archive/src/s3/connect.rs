//! Settings and the client.

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_s3::{Client, config::Builder};
use aws_smithy_http_client::tls;
use url::Url;

use super::{S3Archive, observe::ServerClock};
use crate::{ArchiveError, ArchiveErrorKind, ObjectKey, RetentionMode};

const CONNECT: Duration = Duration::from_secs(5);
/// One attempt moves at most 64 MiB, so this allows for about 5 Mbit/s.
const ATTEMPT: Duration = Duration::from_mins(2);
const OPERATION: Duration = Duration::from_mins(10);
const ATTEMPTS: u32 = 4;

/// Which bucket, and how to get there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Settings {
    /// Bucket name.
    pub bucket: String,
    /// Goes before every key, joined with `/`.
    pub prefix: Option<ObjectKey>,
    /// How to reach it.
    pub options: S3Options,
}

/// How to reach a store and what lock its objects get. Credentials come from the usual AWS chain:
/// environment, profile, web identity, container, instance metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct S3Options {
    /// Region; `None` asks the AWS chain, and is `us-east-1` with an endpoint of its own.
    pub region: Option<String>,
    /// `http://` or `https://` address of a store other than AWS.
    pub endpoint: Option<String>,
    /// Where the bucket name goes.
    pub addressing: Addressing,
    /// Object Lock mode the operator chose; `None` uses the bucket without locks, and every
    /// verdict says so.
    pub lock_mode: Option<RetentionMode>,
}

/// Where a request carries the bucket name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Addressing {
    /// In the host name, as AWS wants it.
    #[default]
    VirtualHost,
    /// In the path, as most other stores want it.
    Path,
}

impl S3Archive {
    /// Builds the client. Asks the AWS chain for a region if none is set; nothing is sent to the
    /// bucket, see [`S3Archive::probe`].
    pub async fn connect(settings: S3Settings) -> Result<Self, ArchiveError> {
        let loader = loader(&settings)?;
        Self::with_loader(settings, loader).await
    }

    pub(super) async fn with_loader(
        settings: S3Settings,
        loader: ConfigLoader,
    ) -> Result<Self, ArchiveError> {
        let S3Settings {
            bucket,
            prefix,
            options,
        } = settings;
        let shared = loader.load().await;
        let clock = ServerClock::default();
        let mut config = Builder::from(&shared)
            .force_path_style(options.addressing == Addressing::Path)
            .interceptor(clock.clone());
        if shared.region().is_none() {
            if options.endpoint.is_none() {
                return Err(ArchiveError::new(ArchiveErrorKind::Config, "connect", bucket)
                    .because("no region is set, neither here nor in the AWS environment"));
            }
            config = config.region(Region::new("us-east-1"));
        }
        Ok(Self {
            client: Client::from_conf(config.build()),
            bucket,
            prefix,
            lock_mode: options.lock_mode,
            clock,
        })
    }
}

pub(super) fn loader(settings: &S3Settings) -> Result<ConfigLoader, ArchiveError> {
    let options = &settings.options;
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(
            aws_smithy_http_client::Builder::new()
                .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
                .build_https(),
        )
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .operation_attempt_timeout(ATTEMPT)
                .operation_timeout(OPERATION)
                .build(),
        );
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &options.endpoint {
        let usable = Url::parse(endpoint).is_ok_and(|url| {
            ["http", "https"].contains(&url.scheme()) && url.has_host() && url.username().is_empty()
        });
        if !usable {
            return Err(
                ArchiveError::new(ArchiveErrorKind::Config, "connect", &settings.bucket)
                    .because("endpoint must be an http:// or https:// address without a user"),
            );
        }
        loader = loader.endpoint_url(endpoint);
    }
    Ok(loader)
}
