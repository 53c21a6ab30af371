//! Serves the three simulated providers and the control port.

use std::error::Error;
use std::io::{Read as _, Write as _, stderr, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser};
use jiff::SignedDuration;
use revtrail_simulator::{
    Generated, Options, Ports, Provider, Quota, Running, Sim, SimulatorError, Timestamp, WorldSource, serve,
};
use serde_json::json;

/// Usage and history errors, as clap's own.
const EXIT_USAGE: u8 = 2;
/// First moment of a generated history.
const GENERATED_FROM: &str = "2025-01-06T08:00:00Z";
const GENERATED_SPAN: SignedDuration = SignedDuration::from_hours(24 * 364);
const FILES_PER_FOLDER: u32 = 50;
const GENERATED_PEOPLE: u32 = 40;

/// OneDrive, Google Drive and Dropbox over one history of edits, in virtual time.
///
/// Prints one line of JSON with addresses and credentials when ready, then serves until SIGTERM or SIGINT.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    history: History,
    /// Folder the history of a journal or repository is put below
    #[arg(long, value_name = "NAME", default_value = "")]
    root: String,
    /// Seed of a generated history, and of everything that looks random
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Moment before which a scenario ends (RFC 3339)
    #[arg(long, value_name = "TIME", default_value = "2026-11-20T12:00:00Z")]
    ends_at: Timestamp,
    /// Moment to begin at, with all edits up to then made; otherwise before the first edit (RFC 3339)
    #[arg(long, value_name = "TIME", conflicts_with = "at_end")]
    start_at: Option<Timestamp>,
    /// Begin with all edits made
    #[arg(long)]
    at_end: bool,
    /// Entries per page at most, whatever clients ask for
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    page_size: Option<u32>,
    /// First of four ports: OneDrive, Google Drive, Dropbox, control; 0 takes any free ones
    #[arg(long, value_name = "P", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=65532))]
    port_base: u16,
    /// Milliseconds every answer of a provider takes at least
    #[arg(long, value_name = "N", default_value_t = 0)]
    latency_ms: u64,
    /// Refuse what is beyond the providers' published quotas, or so many times as much
    #[arg(long, value_name = "TIMES", num_args = 0..=1, default_missing_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    quota: Option<u32>,
    /// Calls a minute that Dropbox, which publishes no number, takes
    #[arg(long, value_name = "N", requires = "quota", value_parser = clap::value_parser!(u32).range(1..))]
    quota_dropbox: Option<u32>,
    /// Stop when standard input ends, too
    #[arg(long)]
    until_stdin_closes: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct History {
    /// Journal: one JSON object per line, plain or zstd
    #[arg(long, value_name = "FILE")]
    from_journal: Option<PathBuf>,
    /// Git repository whose first-parent history is played
    #[arg(long, value_name = "DIR")]
    from_git: Option<PathBuf>,
    /// Bundled history: incident
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Generated history: how many files, each saved how often
    #[arg(long, value_name = "FILESxREVS", value_parser = counts)]
    generate: Option<(u32, u32)>,
}

fn counts(text: &str) -> Result<(u32, u32), String> {
    text.split_once('x')
        .and_then(|(files, revisions)| Some((files.parse().ok()?, revisions.parse().ok()?)))
        .ok_or_else(|| "write it as 1000x5: files, then saves of each".to_owned())
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn complain(error: &SimulatorError) {
    let mut text = format!("error: {error}\n");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}  caused by: {cause}\n");
        source = cause.source();
    }
    // Without a place to complain, the exit status says it.
    let _ = writeln!(stderr(), "{text}hint: {}", error.hint());
}

async fn run(arguments: &Arguments) -> Result<(), SimulatorError> {
    let sim = Sim::new(history(arguments)?, options(arguments));
    if let Some(to) = arguments.start_at {
        sim.advance(to)?;
    }
    if arguments.at_end {
        sim.advance_edits(usize::MAX)?;
    }
    let running = serve(sim, ports(arguments.port_base)).await?;
    // Whoever waits for the line has gone if it cannot be written; the signal or the end of input comes next.
    let _ = writeln!(stdout(), "{}", announcement(&running)).and_then(|()| stdout().flush());
    if arguments.until_stdin_closes {
        tokio::select! {
            () = signal() => {}
            () = end_of_input() => {}
        }
    } else {
        signal().await;
    }
    Ok(())
}

fn history(arguments: &Arguments) -> Result<WorldSource, SimulatorError> {
    let history = &arguments.history;
    if let Some(file) = &history.from_journal {
        WorldSource::from_journal(file, &arguments.root)
    } else if let Some(dir) = &history.from_git {
        WorldSource::from_git(dir, &arguments.root)
    } else if let Some(name) = &history.scenario {
        WorldSource::scenario(name, arguments.ends_at)
    } else {
        let (files, revisions_per_file) = history.generate.unwrap_or_default();
        let shape = Generated {
            files,
            revisions_per_file,
            folders: files.div_ceil(FILES_PER_FOLDER),
            people: GENERATED_PEOPLE,
            start: GENERATED_FROM.parse().unwrap_or(Timestamp::UNIX_EPOCH),
            span: GENERATED_SPAN,
        };
        Ok(WorldSource::generate(arguments.seed, &shape))
    }
}

fn options(arguments: &Arguments) -> Options {
    Options {
        page_size: arguments.page_size.map(|size| size as usize),
        seed: arguments.seed,
        latency: Duration::from_millis(arguments.latency_ms),
        quota: arguments.quota.map(|times| quota(arguments, times)),
        ..Options::default()
    }
}

fn quota(arguments: &Arguments, times: u32) -> Quota {
    let published = Quota::PUBLISHED;
    let dropbox = arguments.quota_dropbox.map(u64::from);
    Quota {
        dropbox_per_minute: dropbox.unwrap_or(published.dropbox_per_minute),
        ..published
    }
    .times(u64::from(times))
}

fn ports(base: u16) -> Ports {
    let port = |offset| if base == 0 { 0 } else { base + offset };
    Ports {
        onedrive: port(0),
        google_drive: port(1),
        dropbox: port(2),
        control: port(3),
    }
}

/// One line; what a client needs to be configured with.
fn announcement(running: &Running) -> serde_json::Value {
    let options = running.sim().options();
    json!({
        "onedrive": running.url(Provider::OneDrive),
        "google_drive": running.url(Provider::GoogleDrive),
        "dropbox": running.url(Provider::Dropbox),
        "control": running.control_url(),
        "onedrive_drive": running.onedrive_drive(),
        "client_id": options.client_id,
        "client_secret": options.client_secret,
        "refresh_token": options.refresh_token,
        "google_subject": options.owner.email,
        "now": running.sim().now(),
    })
}

async fn end_of_input() {
    let (closed, end) = tokio::sync::oneshot::channel();
    // A thread of its own: a pending read of standard input cannot be cancelled, but does not keep the process alive.
    std::thread::spawn(move || {
        let mut ignored = [0; 1024];
        while stdin().read(&mut ignored).is_ok_and(|count| count > 0) {}
        let _ = closed.send(());
    });
    let _ = end.await;
}

/// SIGINT or SIGTERM; never, where signals cannot be heard.
#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
