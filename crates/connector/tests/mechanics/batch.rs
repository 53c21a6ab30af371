//! Batches of revision lists: repeats, order and isolation, over a provider that answers from a script.

use std::{
    collections::VecDeque,
    ops::RangeInclusive,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use revtrail_connector::{
    ConnectorError, ErrorKind, Http,
    batch::{Batch, ListPage, Verdict, gone, revision_lists},
    change::{
        About, AskFailure, Completeness, Head, Presence, Raw, Revision, RevisionAnswer, RevisionAsk,
        RevisionList,
    },
    http::{Answer, ErrorReader, Failure, HeaderMap, Hosts, HttpSettings},
    pacing::Pacing,
    retry::RetryPolicy,
};
use revtrail_model::{
    event::TimeSource,
    id::{ItemId, Provider},
    time::{FixedClock, Timestamp},
};

const OPERATION: &str = "lists";

/// What a part is answered with, by item; used up in order, the last one stays.
#[derive(Clone)]
enum Say {
    Ids(&'static str),
    More(&'static str, &'static str),
    Later(Option<Duration>),
    Gone,
    Never,
    Silence,
    Single,
    Odd,
}

#[derive(Default)]
struct Script {
    says: Mutex<Vec<(&'static str, VecDeque<Say>)>>,
    /// Items of each batch, and single questions marked with `!`.
    asked: Mutex<Vec<String>>,
}

impl Script {
    fn on(self, item: &'static str, says: &[Say]) -> Self {
        self.says
            .lock()
            .unwrap()
            .push((item, says.iter().cloned().collect()));
        self
    }

    fn say(&self, item: &str) -> Say {
        let mut says = self.says.lock().unwrap();
        let (_, queue) = says.iter_mut().find(|(name, _)| *name == item).unwrap();
        match queue.len() {
            1 => queue[0].clone(),
            _ => queue.pop_front().unwrap(),
        }
    }
}

#[async_trait]
impl Batch for Script {
    type Page = Say;

    fn provider(&self) -> Provider {
        Provider::OneDrive
    }

    fn operation(&self) -> &'static str {
        OPERATION
    }

    fn sizes(&self) -> RangeInclusive<usize> {
        1..=3
    }

    async fn send(&self, items: &[(usize, &ItemId)]) -> Result<Vec<(usize, Verdict<Say>)>, ConnectorError> {
        let names: Vec<&str> = items.iter().map(|(_, item)| item.as_str()).collect();
        self.asked.lock().unwrap().push(names.join(","));
        let verdicts = items.iter().rev().filter_map(|(number, item)| {
            let verdict = match self.say(item.as_str()) {
                Say::Later(retry_after) => Verdict::Again(AskFailure {
                    kind: ErrorKind::RateLimited { retry_after },
                    status: Some(429),
                }),
                Say::Gone => Verdict::Gone,
                Say::Never => Verdict::Failed(AskFailure {
                    kind: ErrorKind::PermissionDenied,
                    status: Some(403),
                }),
                Say::Silence => return None,
                Say::Single => Verdict::Single,
                say => Verdict::Page(say),
            };
            Some((*number, verdict))
        });
        Ok(verdicts.collect())
    }

    async fn page(&self, item: &ItemId, next: Option<&str>) -> Result<Say, ConnectorError> {
        let note = format!("!{item}{}", next.unwrap_or_default());
        self.asked.lock().unwrap().push(note);
        match self.say(item.as_str()) {
            Say::Gone => Err(ConnectorError::new(
                ErrorKind::NotFound,
                Provider::OneDrive,
                OPERATION,
            )),
            Say::Never => Err(ConnectorError::new(
                ErrorKind::Unauthorized,
                Provider::OneDrive,
                OPERATION,
            )),
            say => Ok(say),
        }
    }

    fn read(&self, item: &ItemId, page: Say) -> Result<ListPage, Box<dyn std::error::Error + Send + Sync>> {
        let (ids, next) = match page {
            Say::Ids(ids) => (ids, None),
            Say::More(ids, next) => (ids, Some(next.to_owned())),
            _ => return Err("no list".into()),
        };
        Ok(ListPage {
            revisions: ids.split_terminator(' ').map(|id| revision(item, id)).collect(),
            next,
        })
    }

    fn list(&self, revisions: Vec<Revision>, _head: Option<&Head>) -> RevisionList {
        RevisionList {
            revisions,
            completeness: Completeness::AsKept,
            now: Presence::NotTold,
        }
    }

    fn concerns_account(&self, error: &ConnectorError) -> bool {
        error.kind == ErrorKind::Unauthorized
    }
}

fn revision(item: &ItemId, id: &str) -> Revision {
    Revision {
        item: item.clone(),
        id: id.into(),
        at: Timestamp::UNIX_EPOCH,
        time_source: TimeSource::Server,
        claimed_at: None,
        size_bytes: None,
        hashes: [].into(),
        actor: None,
        place: None,
        mime_type: None,
        skipped: 0,
        raw: Raw {
            body: "{}".into(),
            operation: OPERATION,
            request_id: None,
            unknown: 0,
        },
    }
}

struct NoErrors;

impl ErrorReader for NoErrors {
    fn read(&self, _answer: &Answer, _operation: &'static str) -> Option<Failure> {
        None
    }

    fn request_id(&self, _headers: &HeaderMap) -> Option<String> {
        None
    }
}

fn http(attempts: u32, budget: Duration) -> Http {
    let settings = HttpSettings {
        provider: Provider::OneDrive,
        hosts: Hosts::new([]),
        retry: RetryPolicy {
            base: Duration::from_millis(1),
            max: Duration::from_millis(1),
            attempts,
            budget,
        },
        pacing: Pacing::UNLIMITED,
        user_agent: "test".into(),
        max_body_bytes: 1,
        timeout: Duration::from_secs(1),
        clock: Arc::new(FixedClock(Timestamp::UNIX_EPOCH)),
    };
    Http::new(settings, None, Arc::new(NoErrors)).unwrap()
}

fn asks(items: &[&str]) -> Vec<RevisionAsk> {
    let ask = |item: &&str| RevisionAsk {
        about: match item.strip_prefix('/') {
            Some(_) => About::Place((*item).into()),
            None => About::Item((*item).into()),
        },
        head: None,
    };
    items.iter().map(ask).collect()
}

/// Each answer in a word: ids, or what went wrong.
fn words(answers: &[RevisionAnswer]) -> Vec<String> {
    let word = |answer: &RevisionAnswer| match &answer.outcome {
        Ok(list) if *list == gone() => "gone".to_owned(),
        Ok(list) => {
            let ids = list.revisions.iter().map(|revision| revision.id.as_str());
            ids.collect::<Vec<_>>().join(" ")
        }
        Err(failure) => format!("{} {:?}", failure.kind.as_str(), failure.status),
    };
    answers.iter().map(word).collect()
}

async fn run(script: &Script, http: &Http, items: &[&str]) -> Vec<String> {
    words(&revision_lists(http, script, &asks(items)).await.unwrap())
}

#[tokio::test]
async fn only_parts_that_may_succeed_later_are_sent_again() {
    let script = Script::default()
        .on("a", &[Say::Ids("1 2")])
        .on("b", &[Say::Later(None), Say::Silence, Say::Ids("3")])
        .on("c", &[Say::Never])
        .on("d", &[Say::Gone]);
    let http = http(8, Duration::from_mins(1));
    assert_eq!(
        run(&script, &http, &["a", "/place", "b", "c", "d"]).await,
        [
            "1 2",
            "not supported None",
            "3",
            "permission denied Some(403)",
            "gone"
        ]
    );
    assert_eq!(*script.asked.lock().unwrap(), ["a,b,c", "b", "b", "d"]);
    assert_eq!(
        http.usage().requests[OPERATION],
        6,
        "parts are counted, batch by batch"
    );
}

#[tokio::test]
async fn the_largest_wait_of_the_parts_is_kept() {
    let script = Script::default()
        .on("a", &[Say::Later(Some(Duration::from_millis(40))), Say::Ids("1")])
        .on(
            "b",
            &[Say::Later(Some(Duration::from_millis(120))), Say::Ids("2")],
        );
    let http = http(8, Duration::from_mins(1));
    let began = Instant::now();
    assert_eq!(run(&script, &http, &["a", "b"]).await, ["1", "2"]);
    assert!(began.elapsed() >= Duration::from_millis(120));
    assert_eq!(http.usage().throttled_ms, 120);
}

#[tokio::test]
async fn a_wait_beyond_the_budget_is_not_begun_and_not_shortened() {
    let hours = Duration::from_hours(2);
    let script = Script::default()
        .on("a", &[Say::Later(Some(hours))])
        .on("b", &[Say::Ids("2")]);
    let http = http(8, Duration::from_mins(1));
    let answers = revision_lists(&http, &script, &asks(&["a", "b"])).await.unwrap();
    assert_eq!(words(&answers), ["rate limited Some(429)", "2"]);
    let Err(failure) = &answers[0].outcome else {
        panic!("not a failure")
    };
    let told = ErrorKind::RateLimited {
        retry_after: Some(hours),
    };
    assert_eq!(failure.kind, told);
    assert_eq!(http.usage().throttled_ms, 0);
}

#[tokio::test]
async fn attempts_end() {
    let script = Script::default().on("a", &[Say::Later(None)]);
    let http = http(3, Duration::from_mins(1));
    assert_eq!(run(&script, &http, &["a"]).await, ["rate limited Some(429)"]);
    assert_eq!(*script.asked.lock().unwrap(), ["a", "a", "a"]);
}

#[tokio::test]
async fn lists_are_read_to_their_last_page_and_never_in_circles() {
    let script = Script::default()
        .on("a", &[Say::More("1", "p"), Say::Ids("2")])
        .on("b", &[Say::More("3", "q")])
        .on("c", &[Say::Odd]);
    let http = http(3, Duration::from_mins(1));
    assert_eq!(
        run(&script, &http, &["a", "b", "c"]).await,
        ["1 2", "malformed answer None", "malformed answer None"]
    );
    assert_eq!(*script.asked.lock().unwrap(), ["a,b,c", "!ap", "!bq"]);
}

#[tokio::test]
async fn a_single_question_loses_itself_or_ends_the_call() {
    let http = http(3, Duration::from_mins(1));
    let script = Script::default()
        .on("a", &[Say::Single, Say::Gone])
        .on("b", &[Say::Single, Say::Ids("1")]);
    assert_eq!(run(&script, &http, &["a", "b"]).await, ["gone", "1"]);
    let refused = Script::default().on("a", &[Say::Single, Say::Never]);
    let error = revision_lists(&http, &refused, &asks(&["a"])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
}
