//! `files/list_folder/longpoll`: waits until there is something new. It takes no token, and its host is another one than that of the
//! other routes, which here is the same port.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::args::Args;
use super::cursor::{Cursor, Position};
use super::problem::{Problem, json_answer};
use super::{Face, check_content_type};
use crate::fault::FaultKind;
use crate::sim::Call;

/// The name the service uses in its messages.
const ROUTE: &str = "files/list_folder/longpoll";
/// How often the world is looked at.
const STEP: Duration = Duration::from_millis(20);
/// Seconds a caller may wait; the first of them when it does not say.
const WAITS: std::ops::RangeInclusive<u64> = 30..=480;

pub(super) async fn longpoll(
    State(face): State<Arc<Face>>,
    Extension(call): Extension<Call>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = check_content_type(&headers, &body).and_then(|()| read(&face, &call, &body));
    match asked {
        Ok((cursor, wait)) => json_answer(StatusCode::OK, &wait_for(&face, &cursor, wait).await),
        Err(problem) => problem.answer(ROUTE, face.sim.random()),
    }
}

fn read(face: &Face, call: &Call, body: &Bytes) -> Result<(Cursor, Duration), Problem> {
    let mut args = Args::parse(body)?;
    let text = args.required_text("cursor")?;
    let wait = args.number("timeout", WAITS)?.unwrap_or(*WAITS.start());
    args.finish()?;
    let cursor = Cursor::decode(&text).ok_or_else(|| Problem::field("cursor", "unsupported cursor type"))?;
    if face.sim.fires(call, FaultKind::LostCursor).is_some() {
        return Err(Problem::tag("reset"));
    }
    Ok((cursor, Duration::from_secs(wait)))
}

/// The wait is one of real time: virtual time stands still unless somebody moves it, and then there may be something new.
async fn wait_for(face: &Face, cursor: &Cursor, wait: Duration) -> Value {
    let until = Instant::now() + wait;
    loop {
        let changes = has_news(face, cursor);
        if changes || Instant::now() >= until {
            return json!({ "changes": changes });
        }
        sleep(STEP).await;
    }
}

/// Whether anything happened in the account, in the listed folder or elsewhere: the real service does not tell these apart.
fn has_news(face: &Face, cursor: &Cursor) -> bool {
    match cursor.position {
        Position::Listing { .. } => true,
        Position::Changes { since, skip, .. } => skip > 0 || face.sim.world().seq() > since,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::CONTENT_TYPE;

    use super::*;
    use crate::fault::{Fault, FaultPlan};
    use crate::sim::{Options, Provider, Sim};
    use crate::source::WorldSource;
    use crate::world::Edit;

    fn face() -> Arc<Face> {
        let at = |second: i64| jiff::Timestamp::from_second(1_767_225_600 + second).unwrap();
        let edits = vec![
            Edit::created(at(1), "F/a.txt", 1),
            Edit::created(at(2000), "G/b.txt", 1),
        ];
        let face = Arc::new(Face::new(Sim::new(
            WorldSource::from_edits(edits),
            Options::default(),
        )));
        face.sim.advance(at(1000)).unwrap();
        face
    }

    /// The cursor of one who has read everything below `/F`.
    fn caught_up(face: &Face) -> String {
        let call = face.sim.begin(Provider::Dropbox, "get_latest_cursor");
        let argument = Bytes::from_static(br#"{"path": "/F"}"#);
        let answer = super::super::dispatch(face, &call, super::super::Route::LatestCursor, &argument);
        answer.unwrap()["cursor"].as_str().unwrap().to_owned()
    }

    /// Without any token.
    async fn ask(face: &Arc<Face>, argument: Value) -> (u16, String) {
        let call = face.sim.begin(Provider::Dropbox, "longpoll");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, "application/json".parse().unwrap())]);
        let body = Bytes::from(argument.to_string());
        let answer = longpoll(State(Arc::clone(face)), Extension(call), headers, body).await;
        let status = answer.status().as_u16();
        let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX)
            .await
            .unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn it_waits_until_something_happens_anywhere() {
        let face = face();
        let cursor = caught_up(&face);
        let waiting = tokio::spawn({
            let (face, argument) = (Arc::clone(&face), json!({ "cursor": cursor }));
            async move { ask(&face, argument).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        face.sim.advance_edits(1).unwrap();
        // What happened is outside the folder.
        assert_eq!(waiting.await.unwrap(), (200, r#"{"changes":true}"#.to_owned()));
        // There is something new for this cursor from now on.
        let again = ask(&face, json!({ "cursor": cursor, "timeout": 480 })).await;
        assert_eq!(again, (200, r#"{"changes":true}"#.to_owned()));
    }

    #[tokio::test]
    async fn a_wait_that_is_over_tells_of_nothing() {
        let face = face();
        let cursor = Cursor::decode(&caught_up(&face)).unwrap();
        let answer = wait_for(&face, &cursor, Duration::ZERO).await;
        assert_eq!(answer, json!({ "changes": false }));
    }

    #[tokio::test]
    async fn arguments_are_strict_and_cursors_can_be_lost() {
        let face = face();
        let cursor = caught_up(&face);
        for (argument, why) in [
            (
                json!({ "cursor": cursor, "timeout": 29 }),
                "29 is less than minimum 30",
            ),
            (
                json!({ "cursor": cursor, "timeout": 481 }),
                "481 is greater than maximum 480",
            ),
            (json!({ "cursor": cursor, "wait": 30 }), "unknown field 'wait'"),
            (json!({ "cursor": "no cursor" }), "unsupported cursor type"),
        ] {
            let (status, text) = ask(&face, argument).await;
            assert!(status == 400 && text.contains(why), "{status} {text}");
            assert!(text.contains(ROUTE), "{text}");
        }
        face.sim
            .plan_faults(vec![FaultPlan::once(Fault::LostCursor).on("longpoll")]);
        let (status, text) = ask(&face, json!({ "cursor": cursor })).await;
        assert!(
            status == 409 && text.contains(r#"".tag":"reset""#),
            "{status} {text}"
        );
    }
}
