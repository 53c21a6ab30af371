//! A small Dropbox over HTTP: it holds state and answers the routes the connector calls, strictly.

use std::{
    collections::{BTreeMap, HashSet},
    io::Write as _,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use revtrail_connector::{Connector, DrivePlace, Place, Within};
use revtrail_dropbox::{Account, AccountFile, connect};
use revtrail_model::time::FixedClock;
use serde_json::{Value, json};

pub(crate) const HOME: &str = "70721710";

/// What the fake holds.
#[derive(Default)]
pub(crate) struct World {
    /// Live entries below the folder.
    pub(crate) live: Vec<Value>,
    /// Places emptied before.
    pub(crate) emptied: Vec<Value>,
    /// What changed since the first listing.
    pub(crate) since: Vec<Value>,
    /// Answers to `get_metadata`, by path or id.
    pub(crate) metadata: BTreeMap<String, Value>,
    /// All revisions, newest first.
    pub(crate) revisions: Vec<Value>,
    /// Places and ids whose latest revision is no longer there, with the deletion time if it is told.
    pub(crate) deleted: BTreeMap<String, Option<String>>,
    /// Places whose revisions are refused with this lookup error.
    pub(crate) refused: BTreeMap<String, String>,
    /// Display name by account id.
    pub(crate) people: BTreeMap<String, String>,
    /// Whether accounts may be looked up.
    pub(crate) scope: Scope,
    /// Refusal of every continuation, as the JSON of the error.
    pub(crate) feed_error: Option<Value>,
    /// The team's log, in the order events appeared.
    pub(crate) log: Vec<Value>,
    /// Refusal of every continuation of the log.
    pub(crate) log_error: Option<Value>,
    /// The team's plan records no file events.
    pub(crate) is_small_plan: bool,
}

#[derive(Default, PartialEq, Eq)]
pub(crate) enum Scope {
    #[default]
    Granted,
    Missing,
}

/// A request that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) route: String,
    pub(crate) path_root: Option<String>,
    /// Whom the request acts as.
    pub(crate) acts_as: Option<String>,
    pub(crate) argument: Value,
}

/// The fake, running.
pub(crate) struct Fake {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    secret: tempfile::NamedTempFile,
}

#[derive(Clone)]
struct Shared {
    world: Arc<World>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Fake {
    pub(crate) async fn start(world: World) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared = Shared {
            world: Arc::new(world),
            seen: Arc::clone(&seen),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut secret = tempfile::NamedTempFile::new().unwrap();
        writeln!(secret, "refresh-1").unwrap();
        Self { url, seen, secret }
    }

    pub(crate) fn connector(&self) -> Box<dyn Connector> {
        self.connector_at(None)
    }

    pub(crate) fn connector_at(&self, namespace: Option<&str>) -> Box<dyn Connector> {
        self.connector_with(json!({ "namespace": namespace }))
    }

    fn connector_with(&self, more: Value) -> Box<dyn Connector> {
        let mut file = json!({
            "client_id": "app",
            "refresh_token_file": self.secret.path(),
            "api_url": self.url,
            "retry_base_ms": 1,
            "requests_per_second": 100_000.0,
        });
        let Value::Object(more) = more else {
            panic!("no object")
        };
        file.as_object_mut().unwrap().extend(more);
        let file: AccountFile = serde_json::from_value(file).unwrap();
        let account = Account::try_from(file).unwrap();
        connect(
            &account,
            Arc::new(FixedClock("2026-03-05T00:00:00Z".parse().unwrap())),
        )
        .unwrap()
    }

    /// A connector of a team's link, which reads its log.
    pub(crate) fn team_connector(&self) -> Box<dyn Connector> {
        self.connector_with(json!({"select_admin": "dbmid:AAa", "audit": true}))
    }

    /// Requests to a route so far.
    pub(crate) fn seen(&self, route: &str) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.route == route).cloned().collect()
    }
}

/// A folder of the account's own, by path.
pub(crate) fn at(path: &str) -> Place {
    Place {
        drive: DrivePlace::Own,
        within: Within::Path(path.to_owned()),
    }
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let route = request.uri().path().to_owned();
    let path_root = request.headers().get("dropbox-api-path-root");
    let path_root = path_root.map(|value| value.to_str().unwrap().to_owned());
    let acts_as = ["dropbox-api-select-user", "dropbox-api-select-admin"]
        .into_iter()
        .find_map(|name| request.headers().get(name))
        .map(|value| value.to_str().unwrap().to_owned());
    let is_authorised = request
        .headers()
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value.to_str().is_ok_and(|text| text == "Bearer access-1"));
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    if route == "/oauth2/token" {
        let token = r#"{"access_token":"access-1","token_type":"bearer","expires_in":14400}"#;
        return ([(header::CONTENT_TYPE, "text/javascript")], token).into_response();
    }
    if !is_authorised {
        return reply(401, &json!({"error": {".tag": "invalid_access_token"}}));
    }
    let argument: Value = serde_json::from_slice(&body).unwrap();
    shared.seen.lock().unwrap().push(Seen {
        route: route.clone(),
        path_root,
        acts_as,
        argument: argument.clone(),
    });
    let (status, value) = dispatch(&shared.world, &route, &argument);
    reply(status, &value)
}

fn reply(status: u16, value: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE.as_str(), "application/json"),
        ("x-dropbox-request-id", "4b1f24d4c24af5048531d02020546ace"),
        ("date", "Thu, 05 Mar 2026 00:00:00 GMT"),
    ];
    (StatusCode::from_u16(status).unwrap(), headers, value.to_string()).into_response()
}

fn dispatch(world: &World, route: &str, argument: &Value) -> (u16, Value) {
    match route {
        "/2/users/get_current_account" => {
            assert_eq!(*argument, Value::Null, "argument of a route without one");
            let root = json!({".tag": "user", "root_namespace_id": HOME, "home_namespace_id": HOME});
            (200, json!({"account_id": "dbid:owner", "root_info": root}))
        }
        "/2/files/get_metadata" => match world.metadata.get(text(argument, "path")) {
            Some(metadata) => (200, metadata.clone()),
            None => lookup_error("not_found"),
        },
        "/2/files/list_folder" => {
            only(argument, &["path", "recursive", "include_deleted", "limit"]);
            let part = if argument["include_deleted"] == true {
                "emptied"
            } else {
                "live"
            };
            // A first page may be empty although there are more.
            (
                200,
                json!({"entries": [], "cursor": format!("{part}:0"), "has_more": true}),
            )
        }
        "/2/files/list_folder/continue" => match &world.feed_error {
            Some(error) => (409, json!({ "error": error })),
            None => (200, page(world, text(argument, "cursor"))),
        },
        "/2/files/list_revisions" => revisions(world, argument),
        "/2/users/get_account_batch" => accounts(world, argument),
        "/2/team/features/get_values" => {
            assert_eq!(*argument, json!({"features": [{".tag": "has_team_file_events"}]}));
            let value = json!({".tag": "enabled", "enabled": !world.is_small_plan});
            let value = json!({".tag": "has_team_file_events", "has_team_file_events": value});
            (200, json!({ "values": [value] }))
        }
        "/2/team_log/get_events" => {
            only(argument, &["limit", "category", "time"]);
            // A first page may be empty although there are more.
            (200, json!({"events": [], "cursor": "log:0", "has_more": true}))
        }
        "/2/team_log/get_events/continue" => match &world.log_error {
            Some(error) => (409, json!({ "error": error })),
            None => (200, log_page(world, text(argument, "cursor"))),
        },
        other => panic!("unexpected route {other}"),
    }
}

/// Two events a page.
fn log_page(world: &World, cursor: &str) -> Value {
    let from: usize = cursor.strip_prefix("log:").unwrap().parse().unwrap();
    let to = world.log.len().min(from + 2);
    json!({"events": world.log[from..to], "cursor": format!("log:{to}"), "has_more": to < world.log.len()})
}

/// Two entries a page.
fn page(world: &World, cursor: &str) -> Value {
    let (part, from) = cursor.split_once(':').unwrap();
    let from: usize = from.parse().unwrap();
    let both: Vec<Value> = world.emptied.iter().chain(&world.live).cloned().collect();
    let entries = match part {
        "live" => &world.live,
        "emptied" => &both,
        _ => &world.since,
    };
    let rest = entries.get(from..).unwrap_or_default();
    let has_more = rest.len() > 2;
    let next = match (part, has_more) {
        ("live", false) => "since:0".to_owned(),
        _ => format!("{part}:{}", from + rest.len().min(2)),
    };
    json!({"entries": rest.iter().take(2).collect::<Vec<_>>(), "cursor": next, "has_more": has_more})
}

fn revisions(world: &World, argument: &Value) -> (u16, Value) {
    only(argument, &["path", "mode", "limit", "before_rev"]);
    let (path, limit) = (text(argument, "path"), argument["limit"].as_u64().unwrap());
    assert!((1..=100).contains(&limit), "limit {limit}");
    if let Some(tag) = world.refused.get(path) {
        return lookup_error(tag);
    }
    let member = if argument["mode"][".tag"] == "id" {
        "id"
    } else {
        "path_lower"
    };
    let all = world.revisions.iter().filter(|revision| revision[member] == path);
    let after: Vec<&Value> = match argument["before_rev"].as_str() {
        Some(before) => {
            assert_eq!(member, "path_lower", "before_rev outside path mode");
            all.skip_while(|revision| revision["rev"] != before)
                .skip(1)
                .collect()
        }
        None => all.collect(),
    };
    if after.is_empty() {
        return lookup_error("not_found");
    }
    let limit = usize::try_from(limit).unwrap();
    let mut answer = json!({
        "is_deleted": world.deleted.contains_key(path),
        "entries": after.iter().take(limit).collect::<Vec<_>>(),
        "has_more": after.len() > limit,
    });
    if let Some(Some(time)) = world.deleted.get(path) {
        answer["server_deleted"] = json!(time);
    }
    (200, answer)
}

fn accounts(world: &World, argument: &Value) -> (u16, Value) {
    if world.scope == Scope::Missing {
        let error = json!({".tag": "missing_scope", "required_scope": "sharing.read"});
        return (401, json!({ "error": error }));
    }
    let ids: Vec<&str> = argument["account_ids"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let unique: HashSet<&&str> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "duplicate ids");
    if let Some(id) = ids.iter().find(|id| !world.people.contains_key(**id)) {
        return (409, json!({"error": {".tag": "no_account", "no_account": id}}));
    }
    // Nothing promises the order asked.
    let found = ids.iter().rev().map(|id| {
        let name = &world.people[*id];
        json!({"account_id": id, "name": {"display_name": name}, "email": format!("{name}@example.org")})
    });
    (200, found.collect())
}

fn lookup_error(tag: &str) -> (u16, Value) {
    (
        409,
        json!({"error_summary": format!("path/{tag}/.."), "error": {".tag": "path", "path": {".tag": tag}}}),
    )
}

fn text<'a>(argument: &'a Value, member: &str) -> &'a str {
    argument[member].as_str().unwrap()
}

fn only(argument: &Value, known: &[&str]) {
    for member in argument.as_object().unwrap().keys() {
        assert!(
            known.contains(&member.as_str()),
            "unknown request member {member}"
        );
    }
}
