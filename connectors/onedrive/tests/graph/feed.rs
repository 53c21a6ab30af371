//! What becomes of the feed when Graph takes too long, and without its cursor.

use revtrail_connector::{ErrorKind, FeedPoint, FolderRoot, Next};
use revtrail_model::time;
use rstest::rstest;

use crate::{
    refusal, root,
    server::{Graph, Reply},
};

const EMPTY: &str = r#"{"value":[],"@odata.deltaLink":"c"}"#;

/// As often as a request is sent at most.
const ATTEMPTS: usize = 8;

fn after(graph: &Graph, query: &str) -> FeedPoint {
    FeedPoint::After(format!("{}/v1.0/resume?{query}", graph.origin).into())
}

#[rstest]
#[case::first("$top=1000&token=p%2B1", "/resume?token=p%2B1&$top=100")]
#[case::encoded(
    "token=1&%24top=500&%24select=id%2cname",
    "/resume?token=1&%24select=id%2cname&$top=100"
)]
#[case::none("token=1", "/resume?token=1&$top=100")]
#[tokio::test]
async fn a_page_that_takes_too_long_is_asked_for_with_fewer_entries(
    #[case] link: &str,
    #[case] smaller: &str,
    #[values(500, 502, 504)] status: u16,
) {
    let graph = Graph::start().await;
    graph
        .on("/v1.0/resume", refusal(status, "UnknownError"))
        .on(&format!("/v1.0{smaller}"), Reply::new(200, EMPTY));
    let page = graph
        .connector
        .changes(&root(), after(&graph, link))
        .await
        .unwrap();
    assert_eq!(page.next, Next::CaughtUp("c".into()));
    let targets = graph.targets();
    assert_eq!(targets.len(), ATTEMPTS + 1);
    assert_eq!(targets.last().unwrap(), smaller);
}

/// The feed answers, and this link does not: it is as good as lost.
#[tokio::test]
async fn a_link_that_is_never_answered_is_a_lost_cursor() {
    let graph = Graph::start().await;
    graph
        .on("/v1.0/resume", refusal(504, "UnknownError"))
        .on("/v1.0/drives/b!d/root/delta?token=latest", Reply::new(200, EMPTY));
    let asked = graph.connector.changes(&root(), after(&graph, "token=1")).await;
    let error = asked.unwrap_err();
    assert_eq!((error.kind, error.status), (ErrorKind::CursorExpired, Some(504)));
    assert_eq!(graph.targets().len(), 2 * ATTEMPTS + 1);
}

/// Nothing answers: the cursor is kept, and the next run goes on at it.
#[tokio::test]
async fn an_outage_is_no_lost_cursor() {
    let graph = Graph::start().await;
    graph.on("/v1.0/", refusal(504, "UnknownError"));
    let small = after(&graph, "token=1&$top=100");
    let error = graph.connector.changes(&root(), small).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable { retry_after: None });
    assert_eq!(
        graph.targets().len(),
        2 * ATTEMPTS,
        "a small page is not made smaller"
    );
    let error = graph
        .connector
        .changes(&root(), FeedPoint::Start)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable { retry_after: None });
}

#[tokio::test]
async fn a_feed_begins_at_a_moment_and_some_minutes_before_it() {
    let graph = Graph::start().await;
    graph.on("/v1.0/drives/b!d/root/delta?token=2025", Reply::new(200, EMPTY));
    let moment = FeedPoint::Since(time::parse("2025-12-31T00:03:00Z").unwrap());
    let page = graph.connector.changes(&root(), moment).await.unwrap();
    assert_eq!(page.next, Next::CaughtUp("c".into()));
    let asked = &graph.targets()[0];
    assert!(
        asked.starts_with("/drives/b!d/root/delta?token=2025-12-30T23%3A58%3A00Z&$select=id,"),
        "{asked}"
    );
    assert!(asked.ends_with("&$top=1000"), "{asked}");
}

#[rstest]
#[case::personal("0A1B2C3D4E5F6071", "2025-12-31T00:00:00Z")]
#[case::beyond_the_log("b!d", "2025-11-04T03:04:04Z")]
#[tokio::test]
async fn there_may_be_no_feed_from_a_moment(#[case] drive: &str, #[case] moment: &str) {
    let graph = Graph::start().await;
    let root = FolderRoot {
        drive: drive.into(),
        ..root()
    };
    let moment = FeedPoint::Since(time::parse(moment).unwrap());
    let error = graph.connector.changes(&root, moment).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotSupported);
    assert_eq!(graph.targets(), Vec::<String>::new());
}

#[rstest]
#[case::personal("0A1B2C3D4E5F6071", Some("Include-Feature=AddToOneDrive"))]
#[case::business("b!d", None)]
#[tokio::test]
async fn shortcuts_are_asked_for_on_personal_drives(#[case] drive: &str, #[case] wish: Option<&str>) {
    let graph = Graph::start().await;
    graph.on("/v1.0/drives/", Reply::new(200, EMPTY));
    let root = FolderRoot {
        drive: drive.into(),
        ..root()
    };
    graph.connector.changes(&root, FeedPoint::Start).await.unwrap();
    graph.connector.subtree(&root, &root.item, None).await.unwrap();
    let wishes: Vec<_> = graph.asked().into_iter().map(|asked| asked.prefer).collect();
    assert_eq!(wishes, [wish.map(str::to_owned), wish.map(str::to_owned)]);
}
