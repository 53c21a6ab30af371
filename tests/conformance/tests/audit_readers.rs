//! Readers of audit logs against the simulator: what they tell of deletions, moves, renames and restorations is what the logs had, each
//! once, whatever order and however late; and what is not there yet comes with a later reading.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeMap, sync::Arc};

use revtrail_connector::{
    Activity, ActivityPoint, Connector, DrivePlace, ErrorKind, FolderRoot, Next, Place, Within,
};
use revtrail_model::{
    event::Action,
    time::{Clock, Timestamp as Moment},
};
use revtrail_simulator::{
    AuditAccess, Edit, Fault, FaultPlan, Options, Ports, Provider, Running, Sim, Timestamp, WorldSource,
    serve,
    truth::{
        FactAction,
        audit::{AuditFact, FactActorKind, told},
    },
};
use rstest::rstest;
use tempfile::TempDir;

const TENANT: &str = "6d1c0a4e-9c1f-4a46-8f3e-2b1d7c5a9e10";

/// The simulator's present.
struct Virtual(Arc<Sim>);

impl Clock for Virtual {
    fn now(&self) -> Moment {
        self.0.now()
    }
}

fn at(day: u32, minute: u32) -> Timestamp {
    format!("2026-10-{day:02}T08:{minute:02}:00Z").parse().unwrap()
}

fn edits() -> Vec<Edit> {
    let mut edits = vec![
        Edit::created(at(1, 1), "Handbook/a.txt", 11).by("ada@handbook.example"),
        Edit::created(at(1, 2), "Handbook/d/b.txt", 12).by("ada@handbook.example"),
        Edit::created(at(1, 3), "Elsewhere/c.txt", 13).by("bo@handbook.example"),
        Edit::renamed(at(4, 1), "Handbook/a.txt", "Handbook/a2.txt").by("bo@handbook.example"),
        Edit::renamed(at(4, 2), "Elsewhere/c.txt", "Handbook/d/c.txt").by("bo@handbook.example"),
        Edit::deleted(at(4, 3), "Handbook/a2.txt").by("ada@handbook.example"),
        Edit::restored(at(4, 4), "Handbook/a2.txt").by("service@automation.invalid"),
        Edit::deleted(at(4, 5), "Handbook/d").by("ada@handbook.example"),
    ];
    edits[5].application = Some("Sorter".into());
    edits
}

struct Stage {
    running: Running,
    connector: Box<dyn Connector>,
    root: FolderRoot,
    _secrets: TempDir,
}

/// The connector of an account whose log is to be read, and its drive.
fn connect(
    running: &Running,
    (provider, kind): (Provider, &str),
    (secret, refresh): (&str, &str),
) -> (Box<dyn Connector>, DrivePlace) {
    let sim = running.sim();
    let url = running.url(provider);
    let common = serde_json::json!({
        "client_id": sim.options().client_id, "client_secret_file": secret,
        "retry_base_ms": 1, "requests_per_second": 100_000.0, "audit_url": url,
    });
    let with = |more: serde_json::Value| {
        let mut account = common.clone();
        let members = account.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        account
    };
    let clock: Arc<dyn Clock> = Arc::new(Virtual(Arc::clone(sim)));
    match provider {
        Provider::OneDrive => {
            let account = with(serde_json::json!({
                "tenant": TENANT, "audit": true, "api_url": format!("{url}/v1.0"),
                "token_url": format!("{url}/{TENANT}/oauth2/v2.0/token"),
            }));
            let account: revtrail_onedrive::AccountFile = serde_json::from_value(account).unwrap();
            let connector = revtrail_onedrive::connect(&account.try_into().unwrap(), clock).unwrap();
            (
                connector,
                DrivePlace::Id(running.onedrive_drive().as_str().into()),
            )
        }
        Provider::GoogleDrive => {
            let account = with(serde_json::json!({
                "refresh_token_file": refresh, "audit": kind, "api_url": url, "token_url": format!("{url}/token"),
            }));
            let account: revtrail_google_drive::AccountFile = serde_json::from_value(account).unwrap();
            let connector = revtrail_google_drive::connect(&account.try_into().unwrap(), clock).unwrap();
            (connector, DrivePlace::Own)
        }
        Provider::Dropbox => panic!("read elsewhere"),
    }
}

impl Stage {
    /// Folder found on the 2nd; the world stands there.
    async fn new(provider: Provider, kind: &str, access: AuditAccess) -> Self {
        let mut options = Options {
            page_size: Some(3),
            ..Options::default()
        };
        options.audit.access = access;
        let sim = Sim::new(WorldSource::from_edits(edits()), options);
        sim.advance(at(2, 0)).unwrap();
        let running = serve(Arc::clone(&sim), Ports::default()).await.unwrap();
        let secrets = TempDir::new().unwrap();
        let write = |name: &str, text: &str| {
            let path = secrets.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let secret = write("secret", &sim.options().client_secret);
        let refresh = write("refresh", &sim.options().refresh_token);
        let (connector, drive) = connect(&running, (provider, kind), (&secret, &refresh));
        let place = Place {
            drive,
            within: Within::Path("/Handbook".to_owned()),
        };
        let root = connector.resolve(&place).await.unwrap();
        Self {
            running,
            connector,
            root,
            _secrets: secrets,
        }
    }

    fn sim(&self) -> &Arc<Sim> {
        self.running.sim()
    }

    /// All pages; the records by id, and where to go on.
    async fn read(&self, mut at: ActivityPoint) -> (Vec<Activity>, ActivityPoint) {
        let roots = [self.root.clone()];
        let mut found = Vec::new();
        loop {
            let page = self.connector.activity(&roots, at).await.unwrap();
            found.extend(page.activities);
            match page.next {
                Next::Page(token) => at = ActivityPoint::Page(token),
                Next::CaughtUp(cursor) => return (found, ActivityPoint::After(cursor)),
            }
        }
    }
}

/// What events find without an actor.
fn is_wanted(fact: &AuditFact) -> bool {
    !matches!(fact.action, FactAction::Created | FactAction::Modified)
}

fn action(fact: &AuditFact) -> Action {
    match fact.action {
        FactAction::Renamed => Action::Renamed,
        FactAction::Moved => Action::Moved,
        FactAction::Deleted => Action::Deleted,
        FactAction::Trashed => Action::Trashed,
        FactAction::Restored => Action::Restored,
        other => panic!("{other:?} is not wanted"),
    }
}

/// A kind of actor in the words of the event schema.
const fn word(kind: FactActorKind) -> &'static str {
    match kind {
        FactActorKind::User => "user",
        FactActorKind::Application => "application",
        FactActorKind::Service => "service",
        FactActorKind::Anonymous => "anonymous",
        FactActorKind::Unknown => "unknown",
    }
}

/// Each record once, and each fact by exactly one of them. Of the kinds of log, Drive Activity names account numbers only.
fn assert_told(activities: &[Activity], facts: &[AuditFact], kind: &str) {
    let records: BTreeMap<_, &Activity> = activities.iter().map(|record| (record.id, record)).collect();
    let facts: Vec<&AuditFact> = facts.iter().filter(|fact| is_wanted(fact)).collect();
    for fact in &facts {
        let fits = |record: &&&Activity| {
            let named = record.targets.iter().filter_map(|target| target.item.as_ref());
            record.at == fact.occurred_at
                && record.explains.contains(&action(fact))
                && named.clone().any(|item| item.as_str() == fact.item_id)
        };
        let found: Vec<_> = records.values().filter(fits).collect();
        assert_eq!(found.len(), 1, "{fact:?}");
        let actor = found[0].actor.as_ref().unwrap();
        if kind == "activity" {
            let id = fact.actor.as_ref().and_then(|actor| actor.id.as_ref());
            assert_eq!(
                (actor.kind.as_str(), actor.details.id.as_ref()),
                (word(fact.actor_kind), id),
                "{fact:?}"
            );
            assert_eq!(actor.application, None, "activity names no application");
        } else {
            let email = fact.actor.as_ref().and_then(|actor| actor.email.as_ref());
            assert_eq!(actor.details.email.as_ref(), email, "{fact:?}");
            assert_eq!(actor.kind.as_str(), word(fact.actor_kind), "{fact:?}");
            let names = (&actor.application, &fact.application);
            let name = names.0.as_ref().and_then(|one| one.name.as_ref());
            assert_eq!(name, names.1.as_ref().and_then(|one| one.name.as_ref()));
        }
    }
}

#[rstest]
#[case::onedrive(Provider::OneDrive, "")]
#[case::google_reports(Provider::GoogleDrive, "reports")]
#[case::google_activity(Provider::GoogleDrive, "activity")]
#[tokio::test]
async fn what_the_log_had_is_told_once_it_is_there(#[case] provider: Provider, #[case] kind: &str) {
    let stage = Stage::new(provider, kind, AuditAccess::Granted).await;
    let (first, mut next) = stage.read(ActivityPoint::From(at(1, 0))).await;
    assert_told(&first, &[], kind);
    // In steps, so that records come with different readings, some with late ones.
    let mut all = first;
    for (day, minute) in [(4, 4), (4, 20), (4, 59), (5, 0), (6, 0), (7, 0)] {
        stage.sim().advance(at(day, minute)).unwrap();
        let (more, after) = stage.read(next).await;
        all.extend(more);
        next = after;
    }
    let facts = told(stage.sim(), provider, "Handbook");
    assert_eq!(facts.iter().filter(|fact| is_wanted(fact)).count(), 5);
    assert_told(&all, &facts, kind);
}

fn disturbances(kind: &str) -> Vec<Fault> {
    let throttle = Fault::Throttle429 {
        retry_after: Some("0".to_owned()),
    };
    let mut faults = vec![
        throttle,
        Fault::Unavailable503 { retry_after: None },
        Fault::EmptyPage,
        Fault::DuplicateItems,
        Fault::TruncatedJson,
        Fault::ResetMidBody,
        Fault::AuditLate { minutes: 60 },
    ];
    // Without ids in the log, a record told with other members is another record.
    if kind != "activity" {
        faults.push(Fault::UnknownFields);
    }
    faults
}

#[rstest]
#[case::onedrive(Provider::OneDrive, "", &["audit_content", "audit_blob"])]
#[case::google_reports(Provider::GoogleDrive, "reports", &["reports"])]
#[case::google_activity(Provider::GoogleDrive, "activity", &["activity"])]
#[tokio::test]
async fn disturbances_change_nothing(
    #[case] provider: Provider,
    #[case] kind: &str,
    #[case] operations: &[&str],
) {
    let stage = Stage::new(provider, kind, AuditAccess::Granted).await;
    let (_, next) = stage.read(ActivityPoint::From(at(1, 0))).await;
    stage.sim().advance(at(4, 30)).unwrap();
    for operation in operations {
        let plans = disturbances(kind)
            .into_iter()
            .map(|fault| FaultPlan::once(fault).on(operation));
        stage.sim().plan_faults(plans.collect());
    }
    let (mut all, mut next) = stage.read(next).await;
    for (day, minute) in [(4, 59), (5, 10), (6, 30)] {
        stage.sim().advance(at(day, minute)).unwrap();
        let (more, after) = stage.read(next).await;
        all.extend(more);
        next = after;
    }
    let facts = told(stage.sim(), provider, "Handbook");
    assert_told(&all, &facts, kind);
    assert!(
        stage.sim().faults_fired().len() >= 6,
        "{:?}",
        stage.sim().faults_fired()
    );
}

#[rstest]
#[case::onedrive(Provider::OneDrive, "", ErrorKind::PermissionDenied)]
#[case::google_reports(Provider::GoogleDrive, "reports", ErrorKind::PermissionDenied)]
#[case::google_activity(Provider::GoogleDrive, "activity", ErrorKind::PermissionDenied)]
#[tokio::test]
async fn a_log_that_may_not_be_read_is_told_as_that(
    #[case] provider: Provider,
    #[case] kind: &str,
    #[case] expected: ErrorKind,
) {
    let stage = Stage::new(provider, kind, AuditAccess::NotGranted).await;
    let roots = [stage.root.clone()];
    let asked = stage
        .connector
        .activity(&roots, ActivityPoint::From(at(1, 0)))
        .await;
    assert_eq!(asked.unwrap_err().kind, expected);
}
