use std::sync::Mutex;

use async_trait::async_trait;
use revtrail_connector::{
    Access, Activity, ActivityId, ActivityPage, Addressing, Capabilities, Content, ContentRef, Creation,
    Extent, FeedPage, FeedPoint, Page, Place, Target, Usage,
    change::{Raw, RevisionAnswer, RevisionAsk},
};
use revtrail_model::{
    disclosure::Seed,
    event::{ActorDetails, ActorKind, ActorSource, ItemKind},
    id::{ItemId, PageToken},
    leaf::Outcome,
    sha256,
    time::{FixedClock, parse},
};

use super::*;
use crate::inventory::Item;

mod second;

/// A log that holds records, in the order they appeared, and may refuse.
#[derive(Default)]
struct Log {
    appeared: Mutex<Vec<Activity>>,
    /// The next answer is this failure.
    refuses: Mutex<Option<ErrorKind>>,
    asked: Mutex<Vec<ActivityPoint>>,
    now: Mutex<Option<Timestamp>>,
    /// What a second log holds, or how it refuses; there is none without.
    second: Mutex<Option<Result<Vec<Activity>, ErrorKind>>>,
    second_asked: Mutex<Vec<ActivityPoint>>,
}

#[async_trait]
impl Connector for Log {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            provider: Provider::Dropbox,
            revision_batch: 1,
            batches_in_flight: 1,
            addressing: Addressing::Place,
            creation: Creation::Reported,
        }
    }

    async fn preflight(&self) -> Result<Access, ConnectorError> {
        Err(none())
    }

    async fn resolve(&self, _: &Place) -> Result<FolderRoot, ConnectorError> {
        Err(none())
    }

    async fn changes(&self, _: &FolderRoot, _: FeedPoint) -> Result<FeedPage, ConnectorError> {
        Err(none())
    }

    async fn subtree(
        &self,
        _: &FolderRoot,
        _: &ItemId,
        _: Option<PageToken>,
    ) -> Result<Page, ConnectorError> {
        Err(none())
    }

    async fn revisions(
        &self,
        _: &FolderRoot,
        _: &[RevisionAsk],
    ) -> Result<Vec<RevisionAnswer>, ConnectorError> {
        Err(none())
    }

    async fn content(&self, _: &FolderRoot, _: &ContentRef, _: usize) -> Result<Content, ConnectorError> {
        Err(none())
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }

    fn second_audit(&self) -> Option<AuditLog> {
        let has_one = self.second.lock().unwrap().is_some();
        has_one.then_some(AuditLog {
            source: ActorSource::Activity,
            lateness: Duration::from_hours(24),
            reach: None,
        })
    }

    async fn second_activity(
        &self,
        _: &[FolderRoot],
        at: ActivityPoint,
    ) -> Result<ActivityPage, ConnectorError> {
        self.second_asked.lock().unwrap().push(at);
        match self.second.lock().unwrap().clone().unwrap() {
            Err(kind) => Err(ConnectorError::new(kind, Provider::Dropbox, "activity")),
            Ok(activities) => Ok(ActivityPage {
                activities,
                next: Next::CaughtUp("end".into()),
                answered_at: None,
            }),
        }
    }

    /// Two records a page. A cursor or token is the number of records read.
    async fn activity(&self, _: &[FolderRoot], at: ActivityPoint) -> Result<ActivityPage, ConnectorError> {
        self.asked.lock().unwrap().push(at.clone());
        if let Some(kind) = self.refuses.lock().unwrap().take() {
            return Err(ConnectorError::new(kind, Provider::Dropbox, "activity"));
        }
        let appeared = self.appeared.lock().unwrap();
        let (from, earliest) = match at {
            ActivityPoint::From(moment) => (0, Some(moment)),
            ActivityPoint::After(cursor) => (cursor.as_str().parse().unwrap(), None),
            ActivityPoint::Page(token) => (token.as_str().parse().unwrap(), None),
        };
        let to = appeared.len().min(from + 2);
        let page = appeared[from..to].iter();
        let next = if to < appeared.len() {
            Next::Page(to.to_string().into())
        } else {
            Next::CaughtUp(to.to_string().into())
        };
        Ok(ActivityPage {
            activities: page
                .filter(|activity| earliest.is_none_or(|earliest| activity.at >= earliest))
                .cloned()
                .collect(),
            next,
            answered_at: *self.now.lock().unwrap(),
        })
    }
}

fn none() -> ConnectorError {
    ConnectorError::new(ErrorKind::NotSupported, Provider::Dropbox, "test")
}

fn at(time: &str) -> Timestamp {
    parse(&format!("2026-11-2{time}Z")).unwrap()
}

fn actor(name: &str) -> Actor {
    Actor {
        kind: ActorKind::User,
        details: ActorDetails {
            id: Some(name.into()),
            ..ActorDetails::default()
        },
        application: None,
    }
}

/// `who` deleted `item` (with what lies below) at a moment; `body` tells records apart.
fn deletion(body: &str, who: &str, (item, moment): (&str, &str)) -> Activity {
    Activity {
        id: ActivityId::of_id(body),
        at: at(moment),
        explains: vec![Action::Deleted],
        targets: vec![Target {
            drive: None,
            item: Some(item.into()),
            place: None,
            revision: None,
            extent: Extent::WithContents,
        }],
        actor: Some(actor(who)),
        client: None,
        raw: Raw {
            body: format!("\"{body}\""),
            operation: "team_log.get_events",
            request_id: Some("q".into()),
            unknown: 0,
        },
    }
}

/// The deletion of an item between two looks.
fn deleted(item: &str, (from, to): (&str, &str)) -> Waiting {
    Waiting {
        action: Action::Deleted,
        drive: "ns".into(),
        explained: Vec::new(),
        folder: "close".into(),
        id: sha256(item.as_bytes()),
        item: item.into(),
        not_before: Some(at(from)),
        place: None,
        revision: None,
        shared: false,
        not_after: at(to),
        given_up: false,
        above: vec!["dir".into(), "root".into()],
    }
}

struct Bench {
    log: Arc<Log>,
    connector: Arc<dyn Connector>,
    clock: Arc<dyn Clock>,
    ledger: LedgerName,
    inventory: Inventory,
    state: AuditState,
    /// Which log the last reading named for each finding, and why nobody, where it named nobody.
    sources: Vec<(ActorSource, Option<Unexplained>)>,
}

/// What was said of an item: outcome, actor id, basis, moment.
type Said = (Outcome, Option<String>, Basis, Option<Timestamp>);

impl Bench {
    fn new(events: Vec<Waiting>) -> Self {
        let log = Arc::new(Log::default());
        let mut inventory = Inventory::default();
        for item in ["dir", "a", "b"] {
            inventory.put(item.into(), Item::new(ItemKind::File));
        }
        Self {
            connector: Arc::<Log>::clone(&log),
            log,
            clock: Arc::new(FixedClock(at("1T12:00:00"))),
            ledger: "finance".into(),
            inventory,
            state: AuditState {
                events,
                ..AuditState::default()
            },
            sources: Vec::new(),
        }
    }

    fn appears(&self, record: Activity) {
        self.log.appeared.lock().unwrap().push(record);
    }

    /// Reads the log at a moment, the folder having been looked at just before.
    async fn read(&mut self, now: &str) -> (AuditRead, Vec<Said>, Option<Vec<u8>>) {
        *self.log.now.lock().unwrap() = Some(at(now));
        let log = AuditLog {
            source: ActorSource::AuditLog,
            lateness: Duration::from_hours(24),
            reach: Some(Duration::from_hours(7 * 24)),
        };
        let root = FolderRoot {
            drive: "ns".into(),
            item: "root".into(),
            place: None,
            name: None,
            parent: None,
            former: Vec::new(),
        };
        let account = Account {
            ledger: &self.ledger,
            connector: &self.connector,
            folders: vec![Seen {
                root,
                inventory: Some(&self.inventory),
                until: Some(at(now)),
            }],
            clock: &self.clock,
        };
        let mut spool = Spool::new(Seed::from_bytes([1; 32])).unwrap();
        let enriched = account.enrich(log, &mut self.state, &mut spool).await.unwrap();
        let told = enriched.annotations.iter().map(|annotation| {
            let reason = match annotation.finding {
                Finding::Nothing(reason) => Some(reason),
                Finding::Record(_) => None,
            };
            (annotation.source, reason)
        });
        self.sources = told.collect();
        let said = enriched
            .annotations
            .into_iter()
            .map(|annotation| match annotation.finding {
                Finding::Record(record) => (
                    if record.contested {
                        Outcome::Ambiguous
                    } else {
                        Outcome::Attributed
                    },
                    record.actor.and_then(|actor| actor.details.id),
                    record.basis,
                    Some(record.occurred_at),
                ),
                Finding::Nothing(_) => (Outcome::Unattributed, None, Basis::Reported, None),
            });
        let said = said.collect();
        let raw = spool.finish().unwrap();
        (
            enriched.read,
            said,
            raw.map(|raw| zstd::decode_all(raw.as_slice()).unwrap()),
        )
    }
}

fn said(outcome: Outcome, who: &str, basis: Basis, moment: &str) -> Said {
    (outcome, Some(who.into()), basis, Some(at(moment)))
}

const LOOKS: (&str, &str) = ("1T08:00:00", "1T10:00:00");

#[tokio::test]
async fn the_one_record_that_fits_names_the_actor() {
    let mut bench = Bench::new(vec![deleted("a", LOOKS)]);
    bench.appears(deletion("too early", "mallory", ("a", "1T07:00:00")));
    bench.appears(deletion("r", "alice", ("a", "1T09:00:00")));
    bench.appears(deletion("of another item", "mallory", ("b", "1T09:00:00")));
    let (read, found, raw) = bench.read("1T10:00:05").await;
    assert_eq!(
        found,
        [said(Outcome::Attributed, "alice", Basis::Reported, "1T09:00:00")]
    );
    assert_eq!((read.state, read.records), (WindowState::Complete, Count(3)));
    assert_eq!((read.covers_from, read.covers_to), (None, Some(at("1T10:00:05"))));
    let raw = String::from_utf8(raw.unwrap()).unwrap();
    assert!(raw.contains(r#""body":"\"r\"","n":0,"operation":"team_log.get_events","request_id":"q""#));
    assert_eq!(raw.lines().count(), 1);
}

#[tokio::test]
async fn a_record_told_twice_or_read_again_after_a_lost_cursor_says_nothing_new() {
    let mut bench = Bench::new(vec![deleted("a", LOOKS)]);
    bench.appears(deletion("r", "alice", ("a", "1T09:00:00")));
    bench.appears(deletion("r", "alice", ("a", "1T09:00:00")));
    assert_eq!(bench.read("1T10:00:05").await.1.len(), 1);
    *bench.log.refuses.lock().unwrap() = Some(ErrorKind::CursorExpired);
    let (read, found, raw) = bench.read("1T12:00:00").await;
    assert_eq!((found, raw), (vec![], None));
    assert_eq!((read.state, read.lost_before), (WindowState::Complete, None));
    assert_eq!(
        bench.log.asked.lock().unwrap()[1..],
        [
            ActivityPoint::After("2".into()),
            ActivityPoint::From(at("0T10:00:05"))
        ]
    );
}

#[tokio::test]
async fn records_that_name_different_actors_are_all_told_and_none_is_believed() {
    let mut bench = Bench::new(vec![deleted("a", LOOKS)]);
    bench.appears(deletion("r2", "bob", ("a", "1T09:30:00")));
    bench.appears(deletion("r1", "alice", ("a", "1T09:00:00")));
    assert_eq!(
        bench.read("1T10:00:05").await.1,
        [
            said(Outcome::Ambiguous, "alice", Basis::Reported, "1T09:00:00"),
            said(Outcome::Ambiguous, "bob", Basis::Reported, "1T09:30:00"),
        ]
    );
}

#[tokio::test]
async fn contents_of_a_deleted_folder_are_explained_through_it_unless_they_have_a_record_of_their_own() {
    let mut bench = Bench::new(vec![deleted("a", LOOKS), deleted("b", LOOKS)]);
    bench.appears(deletion("folder", "alice", ("dir", "1T09:30:00")));
    bench.appears(deletion("own", "bob", ("b", "1T09:00:00")));
    let (_, found, raw) = bench.read("1T10:00:05").await;
    assert_eq!(
        found,
        [
            said(Outcome::Attributed, "alice", Basis::Derived, "1T09:30:00"),
            said(Outcome::Attributed, "bob", Basis::Reported, "1T09:00:00"),
        ]
    );
    assert_eq!(String::from_utf8(raw.unwrap()).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn a_record_that_comes_before_its_event_waits_for_it() {
    let mut bench = Bench::new(vec![]);
    bench.appears(deletion("r", "alice", ("a", "1T10:00:04")));
    assert_eq!(bench.read("1T10:00:05").await.1, []);
    bench
        .state
        .events
        .push(deleted("a", ("1T10:00:00", "1T11:00:00")));
    assert_eq!(
        bench.read("1T11:00:05").await.1,
        [said(Outcome::Attributed, "alice", Basis::Reported, "1T10:00:04")]
    );
    // Shown by every folder, if it ever will be: the record is let go.
    bench.read("1T13:00:00").await;
    assert_eq!(bench.state.records, []);
}

#[tokio::test]
async fn an_event_is_given_up_when_its_record_is_overdue_and_a_later_record_still_tells() {
    let mut bench = Bench::new(vec![deleted("a", LOOKS)]);
    assert_eq!(bench.read("2T09:59:00").await.1, []);
    assert_eq!(
        bench.read("2T10:00:01").await.1,
        [(Outcome::Unattributed, None, Basis::Reported, None)]
    );
    assert_eq!(bench.read("2T11:00:00").await.1, []);
    bench.appears(deletion("late", "alice", ("a", "1T09:00:00")));
    assert_eq!(
        bench.read("2T12:00:00").await.1,
        [said(Outcome::Attributed, "alice", Basis::Reported, "1T09:00:00")]
    );
    bench.read("9T12:00:00").await;
    assert_eq!(bench.state.events, []);
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_told_and_events_wait() {
    let mut bench = Bench::new(vec![deleted("a", LOOKS)]);
    bench.appears(deletion("r", "alice", ("a", "1T09:00:00")));
    *bench.log.refuses.lock().unwrap() = Some(ErrorKind::PermissionDenied);
    let (read, found, raw) = bench.read("1T10:00:05").await;
    assert_eq!((found, raw), (vec![], None));
    assert_eq!(
        (read.state, read.detail.as_deref(), read.covers_to),
        (WindowState::Failed, Some("permission denied"), None)
    );
    assert_eq!(
        bench.read("1T12:00:00").await.1,
        [said(Outcome::Attributed, "alice", Basis::Reported, "1T09:00:00")]
    );
}

#[tokio::test]
async fn what_the_log_no_longer_reaches_is_told_as_lost() {
    let mut bench = Bench::new(vec![]);
    bench.state.read_to = Some(at("0T12:00:00"));
    bench.clock = Arc::new(FixedClock(at("8T12:00:00")));
    let (read, ..) = bench.read("8T12:00:00").await;
    assert_eq!(
        (read.state, read.covers_from, read.lost_before),
        (
            WindowState::Partial,
            Some(at("0T12:00:00")),
            Some(at("1T12:00:00"))
        )
    );
}

#[tokio::test]
async fn of_two_deletions_of_one_item_a_record_explains_the_one_whose_bounds_hold_it() {
    let second = Waiting {
        id: sha256(b"second"),
        ..deleted("a", ("1T10:00:00", "1T11:00:00"))
    };
    let mut bench = Bench::new(vec![deleted("a", LOOKS), second]);
    bench.appears(deletion("r1", "alice", ("a", "1T09:59:00")));
    bench.appears(deletion("r2", "bob", ("a", "1T10:01:00")));
    assert_eq!(
        bench.read("1T11:00:05").await.1,
        [
            said(Outcome::Attributed, "alice", Basis::Reported, "1T09:59:00"),
            said(Outcome::Attributed, "bob", Basis::Reported, "1T10:01:00"),
        ]
    );
}

/// `who` saved an item, or a folder, at a moment.
fn save(body: &str, who: &str, (item, moment): (&str, &str)) -> Activity {
    Activity {
        explains: vec![Action::Created, Action::Modified],
        ..deletion(body, who, (item, moment))
    }
}

/// A revision without author, which took what was saved between two moments.
fn saved(item: &str, bounds: (&str, &str)) -> Waiting {
    Waiting {
        action: Action::Modified,
        revision: Some("r".into()),
        ..deleted(item, bounds)
    }
}

#[tokio::test]
async fn a_save_is_explained_by_a_record_within_its_bounds_and_no_other() {
    let mut bench = Bench::new(vec![saved("a", LOOKS)]);
    // Of the revisions before and after, whose authors are known; these do not wait.
    bench.appears(save("before", "mallory", ("a", "1T07:59:59")));
    bench.appears(save("after", "mallory", ("a", "1T10:00:01")));
    bench.appears(save("of the folder", "mallory", ("dir", "1T09:00:00")));
    bench.appears(deletion("no save", "mallory", ("a", "1T09:00:00")));
    assert_eq!(bench.read("1T10:00:05").await.1, []);
    bench.appears(save("own", "alice", ("a", "1T09:00:00")));
    assert_eq!(
        bench.read("1T10:01:00").await.1,
        [said(Outcome::Attributed, "alice", Basis::Reported, "1T09:00:00")]
    );
}

/// Several people worked on one version: none of them is its author.
#[tokio::test]
async fn who_worked_on_a_version_together_is_all_told() {
    let mut bench = Bench::new(vec![saved("a", LOOKS)]);
    bench.appears(save("1", "alice", ("a", "1T08:10:00")));
    bench.appears(save("2", "bob", ("a", "1T08:20:00")));
    bench.appears(save("3", "alice", ("a", "1T08:30:00")));
    let names = [
        ("alice", "1T08:10:00"),
        ("bob", "1T08:20:00"),
        ("alice", "1T08:30:00"),
    ];
    assert_eq!(
        bench.read("1T10:00:05").await.1,
        names.map(|(who, when)| said(Outcome::Ambiguous, who, Basis::Reported, when))
    );
}

/// Of several revisions within the same bounds, one record names the author of one, and does not say which.
#[tokio::test]
async fn a_record_that_may_be_of_another_revision_decides_nothing() {
    let shared = Waiting {
        shared: true,
        ..saved("a", LOOKS)
    };
    let mut bench = Bench::new(vec![shared]);
    bench.appears(save("one", "alice", ("a", "1T09:00:00")));
    assert_eq!(
        bench.read("1T10:00:05").await.1,
        [said(Outcome::Ambiguous, "alice", Basis::Reported, "1T09:00:00")]
    );
}

/// What is created after the look is not known yet when the log is read.
#[tokio::test]
async fn a_record_of_something_new_waits_for_the_look_that_shows_it() {
    let mut bench = Bench::new(vec![]);
    let mut record = save("r", "alice", ("new", "1T10:00:04"));
    record.targets[0].drive = Some("ns".into());
    bench.appears(record);
    assert_eq!(bench.read("1T10:00:05").await.1, []);
    let created = Waiting {
        action: Action::Created,
        ..saved("new", ("1T10:00:00", "1T11:00:00"))
    };
    bench.state.events.push(created);
    assert_eq!(
        bench.read("1T11:00:05").await.1,
        [said(Outcome::Attributed, "alice", Basis::Reported, "1T10:00:04")]
    );
}
