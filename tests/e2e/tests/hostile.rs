//! Providers that answer what they should not: history that goes missing, and links that lead elsewhere.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use revtrail_e2e::{Bench, FOLDER, Place, assert_same, at, events_as_facts, told};
use revtrail_simulator::{Edit, Fault, FaultKind, FaultPlan, Options, Provider, WorldSource};
use rstest::rstest;
use serde_json::{Value, json};

fn place(name: &str, provider: Provider) -> Place<'_> {
    Place {
        name,
        provider,
        path: FOLDER,
    }
}

/// A file saved three times before the first look and once more before the second, and another that is left alone.
fn saved_often() -> WorldSource {
    WorldSource::from_edits(vec![
        Edit::created(at(1), "Handbook/busy.txt", 10),
        Edit::modified(at(2), "Handbook/busy.txt", 20),
        Edit::modified(at(3), "Handbook/busy.txt", 30),
        Edit::created(at(4), "Handbook/quiet.txt", 40),
        Edit::modified(at(1001), "Handbook/busy.txt", 50),
    ])
}

/// One `revision_vanished` names the revision; everything else is recorded as if nothing had been.
#[rstest]
#[case::onedrive(Provider::OneDrive, "versions")]
#[case::google_drive(Provider::GoogleDrive, "revisions")]
fn a_revision_that_is_no_longer_listed_is_said_to_have_vanished(
    #[case] provider: Provider,
    #[case] operation: &str,
) {
    let bench = Bench::new(saved_often(), Options::default(), &[place("handbook", provider)]);
    bench.init();
    bench.advance(at(500));
    let _harvested = bench.call(&["harvest"]).exits(0);
    let before = bench.events();
    bench.advance(at(1500));
    bench
        .sim()
        .plan_faults(vec![FaultPlan::once(Fault::VanishedRevision).on(operation)]);
    let rows = bench.call(&["harvest", "--output", "json"]).exits(0).json();
    assert_eq!(
        bench.sim().faults_fired().get(&FaultKind::VanishedRevision),
        Some(&1)
    );
    assert_eq!(rows["folders"][0]["events"], 2);
    let events = bench.events();
    let (vanished, rest): (Vec<Value>, Vec<Value>) = events
        .into_iter()
        .partition(|event| event["action"] == "revision_vanished");
    assert_eq!(vanished.len(), 1);
    let gone = &vanished[0];
    let recorded: Vec<&Value> = before
        .iter()
        .filter(|event| event["item_id"] == gone["item_id"] && event["path"] == "busy.txt")
        .map(|event| &event["revision_id"])
        .collect();
    assert!(recorded.contains(&&gone["revision_id"]), "{gone}");
    assert_eq!(gone["basis"], "derived");
    // Nobody said who did it or when: bounds, and no actor.
    assert_eq!(gone["actor_kind"], "unknown");
    assert_eq!(gone["occurred_source"], "inferred");
    assert_eq!(gone["occurred_not_before"], json!(at(500)));
    assert_eq!(gone["occurred_not_after"], json!(at(1501)));
    // A predecessor that is not listed is not named.
    let truth = told(provider, bench.sim().source(), FOLDER, &[at(500), at(1500)]);
    let plain = |rows: &[Value]| -> Vec<Value> {
        let mut rows = rows.to_vec();
        for row in &mut rows {
            row.as_object_mut().unwrap().remove("previous_revision_id");
        }
        rows
    };
    assert_same(&plain(&events_as_facts(&rest)), &plain(&truth));
    bench.verify();
}

/// A server that remembers whatever anybody says to it.
struct Eavesdropper {
    address: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Eavesdropper {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming() {
                log.lock().unwrap().push(hear(stream.unwrap()));
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> Vec<String> {
        // Proves that it listens, and comes after whatever was said before.
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(b"GET /proof HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        self.heard.lock().unwrap().clone()
    }
}

fn hear(mut stream: TcpStream) -> String {
    let mut bytes = [0; 4096];
    let read = stream.read(&mut bytes).unwrap_or(0);
    let _answered = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}

/// A link to another host is not followed, with or without a token; the folder fails and says why, the others go on, and the next run
/// reads the same again.
#[rstest]
#[case::in_the_feed("delta", "failed", "feed_failed")]
#[case::in_a_list_of_versions("versions", "partial", "revisions_unavailable")]
fn a_link_to_another_host_is_not_followed(#[case] operation: &str, #[case] state: &str, #[case] gap: &str) {
    let stranger = Eavesdropper::new();
    let options = Options {
        page_size: Some(2),
        foreign_origin: format!("http://{}", stranger.address),
        ..Options::default()
    };
    let places = [
        place("handbook", Provider::OneDrive),
        place("other", Provider::Dropbox),
    ];
    let bench = Bench::new(saved_often(), options, &places);
    bench.init();
    bench.advance(at(500));
    bench
        .sim()
        .plan_faults(vec![FaultPlan::once(Fault::ForeignNextLink).on(operation)]);
    let outcome = bench.call(&["harvest", "--output", "json"]).exits(4);
    assert_eq!(
        bench.sim().faults_fired().get(&FaultKind::ForeignNextLink),
        Some(&1)
    );
    let heard = stranger.heard();
    assert_eq!(heard, ["GET /proof HTTP/1.1\r\n\r\n"]);
    let rows = outcome.json();
    assert_eq!(rows["folders"][0]["state"], state);
    assert_eq!(rows["folders"][0]["gaps"], json!([gap]));
    assert_eq!(rows["folders"][1]["state"], "complete");
    assert!(outcome.stderr.contains("foreign host"), "{}", outcome.stderr);
    // Nothing was lost by not following it.
    let _harvested = bench.call(&["harvest"]).exits(0);
    let truth = [Provider::OneDrive, Provider::Dropbox]
        .map(|provider| told(provider, bench.sim().source(), FOLDER, &[at(500)]))
        .concat();
    assert_same(&events_as_facts(&bench.events()), &truth);
    bench.verify();
}
