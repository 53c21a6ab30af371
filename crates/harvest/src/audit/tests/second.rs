//! What is asked of a second log, and when.

use super::*;

fn bench(second: Result<Vec<Activity>, ErrorKind>) -> Bench {
    let bench = Bench::new(vec![deleted("a", LOOKS), deleted("b", LOOKS)]);
    *bench.log.second.lock().unwrap() = Some(second);
    bench
}

fn nobody() -> Said {
    (Outcome::Unattributed, None, Basis::Reported, None)
}

const IN_TIME: &str = "2T09:59:00";
const OVERDUE: &str = "2T10:00:05";

#[tokio::test]
async fn it_is_asked_about_what_the_first_left_open_and_not_before_that_is_certain() {
    let mut bench = bench(Ok(vec![
        deletion("x", "mallory", ("a", "1T09:00:00")),
        deletion("y", "bob", ("b", "1T09:00:00")),
    ]));
    bench.appears(deletion("r", "alice", ("a", "1T09:00:00")));
    let first = said(Outcome::Attributed, "alice", Basis::Reported, "1T09:00:00");
    assert_eq!(bench.read(IN_TIME).await.1, [first]);
    assert_eq!(*bench.log.second_asked.lock().unwrap(), []);
    let second = said(Outcome::Attributed, "bob", Basis::Reported, "1T09:00:00");
    let (_, found, raw) = bench.read(OVERDUE).await;
    assert_eq!(found, [second]);
    assert_eq!(bench.sources, [(ActorSource::Activity, None)]);
    assert_eq!(raw.map(|raw| raw.is_empty()), Some(false), "the record is kept");
    let asked = bench.log.second_asked.lock().unwrap().clone();
    assert_eq!(asked, [ActivityPoint::From(at("1T07:00:00"))]);
    assert_eq!(bench.read("2T11:00:00").await.1, []);
    assert_eq!(bench.log.second_asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_neither_tells_is_unattributed_and_a_second_that_fails_is_why() {
    let mut silent = bench(Ok(Vec::new()));
    assert_eq!(silent.read(OVERDUE).await.1, [nobody(), nobody()]);
    let why = (ActorSource::AuditLog, Some(Unexplained::NoRecord));
    assert_eq!(silent.sources, [why, why]);
    let mut refusing = bench(Err(ErrorKind::PermissionDenied));
    assert_eq!(refusing.read(OVERDUE).await.1, [nobody(), nobody()]);
    let why = (ActorSource::AuditLog, Some(Unexplained::LogUnavailable));
    assert_eq!(refusing.sources, [why, why]);
}

/// The first log goes on to be read, and what it says later is not hidden behind what the second said.
#[tokio::test]
async fn a_late_record_of_the_first_contests_the_second() {
    let mut bench = bench(Ok(vec![deletion("x", "bob", ("a", "1T09:00:00"))]));
    bench.read(OVERDUE).await;
    bench.appears(deletion("r", "alice", ("a", "1T09:00:00")));
    bench.appears(deletion("s", "alice", ("b", "1T09:00:00")));
    assert_eq!(
        bench.read("2T12:00:00").await.1,
        [
            said(Outcome::Ambiguous, "alice", Basis::Reported, "1T09:00:00"),
            said(Outcome::Attributed, "alice", Basis::Reported, "1T09:00:00"),
        ]
    );
}

#[tokio::test]
async fn it_stands_in_for_a_first_that_cannot_be_read() {
    let mut bench = bench(Ok(vec![deletion("x", "bob", ("a", "1T09:00:00"))]));
    bench.read("1T11:00:00").await;
    *bench.log.refuses.lock().unwrap() = Some(ErrorKind::PermissionDenied);
    bench.clock = Arc::new(FixedClock(at(OVERDUE)));
    let (read, found, _) = bench.read(OVERDUE).await;
    assert_eq!(read.state, WindowState::Failed);
    let second = said(Outcome::Attributed, "bob", Basis::Reported, "1T09:00:00");
    assert_eq!(found, [second]);
    assert_eq!(bench.sources, [(ActorSource::Activity, None)]);
    assert_eq!(bench.state.events.len(), 2, "the other one waits");
    assert!(bench.state.events.iter().all(|event| !event.given_up));
}
