//! The binary as another process sees it.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;

/// A simulator in its own process, and its first line.
struct Simulator {
    child: Child,
    stdin: Option<ChildStdin>,
    ready: Value,
}

impl Simulator {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments)
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        Self {
            stdin: child.stdin.take(),
            ready: serde_json::from_str(&line).unwrap(),
            child,
        }
    }

    fn status(&self) -> Value {
        let address = self.ready["control"].as_str().unwrap();
        let address = address.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!("GET /status HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// Closes its input and waits for its end.
    fn stop(mut self) -> Option<i32> {
        drop(self.stdin.take());
        self.child.wait().unwrap().code()
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_revtrail-simulator"));
    command.args(arguments);
    command
}

#[test]
fn says_where_it_is_and_serves_until_its_input_closes() {
    let simulator = Simulator::start(&["--generate", "20x3", "--at-end", "--seed", "9"]);
    let ready = &simulator.ready;
    for name in ["onedrive", "google_drive", "dropbox", "control"] {
        let url = ready[name].as_str().unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    }
    let drive = ready["onedrive_drive"].as_str().unwrap();
    assert!(drive.starts_with("b!") && drive.len() == 66, "{drive}");
    assert_eq!(ready["client_id"], "revtrail-sim");
    assert_eq!(ready["client_secret"], "sim-secret");
    assert_eq!(ready["refresh_token"], "sim-refresh");
    assert_eq!(ready["google_subject"], "owner@handbook.example");
    let status = simulator.status();
    assert_eq!(status["edits_applied"], 60);
    assert_eq!(status["edits_left"], 0);
    assert_eq!(simulator.stop(), Some(0));
}

#[test]
fn begins_at_a_moment_of_the_scenario() {
    let start = "2026-11-17T18:30:00Z";
    let simulator = Simulator::start(&["--scenario", "incident", "--start-at", start]);
    let status = simulator.status();
    assert_eq!(status["now"], start);
    assert!(status["edits_applied"].as_u64().unwrap() > 200, "{status}");
    assert!(status["edits_left"].as_u64().unwrap() > 80, "{status}");
    assert_eq!(simulator.stop(), Some(0));
}

#[test]
fn refuses_with_a_hint() {
    let refused = |arguments: &[&str]| {
        let output = command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(
        refused(&["--scenario", "picnic"]),
        "error: no scenario \"picnic\"\nhint: the scenario there is: incident\n"
    );
    assert!(refused(&["--from-journal", "/nonexistent"]).contains("caused by: "));
    assert!(refused(&["--generate", "12"]).contains("1000x5"));
    assert!(refused(&[]).contains("--scenario"));
    assert!(refused(&["--generate", "1x1", "--scenario", "incident"]).contains("cannot be used with"));
}
