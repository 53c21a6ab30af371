//! `demo`: the bundled incident, harvested twice from a simulator of all three providers over real HTTP.

use std::{
    fs,
    path::{Path, PathBuf},
};

use revtrail_model::time::{Clock as _, Timestamp};
use revtrail_simulator::{Incident, Options, Ports, Provider, Running, Sim, incident, serve};

use super::{check, harvest, init, key, questions};
use crate::{
    args::{DemoArgs, Global, HarvestArgs, LedgerArg, LogArgs, Period, VerifyArgs},
    clock::SystemClock,
    exit::{Exit, Failure},
    output::say,
};

const TENANT: &str = "6d1c0a4e-9c1f-4a46-8f3e-2b1d7c5a9e10";

pub(crate) async fn run(global: &Global, args: &DemoArgs) -> Result<Exit, Failure> {
    let dir = directory(args)?;
    let story = incident(whole_second(SystemClock.now()));
    let sim = Sim::new(story.source.clone(), Options::default());
    let running = serve(sim, Ports::default()).await?;
    let config = write_config(&dir, &running, &story)?;
    let global = Global {
        config: config.clone(),
        output: global.output,
        quiet: global.quiet,
    };
    let all = LedgerArg {
        ledger: Some("demo".into()),
    };
    let once = HarvestArgs {
        ledger: LedgerArg {
            ledger: all.ledger.clone(),
        },
        ..HarvestArgs::default()
    };

    say("1. create the ledger's log");
    init::run(&global, &all).await?;
    say(&format!(
        "\n2. first harvest, {}: everything the providers still have",
        story.first_poll
    ));
    running.sim().advance(story.first_poll)?;
    let first = harvest::run(&global, &once).await?;
    let end = story.source.edits().last().map_or(story.night.1, |edit| edit.at);
    say(&format!("\n3. second harvest, {end}: what happened since"));
    running.sim().advance(end)?;
    let second = harvest::run(&global, &once).await?;
    say("\n4. verify the whole record");
    let verdict = check::run(&global, &VerifyArgs::default()).await?;
    say(&format!(
        "\n5. the night of the incident, {} to {}",
        story.night.0, story.night.1
    ));
    let night = Period {
        since: Some(story.night.0.to_string()),
        until: Some(story.night.1.to_string()),
        folder: Vec::new(),
    };
    let log = LogArgs {
        ledger: all,
        period: night,
        actor: None,
        path: None,
        action: Vec::new(),
        last: None,
    };
    questions::log(&global, &log).await?;
    farewell(&dir, &config, &story);
    Ok([first, second, verdict]
        .into_iter()
        .find(|exit| *exit != Exit::Done)
        .unwrap_or(Exit::Done))
}

fn directory(args: &DemoArgs) -> Result<PathBuf, Failure> {
    let Some(dir) = &args.dir else {
        // Kept: the reader goes on asking after the demo.
        return Ok(tempfile::Builder::new()
            .prefix("revtrail-demo-")
            .tempdir()?
            .keep());
    };
    fs::create_dir_all(dir)?;
    if fs::read_dir(dir)?.next().is_some() {
        return Err(Failure::usage(
            format!("{} is not empty", dir.display()),
            "name a new directory with --dir",
        ));
    }
    Ok(fs::canonicalize(dir)?)
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn write_config(dir: &Path, running: &Running, story: &Incident) -> Result<PathBuf, Failure> {
    let options = running.sim().options();
    fs::write(dir.join("client-secret"), &options.client_secret)?;
    fs::write(dir.join("refresh-token"), &options.refresh_token)?;
    key::generate_pair(&dir.join("signing.pem"), &dir.join("signing.pub.pem"))?;
    let mut text = format!(
        "# Written by `revtrail demo`. The accounts belong to a simulator that has ended; queries and `verify` go on working.\n\n\
         [archive]\nurl = \"file://{0}/archive\"\n\n[signing]\nkey_file = \"{0}/signing.pem\"\npublic_key_file = \"{0}/signing.pub.pem\"\n\n",
        dir.display()
    );
    for provider in [Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox] {
        text.push_str(&account(dir, running, provider));
    }
    text.push_str("[ledgers.demo]\norigin = \"demo.example/evidence\"\nschedule = \"0 */6 * * *\"\nretention = \"1y\"\n\n");
    for (provider, path) in &story.folders {
        text.push_str(&folder(running, *provider, path));
    }
    let config = dir.join("revtrail.toml");
    fs::write(&config, text)?;
    Ok(config)
}

fn account(dir: &Path, running: &Running, provider: Provider) -> String {
    let (url, id, dir) = (
        running.url(provider),
        &running.sim().options().client_id,
        dir.display(),
    );
    let secret = format!(
        "client_id = \"{id}\"\nclient_secret_file = \"{dir}/client-secret\"\nrequests_per_second = 10000.0\n"
    );
    let refresh = format!("refresh_token_file = \"{dir}/refresh-token\"\n");
    match provider {
        Provider::OneDrive => format!(
            "[accounts.microsoft]\nprovider = \"onedrive\"\ntenant = \"{TENANT}\"\napi_url = \"{url}/v1.0\"\ntoken_url = \"{url}/{TENANT}/oauth2/v2.0/token\"\n{secret}\n"
        ),
        Provider::GoogleDrive => {
            format!(
                "[accounts.google]\nprovider = \"google_drive\"\napi_url = \"{url}\"\ntoken_url = \"{url}/token\"\n{secret}{refresh}\n"
            )
        }
        Provider::Dropbox => {
            format!(
                "[accounts.dropbox]\nprovider = \"dropbox\"\napi_url = \"{url}\"\ntoken_url = \"{url}/oauth2/token\"\n{secret}{refresh}\n"
            )
        }
    }
}

fn folder(running: &Running, provider: Provider, path: &str) -> String {
    let (name, account, drive) = match provider {
        Provider::OneDrive => (
            "month-end-close",
            "microsoft",
            format!("drive = \"{}\"\n", running.onedrive_drive()),
        ),
        Provider::GoogleDrive => ("contracts", "google", String::new()),
        Provider::Dropbox => ("launch", "dropbox", String::new()),
    };
    let path = path.trim_start_matches('/');
    format!(
        "[[ledgers.demo.folders]]\nname = \"{name}\"\naccount = \"{account}\"\n{drive}path = \"/{path}\"\n\n"
    )
}

fn farewell(dir: &Path, config: &Path, story: &Incident) {
    let (config, day) = (config.display(), story.night.0);
    say(&format!(
        "\nThe record lies in {}/archive: plain files, readable with zstdcat, sha256sum and a text editor. Go on asking:\n\
         \x20 revtrail --config {config} actor\n\
         \x20 revtrail --config {config} log --action deleted\n\
         \x20 revtrail --config {config} at {day}\n\
         \x20 revtrail --config {config} coverage\n\
         \x20 revtrail --config {config} export --format csv > events.csv\n\
         (`cargo run --release -- …` stands for `revtrail …` where it is not installed.)",
        dir.display()
    ));
}

impl From<revtrail_simulator::SimulatorError> for Failure {
    fn from(error: revtrail_simulator::SimulatorError) -> Self {
        Self::new(Exit::Failed, error, None)
    }
}
