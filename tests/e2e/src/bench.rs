//! A simulator, a directory with configuration, key and archive, and the program to run in it.

use std::{fs, path::Path};

use revtrail_simulator::{Options, Ports, Provider, Running, Sim, Timestamp, WorldSource, serve};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::program::{Outcome, Process, revtrail, run};

/// The designated folder of most benches.
pub const FOLDER: &str = "/Handbook";

/// A folder to harvest.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Name in the configuration.
    pub name: &'a str,
    /// Provider.
    pub provider: Provider,
    /// Path.
    pub path: &'a str,
}

/// A running simulator and a place to work.
pub struct Bench {
    runtime: Runtime,
    running: Running,
    dir: TempDir,
}

impl Bench {
    /// Serves `source` and configures `places`, archived in a directory of the bench.
    ///
    /// # Panics
    /// When anything cannot be set up.
    pub fn new(source: WorldSource, options: Options, places: &[Place<'_>]) -> Self {
        Self::at("", source, options, places)
    }

    /// As [`Bench::new`], archived elsewhere: `archive` is the text of the `[archive]` section.
    ///
    /// # Panics
    /// When anything cannot be set up.
    pub fn at(archive: &str, source: WorldSource, options: Options, places: &[Place<'_>]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        let runtime = runtime.unwrap_or_else(|error| panic!("runtime: {error}"));
        let served = runtime.block_on(serve(Sim::new(source, options), Ports::default()));
        let running = served.unwrap_or_else(|error| panic!("simulator: {error}"));
        let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("directory: {error}"));
        let bench = Self {
            runtime,
            running,
            dir,
        };
        bench.configure(archive, places);
        bench
    }

    fn configure(&self, archive: &str, places: &[Place<'_>]) {
        let local = format!("[archive]\nurl = \"file://{}/archive\"\n", self.dir().display());
        let archive = if archive.is_empty() { &local } else { archive };
        let options = self.running.sim().options();
        self.write("secret", &options.client_secret);
        self.write("refresh", &options.refresh_token);
        let mut text = format!("{archive}\n[signing]\nkey_file = \"key.pem\"\n");
        for provider in [Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox] {
            text.push_str(&self.account(provider));
        }
        text.push_str("[ledgers.main]\norigin = \"evidence.example/main\"\nschedule = \"0 0 * * *\"\nretention = \"7y\"\n");
        for place in places {
            text.push_str(&folder(place, &self.running.onedrive_drive()));
        }
        self.write("revtrail.toml", &text);
        let _made = self.call(&["key", "generate", "key.pem"]).exits(0);
    }

    fn account(&self, provider: Provider) -> String {
        let url = self.running.url(provider);
        let common = format!(
            "client_id = \"{}\"\nretry_base_ms = 1\nrequests_per_second = 100000.0\n",
            self.running.sim().options().client_id
        );
        match provider {
            Provider::OneDrive => format!(
                "[accounts.onedrive]\nprovider = \"onedrive\"\ntenant = \"6d1c0a4e-9c1f-4a46-8f3e-2b1d7c5a9e10\"\nclient_secret_file = \"secret\"\n\
                 api_url = \"{url}/v1.0\"\ntoken_url = \"{url}/6d1c0a4e-9c1f-4a46-8f3e-2b1d7c5a9e10/oauth2/v2.0/token\"\n{common}"
            ),
            Provider::GoogleDrive => format!(
                "[accounts.google_drive]\nprovider = \"google_drive\"\nclient_secret_file = \"secret\"\nrefresh_token_file = \"refresh\"\n\
                 api_url = \"{url}\"\ntoken_url = \"{url}/token\"\n{common}"
            ),
            Provider::Dropbox => format!(
                "[accounts.dropbox]\nprovider = \"dropbox\"\nclient_secret_file = \"secret\"\nrefresh_token_file = \"refresh\"\n\
                 api_url = \"{url}\"\ntoken_url = \"{url}/oauth2/token\"\n{common}"
            ),
        }
    }

    /// The bench's directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The simulator.
    pub fn sim(&self) -> &std::sync::Arc<Sim> {
        self.running.sim()
    }

    /// Writes a file of the bench.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.dir().join(name), text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Runs the program.
    pub fn call(&self, args: &[&str]) -> Outcome {
        // The servers live on other threads; this one may wait.
        let _entered = self.runtime.enter();
        run(revtrail(self.dir()).args(args))
    }

    /// Waits for a future on the bench's own runtime.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Starts the program and does not wait for it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(&self, args: &[&str]) -> Process {
        Process::start(revtrail(self.dir()).args(args))
    }

    /// The configuration as written.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn config(&self) -> String {
        let path = self.dir().join("revtrail.toml");
        fs::read_to_string(path).unwrap_or_else(|error| panic!("revtrail.toml: {error}"))
    }

    /// Commits a snapshot every so many events, so that one harvest has many commits.
    ///
    /// # Panics
    /// When the configuration cannot be written.
    pub fn snapshot_every(&self, events: u32) {
        self.write(
            "revtrail.toml",
            &format!("{}\n[harvest]\nsnapshot_events = {events}\n", self.config()),
        );
    }

    /// Creates the log.
    ///
    /// # Panics
    /// When it fails.
    pub fn init(&self) {
        let _created = self.call(&["init", "--ledger", "main"]).exits(0);
    }

    /// Lets the world reach `at`.
    ///
    /// # Panics
    /// When `at` is earlier than the world's present.
    pub fn advance(&self, at: Timestamp) {
        self.sim()
            .advance(at)
            .unwrap_or_else(|error| panic!("advance: {error}"));
    }

    /// Every event of the record, flat, in the order of the log.
    ///
    /// # Panics
    /// When the export fails.
    pub fn events(&self) -> Vec<Value> {
        let output = self.call(&["export", "--format", "jsonl"]).exits(0);
        output
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
            .collect()
    }

    /// Asserts that `verify` finds the record sound, whatever attempts that never committed left beside it.
    ///
    /// # Panics
    /// When it does not.
    pub fn verify_with_leftovers(&self) {
        let report = self.call(&["verify", "--output", "json"]).exits(0).json();
        assert_eq!(report["verdict"], "sound");
        let worse: Vec<&Value> = report["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|finding| finding["severity"] != "note")
            .collect();
        assert_eq!(worse, Vec::<&Value>::new());
    }

    /// Asserts that `verify` finds nothing wrong.
    ///
    /// # Panics
    /// When it does.
    pub fn verify(&self) {
        let outcome = self.call(&["verify", "--output", "json"]).exits(0);
        assert_eq!(outcome.json()["verdict"], "sound");
        assert_eq!(outcome.json()["findings"], Value::Array(Vec::new()));
    }
}

fn folder(place: &Place<'_>, onedrive: &str) -> String {
    let (account, drive) = match place.provider {
        Provider::OneDrive => ("onedrive", format!("drive = \"{onedrive}\"\n")),
        Provider::GoogleDrive => ("google_drive", String::new()),
        Provider::Dropbox => ("dropbox", String::new()),
    };
    format!(
        "[[ledgers.main.folders]]\nname = \"{}\"\naccount = \"{account}\"\npath = \"{}\"\n{drive}",
        place.name, place.path
    )
}
