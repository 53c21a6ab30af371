//! What all faces share: the world, options, counters, faults, tokens.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::audit::{Audit, Held, Subscription};
use crate::content::{Algorithm, ContentStore, next};
use crate::credentials::{Credentials, Vault};
use crate::error::SimulatorError;
use crate::fault::{Fault, FaultBox, FaultKind, FaultPlan, Oddity};
use crate::ids;
use crate::keep::Keep;
use crate::merging::merged;
use crate::quota::{self, Ledger, Quota, Use};
use crate::source::WorldSource;
use crate::world::{Actor, ItemNo, Save, World};

/// Whose API is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Provider {
    /// OneDrive for Business and SharePoint.
    #[serde(rename = "onedrive")]
    OneDrive,
    /// Google Drive.
    #[serde(rename = "google_drive")]
    GoogleDrive,
    /// Dropbox.
    #[serde(rename = "dropbox")]
    Dropbox,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OneDrive, Self::GoogleDrive, Self::Dropbox];

    /// The word used in counters, plans and queries.
    pub fn word(self) -> &'static str {
        match self {
            Self::OneDrive => "onedrive",
            Self::GoogleDrive => "google_drive",
            Self::Dropbox => "dropbox",
        }
    }

    /// Header in which the provider names the request; Google Drive names none.
    pub(crate) fn request_id_header(self) -> Option<&'static str> {
        match self {
            Self::OneDrive => Some("request-id"),
            Self::GoogleDrive => None,
            Self::Dropbox => Some("x-dropbox-request-id"),
        }
    }
}

/// Whether the folders of the Dropbox face are shared; only then revisions name their author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sharing {
    /// Shared: authors are named.
    #[default]
    Shared,
    /// Private: they are not.
    Private,
}

/// Where the world is on the Google Drive face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GoogleCorpus {
    /// The user's My Drive.
    #[default]
    MyDrive,
    /// A shared drive; the user's My Drive is empty.
    SharedDrive,
}

/// What the user may do with the files of the Google Drive face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GoogleRole {
    /// Edit, which listing revisions takes.
    #[default]
    Editor,
    /// Look at them.
    Viewer,
}

/// What kind of drive the OneDrive face shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OneDriveAccount {
    /// One of OneDrive for Business.
    #[default]
    Business,
    /// One of a person: other ids, and deleted items with names.
    Personal,
}

/// Revisions of a file that can be pinned on Google Drive.
const PINS: usize = 200;

/// How the faces behave; the default suits most tests.
#[derive(Debug, Clone)]
pub struct Options {
    /// Entries per page at most, whatever the client asks for; `None`: the client's wish within the provider's limits.
    pub page_size: Option<usize>,
    /// Seed of everything that looks random.
    pub seed: u64,
    /// Client id the token endpoints accept.
    pub client_id: String,
    /// Client secret they accept.
    pub client_secret: String,
    /// Refresh token they accept.
    pub refresh_token: String,
    /// Owner of the drive; the Google subject, the Dropbox account.
    pub owner: Actor,
    /// Whether Dropbox folders are shared.
    pub sharing: Sharing,
    /// Where the world is on the Google Drive face.
    pub google_corpus: GoogleCorpus,
    /// What its user may do there.
    pub google_role: GoogleRole,
    /// Which revisions the provider still has; by default all.
    pub keep: Keep,
    /// What kind of drive the OneDrive face shows.
    pub onedrive_account: OneDriveAccount,
    /// Saves of so long a time share one revision, as with co-authoring (OneDrive) and in files of the editors (Google Drive); `None`:
    /// each save stands for itself.
    pub merging: Option<SignedDuration>,
    /// How the audit logs behave.
    pub audit: Audit,
    /// What else the token endpoints accept.
    pub credentials: Credentials,
    /// Time every answer of a face takes at least; zero answers at once.
    pub latency: Duration,
    /// How much of its API each provider lets a client use; `None`: as much as it likes.
    pub quota: Option<Quota>,
    /// Origin that a forged link of [`Fault::ForeignNextLink`] leads to.
    pub foreign_origin: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            page_size: None,
            seed: 1,
            client_id: "revtrail-sim".to_owned(),
            client_secret: "sim-secret".to_owned(),
            refresh_token: "sim-refresh".to_owned(),
            owner: Actor {
                email: "owner@handbook.example".to_owned(),
                name: "Drive Owner".to_owned(),
            },
            sharing: Sharing::Shared,
            google_corpus: GoogleCorpus::default(),
            google_role: GoogleRole::default(),
            keep: Keep::default(),
            onedrive_account: OneDriveAccount::default(),
            merging: None,
            audit: Audit::default(),
            credentials: Credentials::default(),
            latency: Duration::ZERO,
            quota: None,
            foreign_origin: "https://graph.attacker.example".to_owned(),
        }
    }
}

/// One request (or one part of a batch), as handlers see it: `Extension<Call>`.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) provider: Provider,
    pub(crate) operation: &'static str,
    /// GUID for OneDrive, 32 hex digits for Dropbox; the middleware sets the header, bodies may repeat it.
    pub(crate) request_id: String,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenProblem {
    /// None was sent.
    Missing,
    /// Never issued, or by another provider.
    Unknown,
    /// Issued, and expired since.
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenState {
    Good(Provider),
    Expired(Provider),
}

/// Requests per provider and operation.
pub(crate) type Counts = BTreeMap<Provider, BTreeMap<&'static str, u64>>;

/// State shared by the three faces and the control port. Locks are held for the time of one call and never across an await.
#[derive(Debug)]
pub struct Sim {
    source: WorldSource,
    world: RwLock<World>,
    options: Options,
    content: ContentStore,
    faults: FaultBox,
    counts: Mutex<Counts>,
    ledger: Ledger,
    tokens: Mutex<HashMap<String, TokenState>>,
    vault: Vault,
    random: Mutex<u64>,
    pins: Mutex<BTreeSet<(ItemNo, u64)>>,
    held: Held,
    subscription: Subscription,
    /// Saves whose revisions somebody deleted.
    purged: Mutex<BTreeSet<u64>>,
    bases: OnceLock<BTreeMap<Provider, String>>,
}

impl Sim {
    /// A simulator before the first edit of `source`.
    pub fn new(source: WorldSource, options: Options) -> Arc<Self> {
        Arc::new(Self {
            world: RwLock::new(source.world()),
            source,
            content: ContentStore::default(),
            faults: FaultBox::default(),
            counts: Mutex::default(),
            ledger: Ledger::new(options.quota),
            tokens: Mutex::default(),
            vault: Vault::default(),
            random: Mutex::new(options.seed),
            pins: Mutex::default(),
            held: Held::default(),
            subscription: Subscription::new(options.audit.subscribed_at),
            purged: Mutex::default(),
            bases: OnceLock::new(),
            options,
        })
    }

    /// All edits, for replaying.
    pub fn source(&self) -> &WorldSource {
        &self.source
    }

    /// The options it was made with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The world as it is; let go of it before any await.
    pub fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The virtual present.
    pub fn now(&self) -> Timestamp {
        self.world().now()
    }

    /// Moves the present; see [`World::advance`].
    pub fn advance(&self, to: Timestamp) -> Result<usize, SimulatorError> {
        self.world
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .advance(to)
    }

    /// Applies further edits; see [`World::advance_edits`].
    pub fn advance_edits(&self, count: usize) -> Result<usize, SimulatorError> {
        self.world
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .advance_edits(count)
    }

    /// Entries to put on a page: the client's wish or `default`, at most `limit` and the option, at least 1.
    pub(crate) fn page_size(&self, asked: Option<usize>, default: usize, limit: usize) -> usize {
        let size = asked.unwrap_or(default).min(limit);
        self.options.page_size.map_or(size, |most| size.min(most)).max(1)
    }

    /// Which of a file's saves the provider still has at `now`.
    pub(crate) fn kept(&self, now: Timestamp, saves: &[Save]) -> Vec<bool> {
        let times: Vec<Timestamp> = saves.iter().map(|save| save.at).collect();
        let purged = lock(&self.purged);
        let kept = self.options.keep.kept(now, &times).into_iter().zip(saves);
        kept.map(|(kept, save)| kept && !purged.contains(&save.seq))
            .collect()
    }

    /// Somebody deletes a revision for good (OneDrive, Google Drive): the save number `place`, counted from 0, of the file at a path.
    /// False where there is none, and for the newest, which cannot be deleted.
    pub fn purge(&self, path: &str, place: usize) -> bool {
        let world = self.world();
        let saves = world.find(path).map(|item| item.saves.as_slice());
        let older = saves.and_then(|saves| saves.split_last()?.1.get(place));
        older.is_some_and(|save| lock(&self.purged).insert(save.seq))
    }

    /// Pins a revision (Google Drive), so that it outlives every limit: the save number `place`, counted from 0, of the file at a path.
    /// False where there is none, and when the file has two hundred pins already.
    pub fn pin(&self, path: &str, place: usize) -> bool {
        let world = self.world();
        let found = world.find(path);
        let Some((no, save)) = found.and_then(|item| Some((item.no, item.saves.get(place)?))) else {
            return false;
        };
        let mut pins = lock(&self.pins);
        let others = pins.range((no, 0)..=(no, u64::MAX)).count();
        others < PINS && pins.insert((no, save.seq))
    }

    pub(crate) fn is_purged(&self, seq: u64) -> bool {
        lock(&self.purged).contains(&seq)
    }

    pub(crate) fn is_pinned(&self, no: ItemNo, seq: u64) -> bool {
        lock(&self.pins).contains(&(no, seq))
    }

    /// The revisions that are left of a file's saves where several share one.
    pub(crate) fn merged<'s>(&self, saves: &'s [Save]) -> Cow<'s, [Save]> {
        merged(saves, self.options.merging)
    }

    /// The digest of a save's content in the provider's spelling.
    pub fn digest(&self, algorithm: Algorithm, save: &Save) -> Arc<str> {
        self.content.digest(algorithm, &save.content_key, save.size)
    }

    /// `http://127.0.0.1:PORT` of a face, without a `/` at the end; for next links and the like.
    pub fn base_url(&self, provider: Provider) -> &str {
        self.bases
            .get()
            .and_then(|bases| bases.get(&provider))
            .map_or("http://127.0.0.1", String::as_str)
    }

    pub(crate) fn set_base_urls(&self, bases: BTreeMap<Provider, String>) {
        // A simulator is served once; a second set of ports would contradict links already given out.
        let _ = self.bases.set(bases);
    }

    /// Id of the shared drive of the Google Drive face, where the world is on one.
    pub fn google_shared_drive(&self) -> String {
        crate::drive::ids::shared_drive(&self.options.owner.email)
    }

    /// A new access token for this provider.
    pub fn issue_token(&self, provider: Provider) -> String {
        let mut tokens = lock(&self.tokens);
        let text = format!("{}-{}-{}", provider.word(), self.options.seed, tokens.len());
        let token = format!("sim-{}", ids::hex(&ids::derive("token", &text)));
        tokens.insert(token.clone(), TokenState::Good(provider));
        token
    }

    /// Whether this provider accepts the token a request carries; see [`crate::oauth::bearer`].
    pub(crate) fn check_token(&self, provider: Provider, bearer: Option<&str>) -> Result<(), TokenProblem> {
        let token = bearer.ok_or(TokenProblem::Missing)?;
        match lock(&self.tokens).get(token) {
            Some(TokenState::Good(owner)) if *owner == provider => Ok(()),
            Some(TokenState::Expired(owner)) if *owner == provider => Err(TokenProblem::Expired),
            _ => Err(TokenProblem::Unknown),
        }
    }

    /// Makes a token invalid from now on.
    pub fn expire_token(&self, token: &str) {
        if let Some(state) = lock(&self.tokens).get_mut(token) {
            let (TokenState::Good(owner) | TokenState::Expired(owner)) = *state;
            *state = TokenState::Expired(owner);
        }
    }

    /// Records of audit logs that are given later than they would be.
    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    /// The tenant's subscription to its audit log (OneDrive).
    pub(crate) fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The federated token the OneDrive login accepts from now on, in place of any before.
    pub fn set_federated_token(&self, token: &str) {
        self.vault.set_federated(token);
    }

    /// Refresh tokens given in place of others so far, oldest first.
    pub fn replaced_refresh_tokens(&self) -> Vec<String> {
        self.vault.refresh_tokens()
    }

    /// Refuses this refresh token from now on.
    pub fn revoke_refresh_token(&self, token: &str) {
        self.vault.revoke(token);
    }

    /// All access tokens given out so far; a test looks for them where they must not be.
    pub fn access_tokens(&self) -> Vec<String> {
        lock(&self.tokens).keys().cloned().collect()
    }

    /// Counts a request, or a part of a batch.
    pub(crate) fn begin(&self, provider: Provider, operation: &'static str) -> Call {
        let mut counts = lock(&self.counts);
        let count = counts.entry(provider).or_default().entry(operation).or_default();
        *count += 1;
        let text = format!("{}-{}-{operation}-{count}", provider.word(), self.options.seed);
        drop(counts);
        let guid = ids::guid("request", &text);
        let request_id = if provider == Provider::Dropbox {
            guid.replace('-', "")
        } else {
            guid
        };
        Call {
            provider,
            operation,
            request_id,
        }
    }

    /// The fault of this kind that fires on this call, if one does. Ask once per call, and only where it can be applied.
    pub(crate) fn fires(&self, call: &Call, kind: FaultKind) -> Option<Fault> {
        self.faults.fires(call.provider, call.operation, kind)
    }

    /// Whether an answer has this oddity; as for [`Self::fires`].
    pub(crate) fn is_odd(&self, call: &Call, which: Oddity) -> bool {
        self.fires(call, FaultKind::Oddity(which)).is_some()
    }

    /// Adds plans to those in force.
    pub fn plan_faults(&self, plans: Vec<FaultPlan>) {
        self.faults.add(plans);
    }

    /// Removes all plans and forgets how often they fired.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// How often each kind of fault fired.
    pub fn faults_fired(&self) -> BTreeMap<FaultKind, u64> {
        self.faults.fired()
    }

    /// Requests so far per provider and operation; parts of a batch count as their own operation, too.
    pub fn counts(&self) -> BTreeMap<Provider, BTreeMap<&'static str, u64>> {
        lock(&self.counts).clone()
    }

    /// Units of a request or a part of a batch, spent. Beyond the quota: after how many seconds there are some again.
    pub(crate) fn charge(&self, call: &Call, target: &str) -> Option<u64> {
        self.ledger.charge(call.provider, quota::cost(call, target))
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What each provider was asked for so far.
    pub fn used(&self) -> BTreeMap<Provider, Use> {
        self.ledger.used()
    }

    /// Sets another quota from now on.
    pub fn set_quota(&self, quota: Quota) {
        self.ledger.limit(quota);
    }

    /// Starts counting requests and units anew.
    pub fn reset_counts(&self) {
        lock(&self.counts).clear();
        self.ledger.reset();
    }

    /// The next number of the seeded sequence.
    pub fn random(&self) -> u64 {
        next(&mut lock(&self.random))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
