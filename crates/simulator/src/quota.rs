//! How much of its API a provider lets one caller use, and what becomes of requests beyond that.
//!
//! Time here is the machine's, not the world's: what is measured is how fast a client asks. Units are counted whether or not there is a
//! limit, as [`Use`].

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde::Serialize;

use crate::fault::{Door, Fault};
use crate::sim::{Call, Provider};

mod cost;

pub(crate) use cost::cost;

/// How long the limit of a tenant counts.
const FIVE_MINUTES: Duration = Duration::from_mins(5);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// What each provider allows, in its own units. There is one app, one tenant and one user here, so that as published OneDrive's limits per app
/// and tenant bind before those of the tenant, and Google Drive's per user before those of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Resource units of OneDrive in a minute.
    pub onedrive_per_minute: u64,
    /// Resource units of OneDrive in 24 hours.
    pub onedrive_per_day: u64,
    /// Resource units of OneDrive in five minutes, of all apps of the tenant.
    pub onedrive_tenant_per_five_minutes: u64,
    /// Quota units of Google Drive in a minute, of one user in a project.
    pub google_drive_per_minute: u64,
    /// Quota units of Google Drive in a minute, of all users of the project.
    pub google_drive_project_per_minute: u64,
    /// Calls to Dropbox in a minute.
    pub dropbox_per_minute: u64,
}

impl Quota {
    /// As published: OneDrive's smallest tier, Google's limits of May 2026. Dropbox publishes none: 500 calls are a guess.
    pub const PUBLISHED: Self = Self {
        onedrive_per_minute: 1250,
        onedrive_per_day: 1_200_000,
        onedrive_tenant_per_five_minutes: 18_750,
        google_drive_per_minute: 325_000,
        google_drive_project_per_minute: 1_000_000,
        dropbox_per_minute: 500,
    };

    /// So many times as much, for measuring in less time.
    #[must_use]
    pub fn times(self, factor: u64) -> Self {
        let times = |limit: u64| limit.saturating_mul(factor);
        Self {
            onedrive_per_minute: times(self.onedrive_per_minute),
            onedrive_per_day: times(self.onedrive_per_day),
            onedrive_tenant_per_five_minutes: times(self.onedrive_tenant_per_five_minutes),
            google_drive_per_minute: times(self.google_drive_per_minute),
            google_drive_project_per_minute: times(self.google_drive_project_per_minute),
            dropbox_per_minute: times(self.dropbox_per_minute),
        }
    }

    /// The windows of a provider, the one it announces first.
    fn windows(self, provider: Provider) -> Vec<Window> {
        match provider {
            Provider::OneDrive => vec![
                Window::new(MINUTE, self.onedrive_per_minute),
                Window::new(DAY, self.onedrive_per_day),
                Window::new(FIVE_MINUTES, self.onedrive_tenant_per_five_minutes),
            ],
            Provider::GoogleDrive => vec![
                Window::new(MINUTE, self.google_drive_per_minute),
                Window::new(MINUTE, self.google_drive_project_per_minute),
            ],
            Provider::Dropbox => vec![Window::new(MINUTE, self.dropbox_per_minute)],
        }
    }
}

/// What a provider was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Use {
    /// HTTP requests; a batch is one.
    pub requests: u64,
    /// Units; a batch costs what its parts do.
    pub units: u64,
    /// Requests and parts of batches that were refused for being beyond the quota.
    pub refused: u64,
}

/// A stretch of time with a limit; the next one begins with the first request after its end.
#[derive(Debug, Clone, Copy)]
struct Window {
    length: Duration,
    limit: u64,
    began: Option<Duration>,
    used: u64,
}

impl Window {
    fn new(length: Duration, limit: u64) -> Self {
        Self {
            length,
            limit,
            began: None,
            used: 0,
        }
    }

    /// Takes units; false when there were not that many left. What is refused counts, too, as Microsoft and Dropbox say.
    fn take(&mut self, now: Duration, units: u64) -> bool {
        if self.left(now).is_none() {
            self.began = Some(now);
            self.used = 0;
        }
        self.used = self.used.saturating_add(units);
        self.used <= self.limit
    }

    /// Time to its end; `None` after that.
    fn left(&self, now: Duration) -> Option<Duration> {
        let end = self.began? + self.length;
        end.checked_sub(now).filter(|left| !left.is_zero())
    }
}

/// Everything that was spent.
#[derive(Debug)]
pub(crate) struct Ledger {
    started: Instant,
    accounts: Mutex<BTreeMap<Provider, Account>>,
}

#[derive(Debug)]
struct Account {
    windows: Vec<Window>,
    used: Use,
}

impl Ledger {
    /// Without a quota nothing is refused.
    pub(crate) fn new(quota: Option<Quota>) -> Self {
        let account = |provider| Account {
            windows: quota.map_or_else(Vec::new, |quota| quota.windows(provider)),
            used: Use::default(),
        };
        let accounts = Provider::ALL.map(|provider| (provider, account(provider)));
        Self {
            started: Instant::now(),
            accounts: Mutex::new(BTreeMap::from(accounts)),
        }
    }

    /// Sets another quota, whose windows begin anew.
    pub(crate) fn limit(&self, quota: Quota) {
        for provider in Provider::ALL {
            self.with(provider, |account| account.windows = quota.windows(provider));
        }
    }

    /// Counts an HTTP request.
    pub(crate) fn count(&self, provider: Provider) {
        self.with(provider, |account| account.used.requests += 1);
    }

    /// Spends units. Beyond the quota: after how many seconds there are some again.
    pub(crate) fn charge(&self, provider: Provider, units: u32) -> Option<u64> {
        self.charge_at(self.started.elapsed(), provider, units)
    }

    fn charge_at(&self, now: Duration, provider: Provider, units: u32) -> Option<u64> {
        if units == 0 {
            return None;
        }
        self.with(provider, |account| {
            account.used.units += u64::from(units);
            let mut wait = None;
            for window in &mut account.windows {
                if !window.take(now, u64::from(units)) {
                    wait = wait.max(window.left(now));
                }
            }
            account.used.refused += u64::from(wait.is_some());
            wait.map(whole_seconds)
        })?
    }

    /// Limit, what is left of it, and seconds to the end of its window, where four fifths of it are spent.
    fn announced_at(&self, now: Duration, provider: Provider) -> Option<(u64, u64, u64)> {
        self.with(provider, |account| {
            let window = account.windows.first()?;
            let left = window.left(now)?;
            let nearly = window.used.saturating_mul(5) >= window.limit.saturating_mul(4);
            let remaining = window.limit.saturating_sub(window.used);
            nearly.then(|| (window.limit, remaining, whole_seconds(left)))
        })?
    }

    /// What was used since the last [`Ledger::reset`].
    pub(crate) fn used(&self) -> BTreeMap<Provider, Use> {
        let accounts = self.lock();
        accounts
            .iter()
            .map(|(provider, account)| (*provider, account.used))
            .collect()
    }

    /// Counts anew; windows go on.
    pub(crate) fn reset(&self) {
        for account in self.lock().values_mut() {
            account.used = Use::default();
        }
    }

    fn with<T>(&self, provider: Provider, act: impl FnOnce(&mut Account) -> T) -> Option<T> {
        self.lock().get_mut(&provider).map(act)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Provider, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The provider's own refusal of a request beyond its quota. Google promises no `Retry-After`, and says no in two ways.
pub(crate) fn refuse(door: &Door, call: &Call, parts: &Parts) -> Option<Response> {
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let wait = door.sim.charge(call, target)?;
    let wait = (call.provider != Provider::GoogleDrive).then(|| wait.to_string());
    let fault = if call.provider == Provider::GoogleDrive && door.sim.random().is_multiple_of(2) {
        Fault::DriveRateLimit403
    } else {
        Fault::Throttle429 {
            retry_after: wait.clone(),
        }
    };
    let mut answer = (door.refusal)(&fault, call);
    if let Some(value) = wait.and_then(|wait| HeaderValue::from_str(&wait).ok()) {
        answer.headers_mut().insert(header::RETRY_AFTER, value);
    }
    Some(answer)
}

/// `RateLimit` headers, which OneDrive alone sends, and only when little is left.
pub(crate) fn announce(door: &Door, headers: &mut HeaderMap) {
    let ledger = door.sim.ledger();
    if door.provider != Provider::OneDrive {
        return;
    }
    let now = ledger.started.elapsed();
    if let Some((limit, remaining, reset)) = ledger.announced_at(now, door.provider) {
        headers.insert("ratelimit-limit", HeaderValue::from(limit));
        headers.insert("ratelimit-remaining", HeaderValue::from(remaining));
        headers.insert("ratelimit-reset", HeaderValue::from(reset));
    }
}

#[cfg(test)]
mod tests;
