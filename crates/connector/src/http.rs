//! The one way to a provider: checked, paced, authorised, sent, understood and, where that helps, sent again.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::{Client, redirect::Policy};
use revtrail_model::{
    id::Provider,
    time::{Clock, Timestamp},
};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;

use crate::{
    error::{Action, ConnectorError, ErrorKind},
    hosts::foreign,
    oauth::TokenSource,
    pacing::{Gate, Pacing},
    request::Request,
    retry::{RetryPolicy, Spent},
    usage::Usage,
};

mod answer;
mod exchange;
mod json;

pub use answer::{Answer, ErrorReader, Failure};
pub use reqwest::header::HeaderMap;

pub use crate::hosts::Hosts;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How to speak to one provider for one account.
#[derive(Clone)]
pub struct HttpSettings {
    /// The provider, for errors and logs.
    pub provider: Provider,
    /// Origins requests, links and redirects may go to.
    pub hosts: Hosts,
    /// When to try again.
    pub retry: RetryPolicy,
    /// How fast to go.
    pub pacing: Pacing,
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// Most bytes of one answer, after decompression. 64 MiB is plenty for every listing.
    pub max_body_bytes: usize,
    /// Most time for one attempt, from connecting to the last byte.
    pub timeout: Duration,
    /// What time it is, for comparing clocks and for the life of tokens.
    pub clock: Arc<dyn Clock>,
}

/// Sends requests for one account. Clones share pace, token and counters.
#[derive(Clone)]
pub struct Http {
    shared: Arc<Shared>,
}

struct Shared {
    settings: HttpSettings,
    client: Client,
    auth: Option<Arc<dyn TokenSource>>,
    reader: Arc<dyn ErrorReader>,
    gate: Arc<Gate>,
    usage: Arc<Mutex<Usage>>,
}

/// How often a request that is refused goes out with a newer token. Once is enough for one that stands alone; of several at a time one
/// may meet the end of a token that another has just renewed.
const MAX_RENEWALS: u32 = 3;

/// One request on its way through its attempts.
struct Tries {
    began: Instant,
    attempts: u32,
    renewals: u32,
}

impl Tries {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            attempts: 0,
            renewals: 0,
        }
    }
}

impl Http {
    /// Makes the way to one provider; sends nothing. Without `auth` requests go out unauthorised. Fails with [`ErrorKind::Config`] on
    /// a pace of nothing or a user agent that is no header value.
    pub fn new(
        settings: HttpSettings,
        auth: Option<Arc<dyn TokenSource>>,
        reader: Arc<dyn ErrorReader>,
    ) -> Result<Self, ConnectorError> {
        let config =
            |what: &str| ConnectorError::new(ErrorKind::Config, settings.provider, "connect").with_code(what);
        if !settings.pacing.is_usable() {
            return Err(config("request rate must be above zero"));
        }
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Somebody else may install one at the same moment; any will do.
            let _already = rustls::crypto::ring::default_provider().install_default();
        }
        let client = Client::builder()
            .user_agent(&settings.user_agent)
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout.min(CONNECT_TIMEOUT))
            // Redirects and repeats are decided here, where hosts and tokens are known.
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(|error| config("HTTP client cannot be set up").with_source(error))?;
        Ok(Self {
            shared: Arc::new(Shared {
                gate: Arc::new(Gate::new(settings.pacing)),
                settings,
                client,
                auth,
                reader,
                usage: Arc::default(),
            }),
        })
    }

    /// Sends a request until it is answered well, or trying again does not help.
    ///
    /// Whatever [`ErrorReader`] takes for a failure is one; the others are good answers. Failures that may pass are repeated under the
    /// [`RetryPolicy`]; a refused token is renewed once.
    pub async fn send(&self, request: &Request) -> Result<Answer, ConnectorError> {
        self.attempt(request, &mut Tries::new()).await
    }

    /// The same way under another authorisation; pace and counters are shared.
    #[must_use]
    pub fn authorised_by(&self, auth: Arc<dyn TokenSource>) -> Self {
        let shared = &self.shared;
        Self {
            shared: Arc::new(Shared {
                settings: shared.settings.clone(),
                client: shared.client.clone(),
                auth: Some(auth),
                reader: Arc::clone(&shared.reader),
                gate: Arc::clone(&shared.gate),
                usage: Arc::clone(&shared.usage),
            }),
        }
    }

    /// Like [`Http::send`], for contents of files: `None` when there are more than `max_bytes`, of which none are kept. Redirects are
    /// followed to hosts that serve downloads, too, without the token.
    pub async fn download(
        &self,
        request: &Request,
        max_bytes: usize,
    ) -> Result<Option<Answer>, ConnectorError> {
        let request = Request {
            download: Some(max_bytes),
            ..request.clone()
        };
        match self.send(&request).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.code.as_deref() == Some(exchange::TOO_LARGE) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Like [`Http::send`], and reads the answer as JSON. An answer that was cut off is a failure that may pass; one of another form
    /// is [`ErrorKind::Malformed`].
    pub async fn send_json<T: DeserializeOwned>(
        &self,
        request: &Request,
    ) -> Result<(T, Answer), ConnectorError> {
        let mut tries = Tries::new();
        loop {
            let answer = self.attempt(request, &mut tries).await?;
            let failure = match json::read(&answer.body) {
                Ok(value) => return Ok((value, answer)),
                Err(failure) => failure,
            };
            let kind = if failure.is_cut_off() {
                ErrorKind::Unavailable { retry_after: None }
            } else {
                ErrorKind::Malformed
            };
            let error = self.about(request, &answer, kind).with_source(failure);
            self.recover(&mut tries, error, None).await?;
        }
    }

    /// Counters so far, those of the token requests included.
    pub fn usage(&self) -> Usage {
        let mut usage = self.counters().clone();
        if let Some(auth) = &self.shared.auth {
            usage.add(&auth.usage());
        }
        usage
    }

    /// The provider's clock: what it said with its last answer, and how long ago that is by ours; ours where no answer came yet.
    pub fn provider_now(&self) -> Timestamp {
        let now = self.shared.settings.clock.now();
        let last = self.counters().last_answer;
        last.map_or(now, |(theirs, ours)| {
            theirs.saturating_add(now.duration_since(ours)).unwrap_or(theirs)
        })
    }

    /// Whether requests may go to the origin of `url`.
    pub fn origin_allowed(&self, url: &Url) -> bool {
        self.shared.settings.hosts.allow(url)
    }

    /// Reads a link that an answer told us to follow. [`ErrorKind::ForeignHost`] when it leaves the configured hosts,
    /// [`ErrorKind::Malformed`] when it is no absolute URL.
    pub fn check_origin(&self, operation: &'static str, url: &str) -> Result<Url, ConnectorError> {
        let error = |kind| ConnectorError::new(kind, self.shared.settings.provider, operation);
        let url = Url::parse(url).map_err(|failure| {
            error(ErrorKind::Malformed)
                .with_code("link is no absolute URL")
                .with_source(failure)
        })?;
        if self.origin_allowed(&url) {
            Ok(url)
        } else {
            Err(error(ErrorKind::ForeignHost).with_code(foreign(&url)))
        }
    }

    /// Counts requests that travelled inside another one, as the parts of a batch do.
    pub fn count(&self, operation: &'static str, n: u64) {
        *self.counters().requests.entry(operation).or_default() += n;
    }

    /// Holds every caller of this account, this one included, for `wait`; for a provider that asks for it inside an answer, as for a
    /// part of a batch. Counted as throttled.
    pub async fn pause(&self, wait: Duration) {
        self.hold(wait);
        self.shared.gate.resumed().await;
    }

    /// How long to wait before parts of a batch are sent again; `None` when they are not. `asked` is the largest wait any part named.
    pub(crate) fn repeat_after(&self, spent: Spent, asked: Option<Duration>) -> Option<Duration> {
        // Without randomness callers return together, which is worse but works.
        let random = getrandom::u64().unwrap_or(u64::MAX);
        self.shared.settings.retry.wait(spent, asked, random)
    }

    async fn attempt(&self, request: &Request, tries: &mut Tries) -> Result<Answer, ConnectorError> {
        if !self.origin_allowed(&request.url) {
            let error = ConnectorError::new(
                ErrorKind::ForeignHost,
                self.shared.settings.provider,
                request.operation,
            );
            return Err(error.with_code(foreign(&request.url)));
        }
        loop {
            self.shared.gate.pass(request.units).await;
            let token = match &self.shared.auth {
                Some(auth) => Some(auth.bearer().await?),
                None => None,
            };
            tries.attempts += 1;
            if tries.attempts > 1 {
                self.counters().retries += 1;
            }
            let error = match self.exchange(request, token.as_ref()).await {
                Ok(answer) => {
                    self.log(request, tries, Ok(&answer));
                    return Ok(answer);
                }
                Err(error) => error,
            };
            self.log(request, tries, Err(&error));
            self.recover(tries, error, token).await?;
        }
    }

    /// Prepares for another attempt; gives the error back when there is to be none.
    async fn recover(
        &self,
        tries: &mut Tries,
        error: ConnectorError,
        token: Option<SecretString>,
    ) -> Result<(), ConnectorError> {
        match (error.kind.action(), &self.shared.auth, token) {
            (Action::Retry(asked), ..) => self.wait(tries, error, asked).await,
            (Action::Refresh, Some(auth), Some(used)) if tries.renewals < MAX_RENEWALS => {
                tries.renewals += 1;
                auth.renew(&used).await.map(drop)
            }
            // Fresh tokens that are refused, too, will not get better.
            (Action::Refresh, ..) => Err(ConnectorError {
                kind: ErrorKind::Unauthorized,
                ..error
            }),
            _ => Err(error),
        }
    }

    async fn wait(
        &self,
        tries: &Tries,
        error: ConnectorError,
        asked: Option<Duration>,
    ) -> Result<(), ConnectorError> {
        let spent = Spent {
            attempts: tries.attempts,
            time: tries.began.elapsed(),
        };
        let Some(wait) = self.repeat_after(spent, asked) else {
            return Err(error);
        };
        let limited = asked.is_some() || matches!(error.kind, ErrorKind::RateLimited { .. });
        tracing::debug!(
            provider = %error.provider,
            operation = error.operation,
            attempt = tries.attempts,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "waits before the request is repeated"
        );
        if limited {
            // The account as a whole is asked to slow down, so everybody waits, at the gate.
            self.hold(wait);
        } else {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    fn hold(&self, wait: Duration) {
        // What an earlier pause covers already is not waited for, nor counted, twice.
        let grown = self.shared.gate.pause(wait);
        self.counters().throttled_ms += u64::try_from(grown.as_millis()).unwrap_or(u64::MAX);
    }

    fn about(&self, request: &Request, answer: &Answer, kind: ErrorKind) -> ConnectorError {
        let mut error = ConnectorError::new(kind, self.shared.settings.provider, request.operation);
        error.status = Some(answer.status);
        error.request_id.clone_from(&answer.request_id);
        error
    }

    fn log(&self, request: &Request, tries: &Tries, outcome: Result<&Answer, &ConnectorError>) {
        let (status, request_id, failure) = match outcome {
            Ok(answer) => (Some(answer.status), answer.request_id.as_deref(), None),
            Err(error) => (
                error.status,
                error.request_id.as_deref(),
                Some(error.kind.as_str()),
            ),
        };
        tracing::debug!(
            provider = %self.shared.settings.provider,
            operation = request.operation,
            http.status = status,
            request.id = request_id,
            attempt = tries.attempts,
            failure,
            "request"
        );
    }

    fn counters(&self) -> MutexGuard<'_, Usage> {
        self.shared.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
