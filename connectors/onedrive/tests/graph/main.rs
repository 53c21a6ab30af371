//! The connector against a Graph on the loopback interface.
#![expect(clippy::unwrap_used, reason = "helpers of tests are test code")]

#[cfg(test)]
mod audit;
mod contents;
mod feed;
mod server;

use revtrail_connector::{
    ConnectorError, DrivePlace, ErrorKind, FeedPoint, FolderRoot, Next, Place, Within,
    change::{About, Head, Presence, RevisionAnswer, RevisionAsk, Seen},
};
use revtrail_model::{id::ItemId, time};
use rstest::rstest;

use crate::server::{Graph, Reply};

fn root() -> FolderRoot {
    FolderRoot {
        drive: "b!d".into(),
        item: "F".into(),
        place: None,
        name: None,
        parent: None,
        former: Vec::new(),
    }
}

fn at_path(path: &str) -> Place {
    Place {
        drive: DrivePlace::Id("b!d".into()),
        within: Within::Path(path.into()),
    }
}

fn refusal(status: u16, code: &str) -> Reply {
    Reply::new(
        status,
        format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#),
    )
}

fn ids(changes: &[revtrail_connector::change::Change]) -> Vec<String> {
    changes
        .iter()
        .map(|change| match &change.seen {
            Seen::Present(meta) => meta.id.to_string(),
            Seen::Deleted { id, .. } => format!("-{id}"),
            other => panic!("unexpected {other:?}"),
        })
        .collect()
}

fn told(error: &ConnectorError) -> (ErrorKind, Option<u16>, Option<&str>, Option<&str>) {
    (
        error.kind.clone(),
        error.status,
        error.code.as_deref(),
        error.request_id.as_deref(),
    )
}

#[tokio::test]
async fn preflight_fetches_a_token_and_names_the_tenant() {
    let graph = Graph::start().await;
    let access = graph.connector.preflight().await.unwrap();
    assert_eq!(access.tenant.as_str(), "contoso-tenant");
    assert_eq!(graph.targets(), Vec::<String>::new());
}

#[tokio::test]
async fn a_refused_secret_is_an_account_problem() {
    let graph = Graph::start().await;
    graph.on(
        "/token",
        Reply::new(401, r#"{"error":"invalid_client","error_codes":[7000215]}"#),
    );
    let error = graph.connector.preflight().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
}

#[tokio::test]
async fn a_folder_is_resolved_by_its_encoded_path() {
    let graph = Graph::start().await;
    graph.on(
        "/v1.0/drives/b!d/root:/Finance%20%231/50%25?",
        Reply::new(200, r#"{"id":"F","name":"50%","folder":{}}"#),
    );
    let found = graph
        .connector
        .resolve(&at_path("/Finance #1/50%/"))
        .await
        .unwrap();
    let named = FolderRoot {
        name: Some("50%".into()),
        ..root()
    };
    assert_eq!(found, named);
}

#[tokio::test]
async fn the_root_of_a_drive_can_be_designated() {
    let graph = Graph::start().await;
    graph.on(
        "/v1.0/drives/b!d/root?",
        Reply::new(200, r#"{"id":"R","name":"root","root":{},"folder":{}}"#),
    );
    let found = graph.connector.resolve(&at_path("/")).await.unwrap();
    assert_eq!(found.item, ItemId::from("R"));
}

#[rstest]
#[case::a_file(Reply::new(200, r#"{"id":"F","file":{}}"#), ErrorKind::NotFound)]
#[case::a_shortcut(
    Reply::new(200, r#"{"id":"F","folder":{},"remoteItem":{}}"#),
    ErrorKind::NotFound
)]
#[case::nothing(refusal(404, "itemNotFound"), ErrorKind::NotFound)]
#[case::a_bad_name(refusal(400, "invalidRequest"), ErrorKind::NotFound)]
#[case::forbidden(refusal(403, "accessDenied"), ErrorKind::PermissionDenied)]
#[case::no_id(Reply::new(200, r#"{"folder":{}}"#), ErrorKind::Malformed)]
#[tokio::test]
async fn does_not_resolve(#[case] reply: Reply, #[case] expected: ErrorKind) {
    let graph = Graph::start().await;
    graph.on("/v1.0/drives/b!d/root:/F?", reply);
    let error = graph.connector.resolve(&at_path("/F")).await.unwrap_err();
    assert_eq!(
        (error.kind, error.request_id.as_deref()),
        (expected, Some("outer-id"))
    );
}

#[rstest]
#[case::no_drive(Place { drive: DrivePlace::Own, within: Within::Path("/F".into()) })]
#[case::parent_reference(at_path("/F/../G"))]
#[tokio::test]
async fn a_place_that_cannot_be_asked_for_is_a_configuration_error(#[case] place: Place) {
    let graph = Graph::start().await;
    let error = graph.connector.resolve(&place).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    assert_eq!(graph.targets(), Vec::<String>::new());
}

#[tokio::test]
async fn a_feed_is_followed_link_by_link_to_its_cursor() {
    let graph = Graph::start().await;
    let api = format!("{}/v1.0", graph.origin);
    graph
        .on(
            "/v1.0/drives/b!d/root/delta?$select",
            Reply::new(
                200,
                format!(
                    r#"{{"value":[{{"id":"R","root":{{}}}},{{"id":"f","file":{{}}}}],"@odata.nextLink":"{api}/drives/b!d/root/delta?%24select=x%2cy&token=p%2B1"}}"#
                ),
            ),
        )
        .on(
            "/v1.0/drives/b!d/root/delta?%24select=x%2cy&token=p%2B1",
            Reply::new(200, format!(r#"{{"value":[],"@odata.nextLink":"{api}/next?token=2"}}"#)),
        )
        .on(
            "/v1.0/next?token=2",
            Reply::new(
                200,
                format!(r#"{{"value":[{{"id":"g","deleted":{{}}}}],"@odata.deltaLink":"{api}/resume?token=3"}}"#),
            ),
        )
        .on(
            "/v1.0/resume?token=3",
            Reply::new(200, format!(r#"{{"value":[],"@odata.deltaLink":"{api}/resume?token=4"}}"#)),
        );
    let connector = &graph.connector;
    let mut at = FeedPoint::Start;
    let mut seen = Vec::new();
    let cursor = loop {
        let page = connector.changes(&root(), at).await.unwrap();
        assert_eq!(
            page.answered_at,
            Some(time::parse("2026-01-02T03:04:05Z").unwrap())
        );
        seen.extend(ids(&page.changes));
        match page.next {
            Next::Page(token) => at = FeedPoint::Page(token),
            Next::CaughtUp(cursor) => break cursor,
        }
    };
    assert_eq!(seen, ["R", "f", "-g"]);
    let page = connector
        .changes(&root(), FeedPoint::After(cursor))
        .await
        .unwrap();
    assert_eq!(page.next, Next::CaughtUp(format!("{api}/resume?token=4").into()));
    assert_eq!(
        graph.targets().split_off(1),
        [
            "/drives/b!d/root/delta?%24select=x%2cy&token=p%2B1",
            "/next?token=2",
            "/resume?token=3"
        ]
    );
    let usage = connector.usage();
    assert_eq!(usage.requests.get("drive.changes"), Some(&4));
}

#[tokio::test]
async fn a_next_link_to_another_host_is_not_followed() {
    let graph = Graph::start().await;
    for at in [
        FeedPoint::Page("https://graph.elsewhere.example/v1.0/next".into()),
        FeedPoint::After("http://127.0.0.1:1/v1.0/next".into()),
    ] {
        let error = graph.connector.changes(&root(), at).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::ForeignHost);
    }
    assert_eq!(graph.targets(), Vec::<String>::new());
}

#[rstest]
#[case::resync(
    refusal(410, "resyncRequired"),
    ErrorKind::CursorExpired,
    Some("resyncRequired")
)]
#[case::sync_state(
    refusal(404, "syncStateNotFound"),
    ErrorKind::CursorExpired,
    Some("syncStateNotFound")
)]
#[case::not_root(refusal(501, "notSupported"), ErrorKind::NotSupported, Some("notSupported"))]
#[case::gateway(Reply::new(403, "<html/>"), ErrorKind::PermissionDenied, None)]
#[tokio::test]
async fn a_refused_cursor(#[case] reply: Reply, #[case] kind: ErrorKind, #[case] code: Option<&str>) {
    let graph = Graph::start().await;
    let status = reply.status();
    graph.on("/v1.0/resume", reply);
    let cursor = format!("{}/v1.0/resume?token=1", graph.origin);
    let error = graph
        .connector
        .changes(&root(), FeedPoint::After(cursor.into()))
        .await
        .unwrap_err();
    assert_eq!(told(&error), (kind, Some(status), code, Some("outer-id")));
}

#[rstest]
#[case::no_link(r#"{"value":[]}"#)]
#[case::no_value(r#"{"@odata.nextLink":"x"}"#)]
#[case::no_id(r#"{"value":[{"name":"x"}],"@odata.deltaLink":"x"}"#)]
#[tokio::test]
async fn an_unknown_page_form_is_refused(#[case] body: &str) {
    let graph = Graph::start().await;
    graph.on("/v1.0/drives/b!d/root/delta", Reply::new(200, body));
    let error = graph
        .connector
        .changes(&root(), FeedPoint::Start)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Malformed);
}

#[tokio::test]
async fn a_busy_service_is_asked_again() {
    let graph = Graph::start().await;
    graph
        .on(
            "/v1.0/drives/b!d/root/delta",
            refusal(429, "activityLimitReached").header("retry-after", "0"),
        )
        .on("/v1.0/drives/b!d/root/delta", refusal(500, "generalException"))
        .on(
            "/v1.0/drives/b!d/root/delta",
            refusal(401, "InvalidAuthenticationToken"),
        )
        .on(
            "/v1.0/drives/b!d/root/delta",
            Reply::new(200, r#"{"value":[],"@odata.deltaLink":"c"}"#),
        );
    let page = graph.connector.changes(&root(), FeedPoint::Start).await.unwrap();
    assert_eq!(page.next, Next::CaughtUp("c".into()));
    let tokens: Vec<_> = graph
        .asked()
        .into_iter()
        .filter_map(|asked| asked.token)
        .collect();
    assert_eq!(tokens, ["token-1", "token-1", "token-1", "token-2"]);
}

#[tokio::test]
async fn a_subtree_is_walked_folder_by_folder() {
    let graph = Graph::start().await;
    let api = format!("{}/v1.0", graph.origin);
    let children = |folder: &str| format!("/v1.0/drives/b!d/items/{folder}/children?");
    graph
        .on(
            &children("A"),
            Reply::new(
                200,
                format!(
                    r#"{{"value":[{{"id":"B","folder":{{}}}},{{"id":"a1","file":{{}}}}],"@odata.nextLink":"{api}/more?page=2"}}"#
                ),
            ),
        )
        .on(
            "/v1.0/more?page=2",
            Reply::new(200, r#"{"value":[{"id":"C","folder":{}},{"id":"S","folder":{},"remoteItem":{}}]}"#),
        )
        .on(&children("B"), Reply::new(200, r#"{"value":[{"id":"b1","file":{}}]}"#))
        .on(&children("C"), refusal(404, "itemNotFound"));
    let mut page = None;
    let mut seen = Vec::new();
    loop {
        let part = graph.connector.subtree(&root(), &"A".into(), page).await.unwrap();
        seen.extend(ids(&part.changes));
        page = part.next;
        if page.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["B", "a1", "C", "S", "b1"]);
    assert_eq!(graph.targets().len(), 4);
}

fn ask(item: &str) -> RevisionAsk {
    RevisionAsk {
        about: About::Item(item.into()),
        head: None,
    }
}

fn version(id: &str, at: &str) -> String {
    format!(r#"{{"id":"{id}","lastModifiedDateTime":"{at}","size":3}}"#)
}

fn part(id: usize, status: u16, headers: &str, body: &str) -> String {
    format!(r#"{{"id":"{id}","status":{status},"headers":{headers},"body":{body}}}"#)
}

fn batch(parts: &[String]) -> Reply {
    Reply::new(200, format!(r#"{{"responses":[{}]}}"#, parts.join(",")))
}

fn list(answer: &RevisionAnswer) -> (Vec<&str>, &Presence) {
    let list = answer.outcome.as_ref().unwrap();
    let ids = list
        .revisions
        .iter()
        .map(|revision| revision.id.as_str())
        .collect();
    (ids, &list.now)
}

#[tokio::test]
async fn each_part_of_a_batch_stands_for_itself() {
    let graph = Graph::start().await;
    let api = format!("{}/v1.0", graph.origin);
    let first_page = format!(
        r#"{{"value":[{}],"@odata.nextLink":"{api}/older?page=2"}}"#,
        version("2.0", "2026-01-02T00:00:00Z")
    );
    let (throttled, denied) = (
        r#"{"error":{"code":"activityLimitReached"}}"#,
        r#"{"error":{"code":""}}"#,
    );
    let one = format!(r#"{{"value":[{}]}}"#, version("7.0", "2026-01-03T00:00:00Z"));
    graph
        .on(
            "/v1.0/$batch",
            batch(&[
                part(4, 429, r#"{"Retry-After":"0"}"#, throttled),
                part(2, 404, "{}", r#"{"error":{"code":"itemNotFound"}}"#),
                part(3, 403, "null", denied),
                part(0, 200, r#"{"Request-Id":"inner-0"}"#, &first_page),
            ]),
        )
        .on(
            "/v1.0/$batch",
            batch(&[part(4, 200, "{}", &one), part(1, 200, "{}", r#""not a list""#)]),
        )
        .on(
            "/v1.0/older",
            Reply::new(
                200,
                format!(r#"{{"value":[{}]}}"#, version("1.0", "2026-01-01T00:00:00Z")),
            ),
        );
    let asks = [ask("a"), ask("b"), ask("c"), ask("d"), ask("e")];
    let answers = graph.connector.revisions(&root(), &asks).await.unwrap();
    assert_eq!(answers.len(), 5);
    assert_eq!(list(&answers[0]), (vec!["1.0", "2.0"], &Presence::NotTold));
    assert_eq!(
        answers[1].outcome.as_ref().unwrap_err().kind,
        ErrorKind::Malformed
    );
    assert_eq!(list(&answers[2]), (vec![], &Presence::Gone));
    let failure = answers[3].outcome.as_ref().unwrap_err();
    assert_eq!(
        (&failure.kind, failure.status),
        (&ErrorKind::PermissionDenied, Some(403))
    );
    assert_eq!(list(&answers[4]).0, ["7.0"]);
    let of_first = &answers[0].outcome.as_ref().unwrap().revisions;
    let sources: Vec<_> = of_first
        .iter()
        .map(|revision| (revision.raw.operation, revision.raw.request_id.as_deref()))
        .collect();
    assert_eq!(
        sources,
        [
            ("drive.versions", Some("outer-id")),
            ("drive.versions", Some("inner-0"))
        ]
    );
    assert_asked_in_two_batches(&graph);
}

fn assert_asked_in_two_batches(graph: &Graph) {
    let asked = graph.asked();
    let batches: Vec<_> = asked.iter().filter(|asked| !asked.body.is_empty()).collect();
    assert_eq!(batches.len(), 2);
    let urls = |body: &str| body.matches("\"method\":\"GET\"").count();
    assert_eq!((urls(&batches[0].body), urls(&batches[1].body)), (5, 2));
    assert!(
        batches[0].body.contains(
            r#""url":"/drives/b!d/items/a/versions?$select=id,lastModifiedDateTime,lastModifiedBy,size,publication""#
        ),
        "{}",
        batches[0].body
    );
    // Seven parts of two batches and one page asked for singly.
    assert_eq!(graph.connector.usage().requests.get("drive.versions"), Some(&8));
}

#[tokio::test]
async fn a_part_that_stays_throttled_fails_alone() {
    let graph = Graph::start().await;
    let throttled = r#"{"error":{"code":"activityLimitReached"}}"#;
    let none = r#"{"value":[]}"#;
    graph
        .on(
            "/v1.0/$batch",
            batch(&[
                part(0, 429, r#"{"retry-after":0}"#, throttled),
                part(1, 200, "{}", none),
            ]),
        )
        .on(
            "/v1.0/$batch",
            batch(&[part(0, 429, r#"{"retry-after":0}"#, throttled)]),
        );
    let answers = graph
        .connector
        .revisions(&root(), &[ask("a"), ask("b")])
        .await
        .unwrap();
    let failure = answers[0].outcome.as_ref().unwrap_err();
    assert!(
        matches!(failure.kind, ErrorKind::RateLimited { .. }),
        "{failure:?}"
    );
    assert_eq!(list(&answers[1]), (vec![], &Presence::NotTold));
}

#[tokio::test]
async fn a_circular_version_list_is_given_up() {
    let graph = Graph::start().await;
    let circular = format!(
        r#"{{"value":[],"@odata.nextLink":"{}/v1.0/older?page=2"}}"#,
        graph.origin
    );
    graph
        .on("/v1.0/$batch", batch(&[part(0, 200, "{}", &circular)]))
        .on("/v1.0/older", Reply::new(200, circular.clone()));
    let answers = graph.connector.revisions(&root(), &[ask("a")]).await.unwrap();
    assert_eq!(
        answers[0].outcome.as_ref().unwrap_err().kind,
        ErrorKind::Malformed
    );
}

#[tokio::test]
async fn a_foreign_link_in_a_version_list_ends_the_call() {
    let graph = Graph::start().await;
    let foreign = r#"{"value":[],"@odata.nextLink":"https://graph.elsewhere.example/x"}"#;
    graph.on("/v1.0/$batch", batch(&[part(0, 200, "{}", foreign)]));
    let error = graph.connector.revisions(&root(), &[ask("a")]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ForeignHost);
}

#[tokio::test]
async fn a_token_that_ran_out_within_a_batch_is_renewed() {
    let graph = Graph::start().await;
    let expired = r#"{"error":{"code":"InvalidAuthenticationToken"}}"#;
    graph
        .on("/v1.0/$batch", batch(&[part(0, 401, "{}", expired)]))
        .on(
            "/v1.0/drives/b!d/items/a/versions",
            Reply::new(
                200,
                format!(r#"{{"value":[{}]}}"#, version("1.0", "2026-01-01T00:00:00Z")),
            ),
        );
    let answers = graph.connector.revisions(&root(), &[ask("a")]).await.unwrap();
    assert_eq!(list(&answers[0]).0, ["1.0"]);
}

#[tokio::test]
async fn the_digest_of_the_present_content_reaches_its_version() {
    let graph = Graph::start().await;
    let versions = format!(
        r#"{{"value":[{},{}]}}"#,
        version("2.0", "2026-01-02T00:00:00Z"),
        version("1.0", "2026-01-01T00:00:00Z")
    );
    graph.on("/v1.0/$batch", batch(&[part(0, 200, "{}", &versions)]));
    let head = Head {
        marker: "m".into(),
        revision: None,
        modified_at: Some(time::parse("2026-01-02T00:00:00Z").unwrap()),
        size_bytes: Some(3),
        hashes: [("quickxor".to_owned(), "h=".to_owned())].into(),
    };
    let asked = RevisionAsk {
        head: Some(head),
        ..ask("a")
    };
    let answers = graph.connector.revisions(&root(), &[asked]).await.unwrap();
    let hashes: Vec<_> = answers[0]
        .outcome
        .as_ref()
        .unwrap()
        .revisions
        .iter()
        .map(|revision| revision.hashes.get("quickxor").map(String::as_str))
        .collect();
    assert_eq!(hashes, [None, Some("h=")]);
}

#[tokio::test]
async fn places_have_no_history_here() {
    let graph = Graph::start().await;
    let asked = RevisionAsk {
        about: About::Place("/a".into()),
        head: None,
    };
    let answers = graph.connector.revisions(&root(), &[asked]).await.unwrap();
    assert_eq!(
        answers[0].outcome.as_ref().unwrap_err().kind,
        ErrorKind::NotSupported
    );
}

#[tokio::test]
async fn more_than_twenty_questions_go_in_several_batches() {
    let graph = Graph::start().await;
    let parts = |range: std::ops::Range<usize>| -> Vec<String> {
        range
            .map(|position| part(position, 200, "{}", r#"{"value":[]}"#))
            .collect()
    };
    graph
        .on("/v1.0/$batch", batch(&parts(0..20)))
        .on("/v1.0/$batch", batch(&parts(20..21)));
    let asks: Vec<_> = (0..21).map(|number| ask(&format!("i{number}"))).collect();
    let answers = graph.connector.revisions(&root(), &asks).await.unwrap();
    assert_eq!(answers.len(), asks.len());
    for answer in &answers {
        assert_eq!(list(answer), (vec![], &Presence::NotTold));
    }
    assert_eq!(graph.targets(), ["/$batch", "/$batch"]);
}
