//! The audit log, read from a script.

use revtrail_connector::{ActivityPage, ActivityPoint, ConnectorError, ErrorKind, FolderRoot, Next};
use revtrail_model::time;

use crate::{
    refusal,
    server::{Graph, Reply, TENANT},
};

const ROOT: &str = "01ABCDEFF6Y2GOVW7725BZO354PWSELRRZ";
const RUNNING: &str = r#"[{"contentType":"Audit.SharePoint","status":"enabled","webhook":null}]"#;

fn feed(rest: &str) -> String {
    format!("/api/v1.0/{TENANT}/activity/feed/{rest}")
}

fn roots() -> Vec<FolderRoot> {
    vec![FolderRoot {
        drive: "b!d".into(),
        item: ROOT.into(),
        place: None,
        name: None,
        parent: None,
        former: Vec::new(),
    }]
}

fn blob(graph: &Graph, id: &str) -> String {
    let uri = format!("{}{}", graph.origin, feed(&format!("audit/{id}")));
    format!(r#"{{"contentUri":"{uri}","contentId":"{id}","contentType":"Audit.SharePoint"}}"#)
}

fn deletion(id: &str) -> String {
    format!(
        r#"{{"Id":"{id}","CreationTime":"2026-01-01T20:00:00","Operation":"FileRecycled","UserId":"a@contoso.example","UserType":0,
            "ItemType":"File","ListItemUniqueId":"ea8cc6be-ffdb-43d7-976f-bc7da445c639"}}"#
    )
}

/// From 3:00 on the day of the fake's clock, which stands at 3:04:06.
fn from() -> ActivityPoint {
    ActivityPoint::From(time::parse("2026-01-02T03:00:00Z").unwrap())
}

/// All pages; ids of the requests' records are not told here, their number is. And where to go on.
async fn read(graph: &Graph, mut at: ActivityPoint) -> Result<(Vec<ActivityPage>, String), ConnectorError> {
    let mut pages = Vec::new();
    loop {
        let page = graph.connector.activity(&roots(), at).await?;
        let next = page.next.clone();
        pages.push(page);
        match next {
            Next::Page(token) => at = ActivityPoint::Page(token),
            Next::CaughtUp(cursor) => return Ok((pages, cursor.to_string())),
        }
    }
}

fn told(pages: &[ActivityPage]) -> usize {
    pages.iter().map(|page| page.activities.len()).sum()
}

/// Paths below the feed, without queries.
fn paths(graph: &Graph) -> Vec<String> {
    let prefix = feed("");
    let asked = graph.asked().into_iter();
    asked
        .map(|asked| {
            let path = asked.target.split('?').next().unwrap().to_owned();
            path.strip_prefix(&prefix).unwrap_or(&path).to_owned()
        })
        .collect()
}

#[tokio::test]
async fn a_subscription_is_started_pages_are_followed_and_blobs_fetched_once() {
    let graph = Graph::start_audited().await;
    let second = format!(
        "{}{}&nextPage=2",
        graph.origin,
        feed("subscriptions/content?contentType=x")
    );
    graph
        .on(&feed("subscriptions/list"), Reply::new(200, "[]"))
        .on(&feed("subscriptions/start"), Reply::new(200, "{}"))
        .on(
            &feed("subscriptions/content?contentType=Audit.SharePoint"),
            Reply::new(200, format!("[{}]", blob(&graph, "b1"))).header("nextpageuri", &second),
        )
        .on(
            &feed("subscriptions/content?contentType=x"),
            Reply::new(200, format!("[{},{}]", blob(&graph, "b1"), blob(&graph, "b2"))),
        )
        .on(
            &feed("audit/b1"),
            Reply::new(200, format!("[{}]", deletion("r1"))),
        )
        .on(
            &feed("audit/b2"),
            Reply::new(200, format!("[{},{}]", deletion("r1"), deletion("r2"))),
        );
    let (pages, cursor) = read(&graph, from()).await.unwrap();
    assert_eq!(told(&pages), 3);
    let first = &pages[0].activities[0];
    assert_eq!(first.targets[0].item.as_ref().unwrap().as_str(), ROOT);
    assert_eq!(
        first.id, pages[1].activities[0].id,
        "the same record in two blobs"
    );
    assert_eq!(
        paths(&graph),
        [
            "subscriptions/list",
            "subscriptions/start",
            "subscriptions/content",
            "audit/b1",
            "subscriptions/content",
            "audit/b2"
        ]
    );
    let listed = &graph.targets()[2];
    let publisher = format!("PublisherIdentifier={TENANT}");
    for asked in [
        "startTime=2026-01-02T03%3A00%3A00&endTime=2026-01-02T03%3A04%3A06",
        publisher.as_str(),
    ] {
        assert!(listed.contains(asked), "{listed}");
    }
    // The overlap is listed again; what was fetched is not fetched again.
    let (pages, _) = read(&graph, ActivityPoint::After(cursor.as_str().into()))
        .await
        .unwrap();
    assert_eq!(told(&pages), 0);
    assert_eq!(
        paths(&graph)[6..],
        ["subscriptions/content", "subscriptions/content"]
    );
}

#[tokio::test]
async fn links_to_other_hosts_are_not_followed() {
    let graph = Graph::start_audited().await;
    graph
        .on(&feed("subscriptions/list"), Reply::new(200, RUNNING))
        .on(
            &feed("subscriptions/content"),
            Reply::new(200, "[]").header("nextpageurl", "https://attacker.example/api/v1.0/x"),
        );
    let error = read(&graph, from()).await.unwrap_err();
    assert_eq!(
        (error.kind, error.operation),
        (ErrorKind::ForeignHost, "audit.content")
    );
    let graph = Graph::start_audited().await;
    let foreign = r#"[{"contentUri":"https://attacker.example/b","contentId":"b"}]"#;
    graph
        .on(&feed("subscriptions/list"), Reply::new(200, RUNNING))
        .on(&feed("subscriptions/content"), Reply::new(200, foreign));
    let error = read(&graph, from()).await.unwrap_err();
    assert_eq!(
        (error.kind, error.operation),
        (ErrorKind::ForeignHost, "audit.blob")
    );
}

#[tokio::test]
async fn throttling_as_403_is_waited_for_and_what_expired_is_passed_over() {
    let graph = Graph::start_audited().await;
    graph
        .on(&feed("subscriptions/list"), refusal(403, "AF429"))
        .on(&feed("subscriptions/list"), Reply::new(200, RUNNING))
        .on(
            &feed("subscriptions/content"),
            Reply::new(200, format!("[{},{}]", blob(&graph, "old"), blob(&graph, "b1"))),
        )
        .on(&feed("audit/old"), refusal(400, "AF20051"))
        .on(
            &feed("audit/b1"),
            Reply::new(200, format!("[{}]", deletion("r1"))),
        );
    let (pages, _) = read(&graph, from()).await.unwrap();
    assert_eq!(told(&pages), 1);
    assert_eq!(graph.connector.usage().retries, 1);
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let graph = Graph::start_audited().await;
    graph.on(&feed("subscriptions/list"), refusal(401, "AF10001"));
    let error = read(&graph, from()).await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::PermissionDenied, Some("AF10001"))
    );
    // Stopped by somebody: the cursor is worth nothing, and the reading begins with a subscription.
    let graph = Graph::start_audited().await;
    graph
        .on(&feed("subscriptions/list"), Reply::new(200, RUNNING))
        .on(&feed("subscriptions/content"), Reply::new(200, "[]"))
        .on(&feed("subscriptions/content"), refusal(400, "AF20022"));
    let (_, cursor) = read(&graph, from()).await.unwrap();
    let error = read(&graph, ActivityPoint::After(cursor.as_str().into()))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::CursorExpired);
    let error = read(&graph, ActivityPoint::After("garbage".into()))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::CursorExpired);
    // Another program was faster in starting it.
    let graph = Graph::start_audited().await;
    graph
        .on(&feed("subscriptions/list"), Reply::new(200, "[]"))
        .on(&feed("subscriptions/start"), refusal(400, "AF20024"))
        .on(&feed("subscriptions/content"), Reply::new(200, "[]"));
    assert_eq!(told(&read(&graph, from()).await.unwrap().0), 0);
}

#[tokio::test]
async fn without_the_setting_there_is_no_log() {
    let graph = Graph::start().await;
    assert_eq!(graph.connector.audit(), None);
    let error = graph.connector.activity(&roots(), from()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotSupported);
    let log = Graph::start_audited().await.connector.audit().unwrap();
    assert_eq!(log.reach.map(|reach| reach.as_secs()), Some(7 * 86_400));
}
