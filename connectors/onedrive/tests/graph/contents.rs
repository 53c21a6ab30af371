//! Contents: by version, by item for the newest, and never with the token where the redirect leads.

use revtrail_connector::{Content, ContentRef, ErrorKind};
use rstest::rstest;

use crate::{
    refusal, root,
    server::{Graph, Reply},
};

const VERSION: &str = "/v1.0/drives/b!d/items/01A/versions/2.0/content";
const ITEM: &str = "/v1.0/drives/b!d/items/01A/content";

fn wanted() -> ContentRef {
    ContentRef {
        item: "01A".into(),
        revision: "2.0".into(),
    }
}

fn link(to: &str) -> Reply {
    Reply::new(302, "").header("location", to)
}

fn bytes(text: &'static str) -> Content {
    Content::Bytes(text.into())
}

/// Targets asked for, with whether a token was shown.
fn asked(graph: &Graph) -> Vec<(String, bool)> {
    let asked = graph.asked().into_iter();
    asked.map(|asked| (asked.target, asked.token.is_some())).collect()
}

#[tokio::test]
async fn an_old_version_is_fetched_by_its_link_without_the_token() {
    let graph = Graph::start().await;
    graph
        .on(VERSION, link("/download?tempauth=x"))
        .on("/download", Reply::new(200, "old"));
    let content = graph.connector.content(&root(), &wanted(), 3).await.unwrap();
    assert_eq!(content, bytes("old"));
    let expected = [
        (VERSION.to_owned(), true),
        ("/download?tempauth=x".to_owned(), false),
    ];
    assert_eq!(asked(&graph), expected);
    let content = graph.connector.content(&root(), &wanted(), 2).await.unwrap();
    assert_eq!(content, Content::TooLarge);
}

#[tokio::test]
async fn the_newest_version_is_the_content_of_the_item_while_it_stays_the_newest() {
    let graph = Graph::start().await;
    graph
        .on(VERSION, refusal(400, "invalidRequest"))
        .on(ITEM, link("/download"))
        .on("/download", Reply::new(200, "newest"));
    let content = graph.connector.content(&root(), &wanted(), 9).await.unwrap();
    assert_eq!(content, bytes("newest"));
    let expected = [
        (VERSION, true),
        (ITEM, true),
        ("/download", false),
        (VERSION, true),
    ];
    let expected = expected.map(|(target, token)| (target.to_owned(), token));
    assert_eq!(asked(&graph), expected);
}

/// Saved again between the question and the answer: what the item gave is another version's.
#[tokio::test]
async fn a_version_that_became_old_meanwhile_is_fetched_as_such() {
    let graph = Graph::start().await;
    graph
        .on(VERSION, refusal(400, "invalidRequest"))
        .on(VERSION, link("/old"))
        .on(ITEM, link("/new"))
        .on("/old", Reply::new(200, "second"))
        .on("/new", Reply::new(200, "third"));
    let content = graph.connector.content(&root(), &wanted(), 9).await.unwrap();
    assert_eq!(content, bytes("second"));
}

#[tokio::test]
async fn a_version_that_is_gone_is_not_kept() {
    let graph = Graph::start().await;
    graph.on(VERSION, refusal(404, "itemNotFound"));
    let content = graph.connector.content(&root(), &wanted(), 9).await.unwrap();
    assert_eq!(content, Content::NotKept);
}

#[rstest]
#[case::malware(refusal(403, "malwareDetected"), ErrorKind::PermissionDenied)]
#[case::stranger(link("https://files.example.invalid/x"), ErrorKind::ForeignHost)]
#[tokio::test]
async fn what_is_withheld_is_an_error(#[case] reply: Reply, #[case] kind: ErrorKind) {
    let graph = Graph::start().await;
    graph.on(VERSION, reply);
    let error = graph.connector.content(&root(), &wanted(), 9).await.unwrap_err();
    assert_eq!(error.kind, kind);
}
