use std::collections::BTreeSet;

use super::super::ids;
use super::super::tests::{Client, at, body_of, code};
use super::*;
use crate::audit::{Audit, Lag};
use crate::fault::Fault;
use crate::sim::Options;
use crate::truth::FactAction as A;
use crate::truth::audit::FactActorKind::{Anonymous, Application, Service, User};
use crate::truth::audit::{FactActorKind, told};
use crate::world::Edit;

const TENANT: &str = "6d1c0a4e-9c1f-4a46-8f3e-2b1d7c5a9e10";

fn feed(rest: &str) -> String {
    format!("/api/v1.0/{TENANT}/activity/feed/{rest}")
}

/// A client of the audit log over these edits.
fn client(edits: Vec<Edit>, now: i64, audit: Audit, page: Option<usize>) -> Client {
    let options = Options {
        page_size: page,
        audit,
        ..Options::default()
    };
    let client = Client::with(edits, now, options);
    client
        .sim
        .subscription()
        .note_token(&client.token, Audience::Audit);
    client
}

/// Subscribed before everything, without delay.
fn at_once() -> Audit {
    Audit {
        lag: Lag::NONE,
        subscribed_at: Some(at(-3600)),
        ..Audit::default()
    }
}

impl Client {
    async fn ask(&self, method: &str, rest: &str) -> (u16, Value, Option<String>) {
        let url = if rest.starts_with("http") {
            rest.to_owned()
        } else {
            feed(rest)
        };
        let answer = self.send(method, &url, String::new(), Some(&self.token)).await;
        let next = ["nextpageuri", "nextpageurl"]
            .into_iter()
            .find_map(|name| Some(answer.headers().get(name)?.to_str().unwrap().to_owned()));
        (answer.status().as_u16(), body_of(answer).await, next)
    }

    /// Blobs of the last day, and how many pages told of them.
    async fn listed(&self) -> (Vec<Value>, usize) {
        let (mut found, mut pages) = (Vec::new(), 0);
        let mut next = Some("subscriptions/content?contentType=Audit.SharePoint".to_owned());
        while let Some(link) = next {
            let (status, page, more) = self.ask("GET", &link).await;
            assert_eq!(status, 200, "{page}");
            found.extend(page.as_array().unwrap().clone());
            pages += 1;
            next = more;
        }
        (found, pages)
    }

    async fn records(&self) -> Vec<Value> {
        let mut records = Vec::new();
        for blob in self.listed().await.0 {
            let (status, body, _) = self.ask("GET", blob["contentUri"].as_str().unwrap()).await;
            assert_eq!(status, 200, "{body}");
            records.extend(body.as_array().unwrap().clone());
        }
        records
    }

    async fn error(&self, method: &str, rest: &str) -> (u16, String) {
        let (status, body, _) = self.ask(method, rest).await;
        (status, code(&body).to_owned())
    }
}

fn ids_of(records: &[Value]) -> BTreeSet<&str> {
    records
        .iter()
        .map(|record| record["Id"].as_str().unwrap())
        .collect()
}

fn minutes(count: i64) -> i64 {
    count * 60
}

fn history() -> Vec<Edit> {
    vec![
        Edit::created(at(1), "F/d/a.txt", 3).by("ann@example.com"),
        Edit::modified(at(2), "F/d/a.txt", 4),
        Edit::renamed(at(3), "F/d/a.txt", "F/d/b.txt"),
        Edit::renamed(at(4), "F/d/b.txt", "F/c.txt"),
        Edit::deleted(at(6), "F/d"),
        Edit::deleted(at(7), "F/c.txt"),
        Edit::restored(at(8), "F/c.txt"),
    ]
}

#[tokio::test]
async fn operations_have_records_that_lead_to_their_items() {
    let client = client(history(), minutes(30), at_once(), None);
    let mut records = client.records().await;
    let moved = records
        .iter()
        .find(|record| record["Operation"] == "FileMoved")
        .unwrap()
        .clone();
    let item = client.sim.world().find("F/c.txt").unwrap().no;
    let guid = moved["ListItemUniqueId"].as_str().unwrap().to_owned();
    assert_eq!(guid.to_uppercase(), ids::item_guid(item));
    assert_eq!(moved["ListId"], ids::list_guid(client.sim.options()));
    assert_eq!(
        (&moved["RecordType"], &moved["ItemType"]),
        (&json!(6), &json!("File"))
    );
    assert_eq!(moved["CreationTime"], "2026-01-01T00:00:04");
    assert_eq!(moved["SourceFileName"], "b.txt");
    assert_eq!(moved["DestinationRelativeUrl"], "Documents/F");
    assert_eq!(moved["DestinationFileName"], "c.txt");
    records.sort_by_key(|record| record["CreationTime"].to_string() + &record["Operation"].to_string());
    let operations: Vec<&str> = records
        .iter()
        .map(|record| record["Operation"].as_str().unwrap())
        .collect();
    assert_eq!(
        operations,
        [
            "FileUploaded",
            "FolderCreated",
            "FolderCreated",
            "FileModified",
            "FileModified",
            "FileRenamed",
            "FileMoved",
            "FolderRecycled",
            "FileRecycled",
            "FileRestored",
        ]
    );
    let uploaded = records
        .iter()
        .find(|record| record["Operation"] == "FileUploaded")
        .unwrap();
    assert_eq!(uploaded["UserId"], "ann@example.com");
    assert_eq!(uploaded["UserType"], 0);
}

#[tokio::test]
async fn the_truth_has_what_the_records_say() {
    let client = client(history(), minutes(30), at_once(), None);
    let item = client.sim.world().find("F/c.txt").unwrap().no;
    let facts = told(&client.sim, Provider::OneDrive, "F");
    let actions: Vec<A> = facts.iter().map(|fact| fact.action).collect();
    assert_eq!(
        actions,
        [
            A::Created,
            A::Created,
            A::Modified,
            A::Modified,
            A::Renamed,
            A::Moved,
            A::Deleted,
            A::Deleted,
            A::Restored
        ]
    );
    assert_eq!(facts[4].item_id, ids::item_id(item));
}

#[tokio::test]
async fn a_subscription_is_started_once_and_tells_nothing_for_half_a_day() {
    let hour = 3600;
    let edits = vec![
        Edit::created(at(0), "early", 1),
        Edit::created(at(2 * hour), "soon", 1),
        Edit::created(at(20 * hour), "late", 1),
    ];
    let client = client(edits, 90 * 60, Audit::default(), None);
    let content = "subscriptions/content?contentType=Audit.SharePoint";
    assert_eq!(client.error("GET", content).await, (400, "AF20022".to_owned()));
    let (_, list, _) = client.ask("GET", "subscriptions/list").await;
    assert_eq!(list, json!([]));
    let start = "subscriptions/start?contentType=Audit.SharePoint";
    let (status, started, _) = client.ask("POST", start).await;
    let running = json!({ "contentType": "Audit.SharePoint", "status": "enabled", "webhook": null });
    assert_eq!((status, &started), (200, &running));
    assert_eq!(client.error("POST", start).await, (400, "AF20024".to_owned()));
    assert_eq!(client.ask("GET", "subscriptions/list").await.1, json!([running]));
    client.sim.advance(at(13 * hour)).unwrap();
    assert_eq!(client.listed().await.0, [Value::Null; 0]);
    client.sim.advance(at(14 * hour)).unwrap();
    let names = |records: Vec<Value>| -> BTreeSet<String> {
        let name = |record: &Value| record["SourceFileName"].as_str().unwrap().to_owned();
        records.iter().map(name).collect()
    };
    assert_eq!(names(client.records().await), BTreeSet::from(["soon".to_owned()]));
    client.sim.advance(at(22 * hour)).unwrap();
    let both = BTreeSet::from(["soon".to_owned(), "late".to_owned()]);
    assert_eq!(names(client.records().await), both);
    let facts = told(&client.sim, Provider::OneDrive, "");
    assert_eq!(facts.len(), 4, "uploads, each with the save after it");
    assert!(facts[0].visible_at >= at(13 * hour + 30 * 60));
}

#[tokio::test]
async fn listings_are_paged_by_header_and_blobs_overlap_and_are_shuffled() {
    let edits: Vec<Edit> = (0..200)
        .map(|place| Edit::modified(at(10 + place * 30), "F/a", place.unsigned_abs()))
        .collect();
    let edits = [vec![Edit::created(at(1), "F/a", 1)], edits].concat();
    let client = client(edits, minutes(180), at_once(), Some(3));
    let (blobs, pages) = client.listed().await;
    assert_eq!((blobs.len(), pages), (10, 4));
    let distinct: BTreeSet<String> = blobs.iter().map(|blob| blob["contentId"].to_string()).collect();
    assert_eq!(distinct.len(), 10);
    assert_eq!(blobs[0]["contentCreated"], "2026-01-01T00:10:00.000Z");
    assert_eq!(blobs[0]["contentExpiration"], "2026-01-08T00:10:00.000Z");
    let records = client.records().await;
    let ids = ids_of(&records);
    assert_eq!(
        ids.len(),
        203,
        "the folder, the upload, the save after it, 200 saves"
    );
    assert_eq!(
        records.len(),
        203 + 2 * 9,
        "each blob repeats two of the one before"
    );
    let times: Vec<String> = records
        .iter()
        .map(|record| record["CreationTime"].to_string())
        .collect();
    assert!(!times.is_sorted());
    assert_eq!(told(&client.sim, Provider::OneDrive, "F").len(), 202);
}

#[tokio::test]
async fn wrong_requests_are_refused_in_the_forms_of_the_service() {
    let client = client(vec![Edit::created(at(1), "F/a", 1)], minutes(30), at_once(), None);
    let content = |window: &str| format!("subscriptions/content?contentType=Audit.SharePoint{window}");
    for (rest, refused) in [
        (content("&startTime=2026-01-01T00:00"), "AF20030"),
        (
            content("&startTime=2026-01-01T00:00&endTime=2026-01-02T00:01"),
            "AF20030",
        ),
        (content("&startTime=2025-12-20&endTime=2025-12-21"), "AF20030"),
        (
            content("&startTime=2026-01-01T00:00&endTime=2026-01-01T00:00"),
            "AF20030",
        ),
        (content("&nextPage=x"), "AF20031"),
        ("subscriptions/content".to_owned(), "AF20001"),
        (
            "subscriptions/content?contentType=Audit.Files".to_owned(),
            "AF20020",
        ),
        (
            "subscriptions/content?contentType=Audit.Exchange".to_owned(),
            "AF20022",
        ),
        ("audit/nothing".to_owned(), "AF20052"),
        (
            "audit/20260101000000000000000$20260101000000000000000$audit_sharepoint$Audit_SharePoint"
                .to_owned(),
            "AF20050",
        ),
    ] {
        assert_eq!(
            client.error("GET", &rest).await,
            (400, refused.to_owned()),
            "{rest}"
        );
    }
}

#[tokio::test]
async fn tenants_tokens_and_permissions_are_checked_and_content_expires() {
    let client = client(vec![Edit::created(at(1), "F/a", 1)], minutes(30), at_once(), None);
    let elsewhere = client
        .send(
            "GET",
            "/api/v1.0/contoso/activity/feed/subscriptions/list",
            String::new(),
            Some(&client.token),
        )
        .await;
    assert_eq!(code(&body_of(elsewhere).await), "AF20010");
    let (blobs, _) = client.listed().await;
    let uri = blobs[0]["contentUri"].as_str().unwrap();
    client.sim.advance(at(8 * 24 * 3600)).unwrap();
    assert_eq!(client.error("GET", uri).await, (400, "AF20051".to_owned()));
    assert_eq!(
        client.get("/root").await.0,
        401,
        "a token for the log is none for the drive"
    );
    let graph = client.sim.issue_token(Provider::OneDrive);
    let denied = client
        .send("GET", &feed("subscriptions/list"), String::new(), Some(&graph))
        .await;
    assert_eq!(denied.status(), 401);
    let closed = Audit {
        access: AuditAccess::NotGranted,
        ..at_once()
    };
    let client = self::client(vec![Edit::created(at(1), "F/a", 1)], 60, closed, None);
    assert_eq!(
        client.error("GET", "subscriptions/list").await,
        (401, "AF10001".to_owned())
    );
}

#[tokio::test]
async fn scopes_decide_what_a_token_is_for() {
    let client = Client::over(vec![Edit::created(at(1), "F/a", 1)], 60, None);
    let token = async |scope: &str| {
        let form = format!(
            "grant_type=client_credentials&client_id=revtrail-sim&client_secret=sim-secret&scope={scope}"
        );
        let answer = client
            .send("POST", &format!("/{TENANT}/oauth2/v2.0/token"), form, None)
            .await;
        body_of(answer).await["access_token"].as_str().unwrap().to_owned()
    };
    let graph = token("https%3A%2F%2Fgraph.microsoft.com%2F.default").await;
    let audit = token("https%3A%2F%2Fmanage.office.com%2F.default").await;
    let both = token("http%3A%2F%2F127.0.0.1%2F.default").await;
    let status =
        async |url: &str, token: &str| client.send("GET", url, String::new(), Some(token)).await.status();
    let (drive, log) = ("/v1.0/me/drive".to_owned(), feed("subscriptions/list"));
    for (token, of_drive, of_log) in [(&graph, 200, 401), (&audit, 401, 200), (&both, 200, 200)] {
        assert_eq!(status(&drive, token).await, of_drive);
        assert_eq!(status(&log, token).await, of_log);
    }
}

#[tokio::test]
async fn hands_and_applications_are_told_as_far_as_the_log_knows_them() {
    let by = |second, name: &str, who: &str| Edit::modified(at(second), name, 1).by(who);
    let mut edits = vec![
        Edit::created(at(0), "a", 1),
        by(11, "a", "ann@example.com"),
        by(12, "a", "bot@x.iam.gserviceaccount.com"),
        by(13, "a", "admin@handbook.example"),
        by(14, "a", "x@anonymous.invalid"),
        by(15, "a", "x@automation.invalid"),
    ];
    edits[1].application = Some("Sorter".into());
    let client = client(edits, minutes(30), at_once(), None);
    let records = client.records().await;
    let of = |second: i64| {
        let time = format!("2026-01-01T00:00:{second}");
        records
            .iter()
            .find(|record| record["CreationTime"] == *time)
            .unwrap()
    };
    assert_eq!(of(11)["AppAccessContext"]["ClientAppName"], "Sorter");
    assert_eq!(of(11)["UserId"], "ann@example.com");
    assert_eq!(
        (&of(12)["UserId"], &of(12)["UserType"]),
        (&json!("app@sharepoint"), &json!(5))
    );
    assert_eq!(of(13)["UserType"], 2);
    assert!(of(14)["UserId"].as_str().unwrap().starts_with("urn:spo:anon#"));
    assert_eq!(of(15)["UserId"], "SHAREPOINT\\system");
    let kinds: Vec<FactActorKind> = told(&client.sim, Provider::OneDrive, "")
        .iter()
        .skip(2)
        .map(|fact| fact.actor_kind)
        .collect();
    assert_eq!(kinds, [User, Application, User, Anonymous, Service]);
}

#[tokio::test]
async fn faults_hold_back_repeat_and_spoil() {
    let edits = vec![Edit::created(at(1), "a", 1), Edit::modified(at(9), "a", 1)];
    let client = client(edits, minutes(30), at_once(), None);
    client.plan(Fault::EmptyPage, "audit_content");
    assert_eq!(client.listed().await, (client.listed().await.0, 2));
    client.plan(Fault::DuplicateItems, "audit_blob");
    assert_eq!(client.records().await.len(), 6);
    client.plan(Fault::UnnamedItem, "audit_blob");
    let unnamed = client.records().await;
    assert_eq!(
        unnamed
            .iter()
            .filter(|record| record.get("ListItemUniqueId").is_none())
            .count(),
        1
    );
    client.plan(Fault::ForeignNextLink, "audit_content");
    client.plan(Fault::EmptyPage, "audit_content");
    let (_, _, next) = client
        .ask("GET", "subscriptions/content?contentType=Audit.SharePoint")
        .await;
    assert!(next.unwrap().starts_with("https://graph.attacker.example/api/"));
    client.plan(Fault::AuditLate { minutes: 60 }, "audit_blob");
    assert_eq!(
        client.records().await.len(),
        1,
        "the upload, with the save after it, is held back"
    );
    client.sim.advance(at(minutes(100))).unwrap();
    let records = client.records().await;
    assert_eq!(ids_of(&records).len(), 3);
    let call = client.sim.begin(Provider::OneDrive, "audit_content");
    let throttled = super::super::refusal(&Fault::Throttle429 { retry_after: None }, &call);
    assert_eq!(throttled.status(), 403);
    assert_eq!(code(&body_of(throttled).await), "AF429");
}
