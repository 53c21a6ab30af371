//! Provider answers: a server of our own gives the same bytes to every question, and the connector makes of them what it can. This takes
//! the whole way, from the socket through JSON and mapping to feed pages, revision lists and records of audit logs.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use revtrail_connector::{
    ActivityPoint, Connector, DrivePlace, FeedPoint, FolderRoot, Next, Place, Within,
    change::{About, Change, RevisionAsk},
};
use revtrail_model::time::{FixedClock, Timestamp};
use revtrail_settings::{Account, Config};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};

/// Answers to questions that come before those of interest, by the end of their address.
const FIXED: [(&str, &str); 7] = [
    (
        "/token",
        r#"{"access_token":"token","token_type":"bearer","expires_in":3600}"#,
    ),
    ("/changes/startpagetoken", r#"{"startPageToken":"5"}"#),
    (
        "/files/root",
        r#"{"id":"drive","mimeType":"application/vnd.google-apps.folder"}"#,
    ),
    (
        "/users/get_current_account",
        r#"{"account_id":"dbid:a","root_info":{".tag":"user","root_namespace_id":"drive","home_namespace_id":"drive"}}"#,
    ),
    ("/users/get_account_batch", "[]"),
    (
        "/subscriptions/list",
        r#"[{"contentType":"Audit.SharePoint","status":"enabled"}]"#,
    ),
    ("/team/features/get_values", r#"{"values":[]}"#),
];

/// When all answers were given, seconds; the connectors' own clock agrees.
const NOW: i64 = 1_767_225_600;

/// A log that an account can be told to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// Dropbox: the team's log.
    Team,
    /// OneDrive and SharePoint: the Management Activity API.
    Management,
    /// Google Drive: Admin SDK Reports.
    Reports,
    /// Google Drive: Drive Activity.
    DriveActivity,
}

impl Log {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Team, Self::Management, Self::Reports, Self::DriveActivity];

    const fn provider(self) -> &'static str {
        match self {
            Self::Team => "dropbox",
            Self::Management => "onedrive",
            Self::Reports | Self::DriveActivity => "google_drive",
        }
    }

    /// What the account says to have it read.
    fn switch(self, url: &str) -> String {
        match self {
            Self::Team => "audit = true\nselect_admin = \"dbmid:a\"\n".to_owned(),
            Self::Management => format!("audit = true\naudit_url = \"{url}\"\n"),
            Self::Reports => format!("audit = \"reports\"\naudit_url = \"{url}\"\n"),
            Self::DriveActivity => format!("audit = \"activity\"\naudit_url = \"{url}\"\n"),
        }
    }
}

/// What a connector understood of the answers it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Understood {
    /// Entries of feeds and listings.
    pub changes: usize,
    /// Revisions.
    pub revisions: usize,
    /// Members and values in both that it does not know.
    pub unknown: u64,
}

/// A connector and the server it speaks to.
pub struct Pages {
    runtime: Runtime,
    connector: Box<dyn Connector>,
    answer: Arc<Mutex<Vec<u8>>>,
    url: String,
    secrets: tempfile::TempDir,
}

impl Pages {
    /// For `provider` as the configuration names it.
    ///
    /// # Panics
    /// When nothing can be set up.
    pub fn new(provider: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let answer = Arc::new(Mutex::new(Vec::new()));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = Arc::clone(&answer);
        let listed = format!(r#"[{{"contentUri":"{url}/blob","contentId":"b"}}]"#);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&served), listed.clone()));
            }
        });
        let secrets = tempfile::tempdir().unwrap();
        let connector = connector((provider, ""), &url, secrets.path());
        Self {
            runtime,
            connector,
            answer,
            url,
            secrets,
        }
    }

    /// Asks everything a harvest asks, and gets `bytes` each time.
    pub fn read(&self, bytes: &[u8]) -> Understood {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
        self.runtime.block_on(self.ask())
    }

    /// Reads a page or two of `log`, and gets `bytes` each time; gives how many records explain something. What is no JSON is left to the
    /// targets of feeds and listings: it is asked for again, which takes long at the pace of some logs. For that pace, too, each page is
    /// read by a connector that has asked nothing yet.
    pub fn read_log(&self, log: Log, bytes: &[u8]) -> usize {
        if serde_json::from_slice::<serde_json::Value>(bytes).is_err() {
            return 0;
        }
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
        let switch = log.switch(&self.url);
        let connector = connector((log.provider(), &switch), &self.url, self.secrets.path());
        self.runtime.block_on(read(connector.as_ref()))
    }

    /// Where the server is, up to the path that the provider's documentation starts with.
    pub fn url(&self) -> &str {
        &self.url
    }

    async fn ask(&self) -> Understood {
        let place = Place {
            drive: DrivePlace::Id("drive".into()),
            within: Within::Path("/Handbook".into()),
        };
        let _folder = self.connector.resolve(&place).await;
        let root = FolderRoot {
            drive: "drive".into(),
            item: "item".into(),
            place: Some("/handbook".into()),
            name: None,
            parent: None,
            former: Vec::new(),
        };
        let mut understood = Understood::default();
        for start in [FeedPoint::Start, FeedPoint::After("drive 5".into())] {
            self.feed(&root, start, &mut understood).await;
        }
        if let Ok(page) = self.connector.subtree(&root, &"item".into(), None).await {
            understood.see(&page.changes);
        }
        let ask = |about| RevisionAsk { about, head: None };
        let questions = [
            vec![ask(About::Item("item".into()))],
            vec![
                ask(About::Item("item".into())),
                ask(About::Place("/handbook/a".into())),
                ask(About::Item("other".into())),
            ],
        ];
        for asks in questions {
            if let Ok(answers) = self.connector.revisions(&root, &asks).await {
                assert_eq!(answers.len(), asks.len());
                let lists = answers.iter().filter_map(|answer| answer.outcome.as_ref().ok());
                for revision in lists.flat_map(|list| &list.revisions) {
                    understood.revisions += 1;
                    understood.unknown += u64::from(revision.raw.unknown);
                }
            }
        }
        understood
    }
}

impl Pages {
    /// Some pages of a feed; every one is the same, so it may have no end.
    async fn feed(&self, root: &FolderRoot, start: FeedPoint, understood: &mut Understood) {
        let mut at = start;
        for _ in 0..4 {
            let Ok(page) = self.connector.changes(root, at).await else {
                break;
            };
            understood.see(&page.changes);
            match page.next {
                Next::Page(token) => at = FeedPoint::Page(token),
                Next::CaughtUp(_) => break,
            }
        }
    }
}

impl Understood {
    fn see(&mut self, changes: &[Change]) {
        self.changes += changes.len();
        self.unknown += changes
            .iter()
            .map(|change| u64::from(change.raw.unknown))
            .sum::<u64>();
    }
}

/// A log from an hour ago on: two pages at most, for every page is the same, and there may be no end.
async fn read(connector: &dyn Connector) -> usize {
    let root = FolderRoot {
        drive: "b!x".into(),
        item: "01ABCDEFF6Y2GOVW7725BZO354PWSELRRZ".into(),
        place: None,
        name: None,
        parent: None,
        former: Vec::new(),
    };
    let mut at = ActivityPoint::From(Timestamp::from_second(NOW - 3600).unwrap());
    let mut found = 0;
    for _ in 0..2 {
        let Ok(page) = connector.activity(std::slice::from_ref(&root), at).await else {
            break;
        };
        found += page.activities.len();
        match page.next {
            Next::Page(token) => at = ActivityPoint::Page(token),
            Next::CaughtUp(_) => break,
        }
    }
    found
}

/// The connector of an account of a provider, with more in its configuration.
fn connector((provider, more): (&str, &str), url: &str, secrets: &Path) -> Box<dyn Connector> {
    fs::write(secrets.join("secret"), "secret").unwrap();
    let secret = secrets.join("secret").display().to_string();
    let special = match provider {
        "onedrive" => {
            format!("tenant = \"6d1c0a4e-9c1f-4a46-8f3e-2b1d7c5a9e10\"\napi_url = \"{url}/v1.0\"\n")
        }
        _ => format!("refresh_token_file = \"{secret}\"\napi_url = \"{url}\"\n"),
    };
    let text = format!(
        "[archive]\nurl = \"file:///nowhere\"\n[signing]\nkey_file = \"{secret}\"\n\
         [accounts.account]\nprovider = \"{provider}\"\n{special}{more}token_url = \"{url}/token\"\nclient_id = \"client\"\n\
         client_secret_file = \"{secret}\"\nretry_base_ms = 1\nrequests_per_second = 1000000.0\n\
         [ledgers.main]\norigin = \"evidence.example/main\"\nschedule = \"0 0 * * *\"\nretention = \"1y\"\n\
         [[ledgers.main.folders]]\nname = \"handbook\"\naccount = \"account\"\npath = \"/Handbook\"\ndrive = \"drive\"\n"
    );
    let config = Config::parse(Path::new("revtrail.toml"), &text).unwrap();
    let clock = Arc::new(FixedClock(Timestamp::from_second(NOW).unwrap()));
    let connector = match config.accounts.values().next() {
        Some(Account::OneDrive(account)) => revtrail_onedrive::connect(account, clock),
        Some(Account::GoogleDrive(account)) => revtrail_google_drive::connect(account, clock),
        Some(Account::Dropbox(account)) => revtrail_dropbox::connect(account, clock),
        None => panic!("no account"),
    };
    connector.unwrap()
}

/// Answers requests of one connection until it closes.
async fn serve(mut stream: TcpStream, answer: Arc<Mutex<Vec<u8>>>, listed: String) {
    let mut received = Vec::new();
    while let Some(path) = request(&mut stream, &mut received).await {
        let bytes = answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Where the bytes are no list of blobs themselves, they are what the one blob holds.
        let is_list = bytes.windows(10).any(|window| window == b"contentUri");
        let (kind, body) = if path.contains("/subscriptions/content") && !is_list {
            ("application/json", listed.clone().into_bytes())
        } else {
            dress(&path, bytes)
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n",
            body.len()
        );
        let sent = stream.write_all(&[head.as_bytes(), &body].concat()).await;
        if sent.is_err() {
            return;
        }
    }
}

/// Reads one request to its end; gives its target.
async fn request(stream: &mut TcpStream, received: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                .unwrap_or(0);
            if received.len() >= end + 4 + length {
                received.drain(..end + 4 + length);
                return Some(head.split(' ').nth(1)?.to_owned());
            }
        }
        if stream.read_buf(received).await.ok()? == 0 {
            return None;
        }
    }
}

/// The bytes in the clothes that the question expects: as they are, or as parts of a batch.
fn dress(path: &str, bytes: Vec<u8>) -> (&'static str, Vec<u8>) {
    let joined = |before: String, after: &str| [before.as_bytes(), &bytes, after.as_bytes()].concat();
    let known = FIXED
        .iter()
        .find(|(end, _)| path.split('?').next().is_some_and(|path| path.ends_with(end)));
    if let Some((_, answer)) = known {
        ("application/json", (*answer).into())
    } else if path.ends_with("/$batch") {
        let part = |id| joined(format!(r#"{{"id":"{id}","status":200,"body":"#), "}");
        let parts = [part(0), part(1), part(2)].join(&b',');
        let body = [&br#"{"responses":["#[..], &parts, b"]}"].concat();
        ("application/json", body)
    } else if path.contains("/batch") {
        let part = |id| {
            let head = "Content-Type: application/http\r\nContent-ID: <response-";
            joined(
                format!(
                    "--b\r\n{head}{id}>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
                ),
                "\r\n",
            )
        };
        let body = [part(0), part(2), b"--b--\r\n".to_vec()].concat();
        ("multipart/mixed; boundary=b", body)
    } else {
        ("application/json", bytes)
    }
}
