//! A Graph on the loopback interface that answers from a script and notes what it was asked.

use std::{
    collections::{BTreeMap, VecDeque},
    io::Write as _,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Response, StatusCode},
};
use revtrail_connector::Connector;
use revtrail_model::time::{self, FixedClock};
use revtrail_onedrive::{Account, AccountFile, connect};
use tempfile::NamedTempFile;

/// What the fake sends as `Date`.
pub(crate) const DATE: &str = "Fri, 02 Jan 2026 03:04:05 GMT";

/// A tenant with an audit log.
pub(crate) const TENANT: &str = "9f4b7c1e-2d5a-4c8e-8f0b-6a1d3e5c7b90";

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: vec![("request-id", "outer-id".into())],
            body: body.into(),
        }
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Path and query, as sent.
    pub(crate) target: String,
    /// Bearer token, if any.
    pub(crate) token: Option<String>,
    /// What was wished for, if anything.
    pub(crate) prefer: Option<String>,
    pub(crate) body: String,
}

#[derive(Default)]
struct Script {
    replies: BTreeMap<String, VecDeque<Reply>>,
    asked: Vec<Asked>,
    tokens: usize,
}

/// The running fake and a connector on it.
pub(crate) struct Graph {
    pub(crate) origin: String,
    pub(crate) connector: Box<dyn Connector>,
    script: Arc<Mutex<Script>>,
    _secret: NamedTempFile,
}

impl Graph {
    pub(crate) async fn start() -> Self {
        Self::read_by(AccountFile {
            tenant: "contoso-tenant".into(),
            ..AccountFile::default()
        })
        .await
    }

    /// The same, with the audit log of the tenant [`TENANT`] on the same host.
    pub(crate) async fn start_audited() -> Self {
        Self::read_by(AccountFile {
            tenant: TENANT.into(),
            audit: true,
            ..AccountFile::default()
        })
        .await
    }

    async fn read_by(account: AccountFile) -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });

        let mut secret = NamedTempFile::new().unwrap();
        writeln!(secret, "s3cret").unwrap();
        let account = Account::try_from(AccountFile {
            client_id: "app".into(),
            client_secret_file: Some(secret.path().to_owned()),
            api_url: Some(format!("{origin}/v1.0")),
            token_url: Some(format!("{origin}/token")),
            retry_base_ms: Some(1),
            requests_per_second: Some(100_000.0),
            audit_url: Some(origin.clone()),
            ..account
        })
        .unwrap();
        let clock = FixedClock(time::parse("2026-01-02T03:04:06Z").unwrap());
        Self {
            connector: connect(&account, Arc::new(clock)).unwrap(),
            origin,
            script,
            _secret: secret,
        }
    }

    /// Adds an answer for requests whose path and query start with `target`; answers are used up in order, the last one stays.
    pub(crate) fn on(&self, target: &str, reply: Reply) -> &Self {
        let mut script = self.script.lock().unwrap();
        script
            .replies
            .entry(target.to_owned())
            .or_default()
            .push_back(reply);
        self
    }

    /// What was asked of the API so far, token requests left out.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    /// Targets asked for, without the API root.
    pub(crate) fn targets(&self) -> Vec<String> {
        let strip = |asked: Asked| asked.target.replacen("/v1.0", "", 1);
        self.asked().into_iter().map(strip).collect()
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let target = parts.uri.path_and_query().unwrap().as_str().to_owned();
    let token = parts.headers.get("authorization").map(|value| {
        let text = value.to_str().unwrap();
        text.strip_prefix("Bearer ").unwrap().to_owned()
    });
    let prefer = parts.headers.get("prefer");
    let prefer = prefer.map(|value| value.to_str().unwrap().to_owned());
    let mut script = script.lock().unwrap();
    if target == "/token" && !script.replies.contains_key("/token") {
        script.tokens += 1;
        assert!(body.contains("client_secret=s3cret"), "{body}");
        assert!(body.contains("grant_type=client_credentials"), "{body}");
        assert!(body.contains("%2F.default"), "{body}");
        let token = format!(
            r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"token-{}"}}"#,
            script.tokens
        );
        return send(Reply::new(200, token));
    }
    if target != "/token" {
        script.asked.push(Asked {
            target: target.clone(),
            token,
            prefer,
            body,
        });
    }
    let (_, replies) = script
        .replies
        .iter_mut()
        .filter(|(prefix, _)| target.starts_with(prefix.as_str()))
        .max_by_key(|(prefix, _)| prefix.len())
        .unwrap_or_else(|| panic!("no answer for {target}"));
    let reply = if replies.len() > 1 {
        replies.pop_front()
    } else {
        replies.front().cloned()
    };
    send(reply.unwrap())
}

fn send(reply: Reply) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap();
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("date", HeaderValue::from_static(DATE));
    for (name, value) in reply.headers {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_str(&value).unwrap(),
        );
    }
    response
}
