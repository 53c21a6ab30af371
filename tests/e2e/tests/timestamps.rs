//! Time stamps of an authority: OpenSSL answers, behind a small HTTP server.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use revtrail_e2e::{
    Bench, FOLDER, Outcome, Place, round_end, rounds,
    verifiers::{Case, auditor, script},
};
use revtrail_simulator::{Options, Provider};
use serde_json::Value;

/// How the authority answers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Manner {
    Grants,
    Unavailable,
    Refuses,
    /// Whatever is asked, this.
    Repeats(Vec<u8>),
}

const CONFIG: &str = "\
[tsa]
default_tsa = main
[main]
dir = .
serial = ./serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
crypto_device = builtin
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[stamps]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[other]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,serverAuth
";

/// An authority of its own, with a key of the kind given.
struct Authority {
    dir: PathBuf,
    address: String,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<AtomicU64>,
}

fn openssl(dir: &Path, args: &[&str]) -> bool {
    let mut command = Command::new("openssl");
    command.current_dir(dir).args(args);
    let ended = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    ended.is_ok_and(|status| status.success())
}

impl Authority {
    /// `None`, said aloud, where OpenSSL is missing.
    fn start(dir: &Path, key: &[&str]) -> Option<Self> {
        if !openssl(Path::new("."), &["ts", "-help"]) {
            println!("skipped: no openssl");
            return None;
        }
        fs::create_dir(dir).unwrap();
        fs::write(dir.join("conf"), CONFIG).unwrap();
        fs::write(dir.join("serial"), "01\n").unwrap();
        let make_key = |file: &str| {
            let args = [&["genpkey"][..], key, &["-out", file]].concat();
            assert!(openssl(dir, &args), "{args:?}");
        };
        make_key("ca.key");
        make_key("tsa.key");
        let ca = [
            "req", "-new", "-x509", "-key", "ca.key", "-subj", "/CN=ca", "-days", "30", "-out", "ca.pem",
        ];
        assert!(
            openssl(
                dir,
                &[&ca[..], &["-config", "conf", "-extensions", "ca"]].concat()
            ) || {
                // `req -x509` of older versions wants a section for names, too.
                fs::write(
                    dir.join("conf"),
                    format!("{CONFIG}[req]\ndistinguished_name = dn\n[dn]\n"),
                )
                .unwrap();
                openssl(
                    dir,
                    &[&ca[..], &["-config", "conf", "-extensions", "ca"]].concat(),
                )
            }
        );
        let authority = Self {
            dir: dir.to_owned(),
            address: String::new(),
            manner: Arc::new(Mutex::new(Manner::Grants)),
            asked: Arc::default(),
        };
        authority.certify("stamps");
        Some(authority.serve())
    }

    /// Gives the authority a certificate with these extensions.
    fn certify(&self, extensions: &str) {
        let request = [
            "req", "-new", "-key", "tsa.key", "-subj", "/CN=tsa", "-config", "conf", "-out", "tsa.csr",
        ];
        assert!(openssl(&self.dir, &request));
        let sign = [
            "x509",
            "-req",
            "-in",
            "tsa.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "conf",
            "-extensions",
            extensions,
            "-out",
            "tsa.pem",
        ];
        assert!(openssl(&self.dir, &sign));
    }

    fn serve(mut self) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        self.address = format!("http://{}/tsr", listener.local_addr().unwrap());
        let (dir, manner, asked) = (
            self.dir.clone(),
            Arc::clone(&self.manner),
            Arc::clone(&self.asked),
        );
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let manner = manner.lock().unwrap().clone();
                asked.fetch_add(1, Ordering::SeqCst);
                answer(&dir, stream.unwrap(), &manner);
            }
        });
        self
    }

    fn set(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }
}

/// The token that OpenSSL makes for a query.
fn reply(dir: &Path, query: &[u8]) -> Vec<u8> {
    fs::write(dir.join("query"), query).unwrap();
    let args = [
        "ts",
        "-reply",
        "-config",
        "conf",
        "-queryfile",
        "query",
        "-signer",
        "tsa.pem",
        "-inkey",
        "tsa.key",
        "-out",
        "reply",
    ];
    assert!(openssl(dir, &args));
    fs::read(dir.join("reply")).unwrap()
}

fn answer(dir: &Path, mut stream: TcpStream, manner: &Manner) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut length, mut is_query) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        is_query |= line == "content-type: application/timestamp-query";
    }
    let mut query = vec![0; length];
    reader.read_exact(&mut query).unwrap();
    assert!(is_query);
    let (status, body) = match manner {
        Manner::Grants => ("200 OK", reply(dir, &query)),
        Manner::Unavailable => ("503 Service Unavailable", Vec::new()),
        Manner::Refuses => ("200 OK", vec![0x30, 5, 0x30, 3, 2, 1, 2]),
        Manner::Repeats(token) => ("200 OK", token.clone()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/timestamp-reply\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _gone = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(&body));
}

struct Scene {
    bench: Bench,
    authority: Authority,
    round: std::cell::Cell<i64>,
}

const EC: [&str; 4] = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

impl Scene {
    fn new(more: &str) -> Option<Self> {
        Self::with_key(&EC, more)
    }

    fn with_key(key: &[&str], more: &str) -> Option<Self> {
        let place = Place {
            name: "handbook",
            provider: Provider::GoogleDrive,
            path: FOLDER,
        };
        let bench = Bench::new(rounds("Handbook", 3, 4), Options::default(), &[place]);
        let authority = Authority::start(&bench.dir().join("tsa"), key)?;
        let lines = format!(
            "{}\n[timestamps]\nurl = \"{}\"\nca_file = \"tsa/ca.pem\"\n{more}",
            bench.config(),
            authority.address
        );
        bench.write("revtrail.toml", &lines);
        bench.init();
        Some(Self {
            bench,
            authority,
            round: std::cell::Cell::new(0),
        })
    }

    fn harvest(&self) -> Outcome {
        self.bench.advance(round_end(self.round.get()));
        self.round.set(self.round.get() + 1);
        self.bench.call(&["harvest"]).exits(0)
    }

    /// The tokens that stand there, in order.
    fn tokens(&self) -> Vec<PathBuf> {
        let main = self.bench.dir().join("archive/main");
        let year = fs::read_dir(main).unwrap().next().unwrap().unwrap().path();
        let Ok(found) = fs::read_dir(year.join("timestamps")) else {
            return Vec::new();
        };
        let mut found: Vec<PathBuf> = found.map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    }

    fn names(&self) -> Vec<u64> {
        let tokens = self.tokens();
        let seq = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        tokens.iter().map(seq).collect()
    }

    fn verify(&self) -> Outcome {
        self.bench.call(&["verify", "--output", "json"])
    }

    /// What `verify` says of the first finding, after a change of the files.
    fn finding(&self) -> String {
        let report = self.verify().exits(3).json();
        report["findings"][0]["what"].as_str().unwrap().to_owned()
    }
}

/// Puts other bytes in the place of an archived object.
fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn each_checkpoint_is_stamped_and_the_next_run_leaf_names_it() {
    let Some(scene) = Scene::new("") else { return };
    let _first = scene.harvest();
    let _second = scene.harvest();
    assert_eq!(scene.names(), [0, 1, 2]);
    let report = scene.verify().exits(0).json();
    assert_eq!(
        (&report["verdict"], &report["time_stamps"]),
        (&Value::from("sound"), &Value::from(3))
    );
    assert_eq!(report["findings"], Value::Array(Vec::new()));
    // OpenSSL takes each for a stamp of its checkpoint.
    for token in scene.tokens() {
        let note = token
            .parent()
            .unwrap()
            .parent()
            .unwrap()
            .join("checkpoints")
            .join(token.file_stem().unwrap());
        let (token, note) = (token.display().to_string(), note.display().to_string());
        let args = [
            "ts", "-verify", "-in", &token, "-data", &note, "-CAfile", "ca.pem",
        ];
        assert!(openssl(&scene.authority.dir, &args), "{token}");
    }
}

/// Without certificates the other verifiers cannot judge a token, but they see that one is missing or is not the one named.
#[test]
fn the_other_verifiers_miss_a_token_that_is_gone_or_exchanged() {
    let Some(scene) = Scene::new("") else { return };
    let _first = scene.harvest();
    let _second = scene.harvest();
    let copy = scene.bench.dir().join("archive/main");
    let case = Case {
        copy: &copy,
        key: &scene.bench.dir().join("key.pub.pem"),
        origin: "evidence.example/main",
        as_of: "2026-01-01T00:00:00Z",
    };
    let judge = |code: i32, severity: &str, object: &str| {
        for outcome in [Some(auditor(case)), script(case)].into_iter().flatten() {
            let report = outcome.exits(code).json();
            let found = report["findings"].as_array().unwrap().iter().any(|finding| {
                finding["severity"] == severity && finding["key"].as_str().unwrap().ends_with(object)
            });
            assert!(found, "{object}: {report}");
        }
    };
    judge(0, "note", "/timestamps/");
    let token = scene.tokens()[1].clone();
    let (name, bytes) = (
        token.file_name().unwrap().to_str().unwrap(),
        fs::read(&token).unwrap(),
    );
    fs::remove_file(&token).unwrap();
    judge(3, "contradiction", name);
    fs::write(&token, b"another").unwrap();
    judge(3, "contradiction", name);
    replace(&token, &bytes);
    judge(0, "note", "/timestamps/");
}

#[test]
fn a_token_can_be_neither_taken_away_nor_exchanged_nor_changed() {
    let Some(scene) = Scene::new("") else { return };
    let _first = scene.harvest();
    let _second = scene.harvest();
    // Run leaf 2 names the tokens before it.
    let tokens = scene.tokens();
    let (first, second) = (fs::read(&tokens[0]).unwrap(), fs::read(&tokens[1]).unwrap());
    fs::remove_file(&tokens[1]).unwrap();
    assert_eq!(
        scene.finding(),
        "a run leaf names this time stamp, and it is missing"
    );
    let note = tokens[1]
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("checkpoints/00000000000000000001");
    let note = note.display().to_string();
    assert!(openssl(
        &scene.authority.dir,
        &[
            "ts", "-query", "-data", &note, "-sha256", "-cert", "-out", "again"
        ]
    ));
    let again = reply(
        &scene.authority.dir,
        &fs::read(scene.authority.dir.join("again")).unwrap(),
    );
    fs::write(&tokens[1], again).unwrap();
    assert_eq!(scene.finding(), "not the time stamp that a run leaf names");
    replace(&tokens[1], &second);
    // The newest one is not named yet; it must hold nevertheless.
    let newest = fs::read(&tokens[2]).unwrap();
    replace(&tokens[2], &first);
    assert_eq!(scene.finding(), "time stamp is for other data");
    let mut changed = newest.clone();
    let last = changed.len() - 5;
    changed[last] ^= 1;
    replace(&tokens[2], &changed);
    assert!(
        scene
            .finding()
            .starts_with("signature of the time stamp does not hold")
    );
    replace(&tokens[2], &newest);
    assert_eq!(scene.verify().exits(0).json()["time_stamps"], 3);
}

#[test]
fn tokens_of_rsa_authorities_hold() {
    let key = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let Some(scene) = Scene::with_key(&key, "") else {
        return;
    };
    let _first = scene.harvest();
    assert_eq!(scene.names(), [0, 1]);
    assert_eq!(scene.verify().exits(0).json()["time_stamps"], 2);
}

#[test]
fn without_the_service_the_harvest_goes_on() {
    let Some(scene) = Scene::new("") else { return };
    let token = fs::read(&scene.tokens()[0]).unwrap();
    let not_stored = "no time stamp was stored";
    scene.authority.set(Manner::Unavailable);
    let away = scene.harvest();
    assert!(
        away.stderr.contains(not_stored) && away.stderr.contains("HTTP 503"),
        "{away:?}"
    );
    // Nothing is kept that would not hold: a refusal, an answer to another question.
    scene.authority.set(Manner::Refuses);
    let refused = scene.harvest();
    assert!(
        refused.stderr.contains("the authority refused: status 2"),
        "{refused:?}"
    );
    scene.authority.set(Manner::Repeats(token));
    let repeated = scene.bench.call(&["harvest"]).exits(0);
    assert!(
        repeated.stderr.contains("time stamp is for other data"),
        "{repeated:?}"
    );
    assert_eq!(scene.names(), [0]);
    scene.authority.set(Manner::Grants);
    let back = scene.bench.call(&["harvest"]).exits(0);
    assert!(!back.stderr.contains(not_stored), "{back:?}");
    assert_eq!(scene.names(), [0, 4]);
    assert_eq!(scene.verify().exits(0).json()["time_stamps"], 2);
}

#[test]
fn a_certificate_for_other_purposes_is_refused() {
    let Some(scene) = Scene::new("") else { return };
    scene.authority.certify("other");
    // OpenSSL itself refuses to sign time stamps with it, so the server cannot answer; the run goes on all the same.
    let args = [
        "ts",
        "-reply",
        "-config",
        "conf",
        "-queryfile",
        "query",
        "-signer",
        "tsa.pem",
        "-inkey",
        "tsa.key",
        "-out",
        "x",
    ];
    assert!(!openssl(&scene.authority.dir, &args));
    // Another authority's CA in the configuration: what stands there is not trusted.
    let other = Authority::start(&scene.bench.dir().join("other"), &EC).unwrap();
    let config = scene.bench.config().replace("tsa/ca.pem", "other/ca.pem");
    scene.bench.write(
        "revtrail.toml",
        &config.replace(&scene.authority.address, &other.address),
    );
    assert!(
        scene
            .finding()
            .starts_with("certificate of the time stamp is not trusted")
    );
    assert_eq!(other.asked.load(Ordering::SeqCst), 0);
    // Without a certificate nothing is said about them but that they are there.
    let (before, _section) = config.split_once("[timestamps]").unwrap();
    scene.bench.write("revtrail.toml", before);
    let report = scene.verify().exits(0).json();
    assert_eq!(report["time_stamps"], 0);
    assert!(
        report["findings"][0]["what"]
            .as_str()
            .unwrap()
            .starts_with("1 time stamps were not checked")
    );
}

#[test]
fn one_token_a_day_is_asked_for() {
    let Some(scene) = Scene::new("per = \"day\"") else {
        return;
    };
    let _first = scene.harvest();
    let _second = scene.harvest();
    // Unless midnight passed meanwhile.
    let (names, asked) = (scene.names(), scene.authority.asked.load(Ordering::SeqCst));
    assert_eq!(names.len() as u64, asked);
    assert!(names == [0] || names.len() == 2, "{names:?}");
}

#[test]
fn a_policy_brings_its_own_certificates() {
    let Some(scene) = Scene::new("") else { return };
    let _first = scene.harvest();
    let keys = scene
        .bench
        .call(&["key", "show", "--output", "json"])
        .exits(0)
        .json();
    let text = |name: &str| keys["keys"][0][name].as_str().unwrap().to_owned();
    let pem = fs::read_to_string(scene.authority.dir.join("ca.pem")).unwrap();
    let log = format!(
        "[[logs]]\norigin = \"{}\"\nkey = \"{}\"\n",
        text("origin"),
        text("verifier_key")
    );
    let judge = |policy: &str| {
        scene.bench.write("policy.toml", policy);
        scene
            .bench
            .call(&["verify", "--output", "json", "--policy", "policy.toml"])
    };
    let with = format!("{log}[timestamps]\ncertificates = \"\"\"\n{pem}\"\"\"\n");
    assert_eq!(judge(&with).exits(0).json()["time_stamps"], 2);
    assert_eq!(judge(&log).exits(0).json()["time_stamps"], 0);
    // An authority that saw the newest checkpoint before the key's end makes up for it.
    let expired = |until: &str| {
        scene.bench.write(
            "policy.toml",
            &with.replace(
                "[timestamps]",
                &format!("valid_until = \"{until}\"\n[timestamps]"),
            ),
        );
        let later = [
            "verify",
            "--output",
            "json",
            "--policy",
            "policy.toml",
            "--as-of",
            "2999-01-01T00:00:00Z",
        ];
        scene.bench.call(&later)
    };
    // The harvest is overdue by then, but the record can be judged.
    let _judged = expired("2998-01-01T00:00:00Z").exits(6);
    let _unknown = expired("2020-01-01T00:00:00Z").exits(7);
    let broken = judge(&format!("{log}[timestamps]\ncertificates = \"none\"\n")).exits(2);
    assert!(broken.stderr.contains("timestamps.certificates"), "{broken:?}");
}
