//! A Drive on the loopback interface that answers from a script and notes what it was asked.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
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
use revtrail_google_drive::{Account, AccountFile, connect};
use revtrail_model::time::{self, FixedClock};
use tempfile::NamedTempFile;
use url::Url;

/// What the fake sends as `Date`.
pub(crate) const DATE: &str = "Fri, 02 Jan 2026 03:04:05 GMT";

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::new(200, body)
    }

    pub(crate) fn refused(status: u16, reason: &str) -> Self {
        let body = format!(
            r#"{{"error":{{"code":{status},"message":"m","errors":[{{"domain":"global","reason":"{reason}"}}]}}}}"#
        );
        Self::new(status, body)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// An answer for requests of one path whose query holds these pairs.
struct Rule {
    path: String,
    query: Vec<(String, String)>,
    replies: Vec<Reply>,
}

/// A request as it arrived, parts of batches included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
}

#[derive(Default)]
struct Script {
    rules: Vec<Rule>,
    asked: Vec<Asked>,
    /// Bodies of token requests.
    tokens: Vec<String>,
}

/// The running fake and a connector on it.
pub(crate) struct Drive {
    pub(crate) connector: Box<dyn Connector>,
    script: Arc<Mutex<Script>>,
    _secrets: Vec<NamedTempFile>,
}

fn secret(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    writeln!(file, "{text}").unwrap();
    file
}

impl Drive {
    /// A Drive whose My Drive has the root `0ARoot`, read with a refresh token.
    pub(crate) async fn start() -> Self {
        let secrets = vec![secret("s3cret"), secret("r3fresh")];
        let login = AccountFile {
            client_id: Some("app".into()),
            client_secret_file: Some(secrets[0].path().to_owned()),
            refresh_token_file: Some(secrets[1].path().to_owned()),
            ..AccountFile::default()
        };
        Self::read_by(login, secrets).await
    }

    /// The same, read by a service account for a user.
    pub(crate) async fn start_for_service_account() -> Self {
        let secrets = vec![secret(include_str!(
            "../data/service_account_key_made_for_tests.json"
        ))];
        let login = AccountFile {
            service_account_file: Some(secrets[0].path().to_owned()),
            subject: Some("ana@acme.example".into()),
            ..AccountFile::default()
        };
        Self::read_by(login, secrets).await
    }

    async fn read_by(login: AccountFile, secrets: Vec<NamedTempFile>) -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let account = Account::try_from(AccountFile {
            api_url: Some(origin.clone()),
            token_url: Some(format!("{origin}/token")),
            retry_base_ms: Some(1),
            quota_units_per_minute: None,
            requests_per_second: Some(100_000.0),
            ..login
        })
        .unwrap();
        let clock = FixedClock(time::parse("2026-01-02T03:04:06Z").unwrap());
        let drive = Self {
            connector: connect(&account, Arc::new(clock)).unwrap(),
            script,
            _secrets: secrets,
        };
        drive.on("files/root", &[], Reply::ok(r#"{"id":"0ARoot"}"#));
        drive
    }

    /// Fields of each token request.
    pub(crate) fn token_requests(&self) -> Vec<BTreeMap<String, String>> {
        let script = self.script.lock().unwrap();
        let forms = script.tokens.iter();
        forms
            .map(|form| {
                url::form_urlencoded::parse(form.as_bytes())
                    .into_owned()
                    .collect()
            })
            .collect()
    }

    /// Adds an answer for `path` (below the API) with at least these query pairs. Answers are used up in order, the last one stays;
    /// of several rules that fit, the one with the most pairs counts.
    pub(crate) fn on(&self, path: &str, query: &[(&str, &str)], reply: Reply) -> &Self {
        let path = format!("/drive/v3/{path}");
        self.rule(path, query, reply);
        self
    }

    /// An answer to batches, instead of one made of answers to their parts.
    pub(crate) fn on_batch(&self, reply: Reply) -> &Self {
        self.rule("/batch/drive/v3".into(), &[], reply);
        self
    }

    fn rule(&self, path: String, query: &[(&str, &str)], reply: Reply) {
        let query: Vec<(String, String)> = query
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let mut script = self.script.lock().unwrap();
        match script
            .rules
            .iter_mut()
            .find(|rule| rule.path == path && rule.query == query)
        {
            Some(rule) => rule.replies.push(reply),
            None => script.rules.push(Rule {
                path,
                query,
                replies: vec![reply],
            }),
        }
    }

    /// What was asked of the API so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    /// Paths asked for, below the API.
    pub(crate) fn paths(&self) -> Vec<String> {
        let strip = |asked: Asked| asked.path.replace("/drive/v3/", "");
        self.asked().into_iter().map(strip).collect()
    }

    /// One parameter of every request to `path`.
    pub(crate) fn parameters(&self, path: &str, name: &str) -> Vec<Option<String>> {
        let path = format!("/drive/v3/{path}");
        let asked = self.asked().into_iter().filter(|asked| asked.path == path);
        asked.map(|asked| asked.query.get(name).cloned()).collect()
    }
}

impl Script {
    fn reply(&mut self, target: &str) -> Reply {
        let url = Url::parse("http://x").unwrap().join(target).unwrap();
        let asked = Asked {
            path: url.path().to_owned(),
            query: url.query_pairs().into_owned().collect(),
        };
        let rule = self
            .rules
            .iter_mut()
            .filter(|rule| {
                let holds = |(key, value): &(String, String)| asked.query.get(key) == Some(value);
                rule.path == asked.path && rule.query.iter().all(holds)
            })
            .max_by_key(|rule| rule.query.len())
            .unwrap_or_else(|| panic!("no answer for {asked:?}"));
        self.asked.push(asked);
        if rule.replies.len() > 1 {
            rule.replies.remove(0)
        } else {
            rule.replies[0].clone()
        }
    }

    /// Parts are answered last first: their order is not promised.
    fn batch(&mut self, body: &str) -> Reply {
        let mut answer = String::new();
        let parts: Vec<&str> = body
            .split("--revtrail-part")
            .filter(|part| part.contains("GET "))
            .collect();
        assert!(parts.len() <= 100, "{} parts", parts.len());
        for part in parts.into_iter().rev() {
            let after = |mark: &str| part.split_once(mark).unwrap().1;
            let number = after("Content-ID: <").split_once('>').unwrap().0;
            let reply = self.reply(after("GET ").split_once(' ').unwrap().0);
            let mut headers = String::new();
            for (name, value) in &reply.headers {
                write!(headers, "{name}: {value}\r\n").unwrap();
            }
            write!(
                answer,
                "--batch_x\r\nContent-Type: application/http\r\nContent-ID: <response-{number}>\r\n\r\n\
                 HTTP/1.1 {} X\r\nContent-Type: application/json; charset=UTF-8\r\n{headers}\r\n{}\r\n",
                reply.status, reply.body
            )
            .unwrap();
        }
        answer.push_str("--batch_x--\r\n");
        Reply::ok(answer).header("content-type", "multipart/mixed; boundary=batch_x")
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let target = parts.uri.path_and_query().unwrap().as_str().to_owned();
    let mut script = script.lock().unwrap();
    if target == "/token" {
        script.tokens.push(body);
        let token = format!(
            r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"token-{}"}}"#,
            script.tokens.len()
        );
        return send(Reply::ok(token));
    }
    assert!(parts.headers.contains_key("authorization"), "{target}");
    let is_scripted = script.rules.iter().any(|rule| rule.path == target);
    let reply = if target == "/batch/drive/v3" && !is_scripted {
        script.batch(&body)
    } else {
        script.reply(&target)
    };
    send(reply)
}

fn send(reply: Reply) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap();
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("date", HeaderValue::from_static(DATE));
    for (name, value) in reply.headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
