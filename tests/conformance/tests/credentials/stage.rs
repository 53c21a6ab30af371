//! A simulator that checks credentials, a configuration that names them, and everything that is logged meanwhile.

use std::{
    fmt::Write as _,
    fs,
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use revtrail_connector::{
    Connector, ConnectorError, FeedPoint, Next, Place,
    change::{About, RevisionAsk, Seen},
};
use revtrail_model::time::{Clock, FixedClock};
use revtrail_settings::{Account, Config};
use revtrail_simulator::{
    ClientKind, Credentials, Edit, Options, Ports, Provider, RefreshTokens, Running, ServiceAccount, Sim,
    Team, Timestamp, WorldSource, serve,
};
use tempfile::TempDir;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

pub(crate) const TENANT: &str = "6d1c0a4e-9c1f-4a46-8f3e-2b1d7c5a9e10";
pub(crate) const SERVICE_ACCOUNT: &str = "archive@acme.iam.gserviceaccount.com";
pub(crate) const SUBJECT: &str = "audit@acme.example";
pub(crate) const SCOPE: &str = "https://www.googleapis.com/auth/drive.metadata.readonly";
pub(crate) const MEMBER: &str = "dbmid:AAmember";
pub(crate) const ADMIN: &str = "dbmid:AAadmin";
pub(crate) const TEAM: &str = "dbtid:AAteam";

const DATA: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../connectors/onedrive/tests/data"
);
const KEY: &str = "private-key-made-for-tests.pem";
const CERTIFICATE: &str = "certificate-made-for-tests.pem";

/// Everything logged on this thread, at every level, by every crate.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// The simulator and a place for secrets.
pub(crate) struct Stage {
    pub(crate) running: Running,
    pub(crate) log: Log,
    dir: TempDir,
    _logging: DefaultGuard,
}

fn at(minute: u32) -> Timestamp {
    format!("2026-10-01T08:{minute:02}:00Z").parse().unwrap()
}

/// A certificate's bytes, read with nothing of the connectors.
fn der(name: &str) -> Vec<u8> {
    let text = fs::read_to_string(Path::new(DATA).join(name)).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

/// Credentials of every kind.
pub(crate) fn credentials() -> Credentials {
    Credentials {
        certificates: vec![der(CERTIFICATE)],
        service_account: Some(ServiceAccount {
            email: SERVICE_ACCOUNT.to_owned(),
            certificate: der(CERTIFICATE),
            subjects: vec![SUBJECT.to_owned()],
            scopes: vec![SCOPE.to_owned()],
        }),
        ..Credentials::default()
    }
}

/// As a client that has no secret.
pub(crate) fn public() -> Credentials {
    Credentials {
        client: ClientKind::Public,
        refresh_tokens: RefreshTokens::Replaced,
        ..credentials()
    }
}

/// As the token of a team.
pub(crate) fn team() -> Credentials {
    Credentials {
        team: Some(Team {
            id: TEAM.to_owned(),
            member: MEMBER.to_owned(),
            admin: ADMIN.to_owned(),
        }),
        ..credentials()
    }
}

impl Stage {
    pub(crate) async fn new(credentials: Credentials) -> Self {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(log.clone())
            .finish();
        let logging = tracing::subscriber::set_default(subscriber);
        let edits = vec![
            Edit::created(at(1), "Handbook/a.txt", 100).by("ada@acme.example"),
            Edit::modified(at(2), "Handbook/a.txt", 120).by("bo@acme.example"),
            Edit::created(at(3), "Handbook/b/c.txt", 10).by("ada@acme.example"),
        ];
        let options = Options {
            credentials,
            ..Options::default()
        };
        let sim = Sim::new(WorldSource::from_edits(edits), options);
        sim.advance(at(10)).unwrap();
        let running = serve(sim, Ports::default()).await.unwrap();
        let stage = Self {
            running,
            log,
            dir: tempfile::tempdir().unwrap(),
            _logging: logging,
        };
        stage.secrets();
        stage
    }

    fn secrets(&self) {
        let options = self.running.sim().options().clone();
        self.put("secret", &options.client_secret);
        self.put("refresh", &options.refresh_token);
        for name in [KEY, CERTIFICATE, "certificate-of-another-key.pem"] {
            fs::copy(Path::new(DATA).join(name), self.path(name)).unwrap();
        }
        let key = fs::read_to_string(self.path(KEY)).unwrap();
        let file = serde_json::json!({
            "type": "service_account", "client_email": SERVICE_ACCOUNT, "private_key": key, "private_key_id": "k1",
        });
        self.put("service-account.json", &file.to_string());
        self.put("federated", "federated-token-of-the-first-hour");
        self.running
            .sim()
            .set_federated_token("federated-token-of-the-first-hour");
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// The account and its folder as written in a configuration file. `DIR` stands for the directory of the secrets.
    pub(crate) fn config(&self, provider: Provider, credential: &str, folder: &str) -> String {
        let url = self.running.url(provider);
        let dir = self.dir.path().display();
        let mut text =
            format!("[archive]\nurl = \"file://{dir}/archive\"\n[signing]\nkey_file = \"k\"\n[accounts.a]\n");
        let own = match provider {
            Provider::OneDrive if credential.contains("tenant") => {
                format!(
                    "provider = \"onedrive\"\napi_url = \"{url}/v1.0\"\ntoken_url = \"{url}/consumers/oauth2/v2.0/token\"\n"
                )
            }
            Provider::OneDrive => format!(
                "provider = \"onedrive\"\ntenant = \"{TENANT}\"\napi_url = \"{url}/v1.0\"\ntoken_url = \"{url}/{TENANT}/oauth2/v2.0/token\"\n"
            ),
            Provider::GoogleDrive => format!(
                "provider = \"google_drive\"\napi_url = \"{url}\"\ntoken_url = \"{url}/token\"\nmetadata_url = \"{url}\"\niam_url = \"{url}\"\n"
            ),
            Provider::Dropbox => format!("provider = \"dropbox\"\napi_url = \"{url}\"\n"),
        };
        let client = if credential.contains("service_account") {
            String::new()
        } else {
            format!("client_id = \"{}\"\n", self.running.sim().options().client_id)
        };
        let credential = credential.replace("DIR", &dir.to_string());
        writeln!(
            text,
            "{own}{client}retry_base_ms = 1\nrequests_per_second = 100000\n{credential}"
        )
        .unwrap();
        text.push_str(
            "[ledgers.l]\norigin = \"e.example/l\"\nschedule = \"0 0 * * *\"\nretention = \"1y\"\n",
        );
        write!(
            text,
            "[[ledgers.l.folders]]\nname = \"f\"\naccount = \"a\"\n{folder}\n"
        )
        .unwrap();
        text
    }

    /// The folder in the words most tests use.
    pub(crate) fn folder(&self, provider: Provider) -> String {
        match provider {
            Provider::OneDrive => format!(
                "drive = \"{}\"\npath = \"/Handbook\"",
                self.running.onedrive_drive()
            ),
            Provider::GoogleDrive | Provider::Dropbox => "path = \"/Handbook\"".to_owned(),
        }
    }

    /// A connector on the account, and where its folder is. Its clock shows the simulator's time.
    pub(crate) fn connector(
        &self,
        provider: Provider,
        credential: &str,
        folder: &str,
    ) -> Result<(Box<dyn Connector>, Place), ConnectorError> {
        let text = self.config(provider, credential, folder);
        let config =
            Config::parse(Path::new("test.toml"), &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let clock: Arc<dyn Clock> = Arc::new(FixedClock(self.running.sim().now()));
        let connector = match config.accounts.values().next().unwrap() {
            Account::OneDrive(account) => revtrail_onedrive::connect(account, clock)?,
            Account::GoogleDrive(account) => revtrail_google_drive::connect(account, clock)?,
            Account::Dropbox(account) => revtrail_dropbox::connect(account, clock)?,
        };
        let ledger = config.ledgers.values().next().unwrap();
        Ok((connector, ledger.folders[0].place.clone()))
    }

    /// Nothing that was kept secret stands in `text`.
    pub(crate) fn assert_no_secret(&self, text: &str) {
        let sim = self.running.sim();
        let mut secrets = vec![
            sim.options().client_secret.clone(),
            sim.options().refresh_token.clone(),
        ];
        secrets.extend(sim.access_tokens());
        secrets.extend(sim.replaced_refresh_tokens());
        for line in fs::read_to_string(self.path(KEY)).unwrap().lines().skip(1) {
            secrets.push(line.to_owned());
        }
        // Cloud tokens, and the beginning of every signed statement.
        secrets.extend(["sim-cloud-", "eyJ", "federated-token"].map(str::to_owned));
        for secret in secrets.iter().filter(|secret| !secret.starts_with("-----")) {
            assert!(!text.contains(secret.as_str()), "{secret} in:\n{text}");
        }
    }
}

/// Reads the folder once: the tenant, the files in the feed, and how many revisions `a.txt` has.
pub(crate) async fn read(
    connector: &dyn Connector,
    place: &Place,
) -> Result<(String, usize, usize), ConnectorError> {
    let access = connector.preflight().await?;
    let root = connector.resolve(place).await?;
    let mut at = FeedPoint::Start;
    let mut files = std::collections::BTreeMap::new();
    loop {
        let page = connector.changes(&root, at).await?;
        for change in page.changes {
            if let Seen::Present(meta) = change.seen
                && meta.head.is_some()
            {
                files.insert(meta.name.clone().unwrap_or_default(), meta);
            }
        }
        match page.next {
            Next::Page(token) => at = FeedPoint::Page(token),
            Next::CaughtUp(_) => break,
        }
    }
    let ask = RevisionAsk {
        about: About::Item(files["a.txt"].id.clone()),
        head: None,
    };
    let answers = connector.revisions(&root, &[ask]).await?;
    let list = answers[0].outcome.as_ref().unwrap();
    Ok((
        access.tenant.as_str().to_owned(),
        files.len(),
        list.revisions.len(),
    ))
}
