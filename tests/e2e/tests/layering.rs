//! Who may import whom, and files that are generated from the code.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use revtrail_e2e::{Outcome, program};
use serde_json::Value;

/// Direct dependencies within the workspace, by package. A package that is not listed may not exist.
const MAY_IMPORT: [(&str, &[&str]); 16] = [
    ("revtrail-model", &[]),
    ("revtrail-ledger", &[]),
    ("revtrail-archive", &["revtrail-model"]),
    ("revtrail-kms", &["revtrail-ledger"]),
    ("revtrail-connector", &["revtrail-model"]),
    ("revtrail-export", &["revtrail-model"]),
    ("revtrail-onedrive", &["revtrail-model", "revtrail-connector"]),
    ("revtrail-google-drive", &["revtrail-model", "revtrail-connector"]),
    ("revtrail-dropbox", &["revtrail-model", "revtrail-connector"]),
    ("revtrail-evidence", &["revtrail-model", "revtrail-ledger"]),
    (
        "revtrail-verify",
        &["revtrail-model", "revtrail-ledger", "revtrail-evidence"],
    ),
    (
        "revtrail-query",
        &["revtrail-model", "revtrail-ledger", "revtrail-archive"],
    ),
    (
        "revtrail-harvest",
        &[
            "revtrail-model",
            "revtrail-ledger",
            "revtrail-archive",
            "revtrail-connector",
        ],
    ),
    (
        "revtrail-settings",
        &[
            "revtrail-model",
            "revtrail-archive",
            "revtrail-connector",
            "revtrail-kms",
            "revtrail-onedrive",
            "revtrail-google-drive",
            "revtrail-dropbox",
        ],
    ),
    ("revtrail-simulator", &["revtrail-model"]),
    (
        "revtrail",
        &[
            "revtrail-model",
            "revtrail-ledger",
            "revtrail-archive",
            "revtrail-connector",
            "revtrail-export",
            "revtrail-onedrive",
            "revtrail-google-drive",
            "revtrail-dropbox",
            "revtrail-evidence",
            "revtrail-query",
            "revtrail-harvest",
            "revtrail-kms",
            "revtrail-settings",
            "revtrail-simulator",
        ],
    ),
];

/// Crates from outside that only these packages may use, tests included: start of the crate's name, users.
const ONLY_USERS: [(&str, &[&str]); 7] = [
    ("aws-", &["revtrail-archive", "revtrail-kms"]),
    ("reqwest", &["revtrail-connector"]),
    ("arrow", &["revtrail-query"]),
    ("parquet", &["revtrail-query"]),
    ("datafusion", &["revtrail-query"]),
    // The auditor's program and the simulator's have a command line, too.
    ("clap", &["revtrail", "revtrail-verify", "revtrail-simulator"]),
    ("anyhow", &["revtrail", "revtrail-e2e", "revtrail-conformance"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// One package and what it names in its manifest.
struct Package {
    name: String,
    directory: PathBuf,
    imports: Vec<Import>,
}

struct Import {
    name: String,
    /// `None` for the library itself, otherwise `dev` or `build`.
    kind: Option<String>,
    ours: bool,
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(package)
        .collect()
}

fn package(value: &Value) -> Package {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let import = |value: &Value| Import {
        name: text(&value["name"]),
        kind: value["kind"].as_str().map(str::to_owned),
        ours: value["path"].is_string(),
    };
    Package {
        name: text(&value["name"]),
        directory: PathBuf::from(text(&value["manifest_path"]))
            .parent()
            .unwrap()
            .to_owned(),
        imports: value["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .map(import)
            .collect(),
    }
}

fn is_test_package(package: &Package) -> bool {
    package.directory.starts_with(root().join("tests"))
}

#[test]
fn crates_import_only_what_the_architecture_allows() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.into_iter().collect();
    let packages = packages();
    let tests: BTreeSet<&str> = packages
        .iter()
        .filter(|package| is_test_package(package))
        .map(|package| package.name.as_str())
        .collect();
    let mut wrong = Vec::new();
    for package in packages.iter().filter(|package| !is_test_package(package)) {
        let Some(allowed) = allowed.get(package.name.as_str()) else {
            wrong.push(format!("{}: not in the table", package.name));
            continue;
        };
        for import in package.imports.iter().filter(|import| import.ours) {
            // Contract suites may be used by the tests of any crate, and by nothing else.
            let fits = match import.kind.as_deref() {
                Some("dev") if tests.contains(import.name.as_str()) => true,
                _ => allowed.contains(&import.name.as_str()),
            };
            if !fits {
                wrong.push(format!("{} imports {}", package.name, import.name));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_crate_of_the_table_exists() {
    let present: BTreeSet<String> = packages().into_iter().map(|package| package.name).collect();
    let missing: Vec<&str> = MAY_IMPORT
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !present.contains(*name))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn outside_crates_are_used_where_they_belong() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for package in packages() {
        for import in &package.imports {
            for (start, users) in ONLY_USERS
                .iter()
                .filter(|(start, _)| import.name.starts_with(start))
            {
                seen.insert(*start);
                if !users.contains(&package.name.as_str()) {
                    wrong.push(format!("{} uses {}", package.name, import.name));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    // The table speaks of real crates: these are in use today.
    for start in ["aws-", "reqwest", "clap", "anyhow"] {
        assert!(seen.contains(start), "{start} is used nowhere");
    }
}

/// Starts of the names of crates that open connections, run tasks or speak to a cloud.
const CONNECTED: [&str; 14] = [
    "tokio",
    "mio",
    "socket2",
    "hyper",
    "h2",
    "http",
    "reqwest",
    "rustls",
    "ring",
    "native-tls",
    "openssl",
    "aws-",
    "async-",
    "futures",
];

/// Of those, what only calculates: signatures and certificate chains of time stamps.
const CALCULATING: [&str; 3] = ["ring", "rustls-pki-types", "rustls-webpki"];

/// What an auditor runs cannot send anything anywhere: not one crate below it, however far down, could.
#[test]
fn the_auditors_program_has_no_network_in_it() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            "revtrail-verify",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .args(["--format", "{p}", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(
        names.contains("revtrail-evidence") && names.contains("ed25519-dalek"),
        "{names:?}"
    );
    let connected: Vec<&&str> = names
        .iter()
        .filter(|name| !CALCULATING.contains(name))
        .filter(|name| CONNECTED.iter().any(|start| name.starts_with(start)))
        .collect();
    assert_eq!(connected, Vec::<&&str>::new());
    let ours: Vec<&&str> = names.iter().filter(|name| name.starts_with("revtrail")).collect();
    assert_eq!(
        ours,
        [
            &"revtrail-evidence",
            &"revtrail-ledger",
            &"revtrail-model",
            &"revtrail-verify"
        ]
    );
}

fn revtrail(args: &[&str]) -> Outcome {
    Command::new(program())
        .args(args)
        .current_dir(root())
        .output()
        .unwrap()
        .into()
}

#[test]
fn every_configuration_in_the_repository_is_valid() {
    let files: BTreeSet<PathBuf> = fs::read_dir(root().join("config"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    let names: Vec<&str> = files
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    assert!(
        names.contains(&"example.toml") && names.contains(&"minimal.toml"),
        "{names:?}"
    );
    for file in &files {
        let outcome = revtrail(&["config", "check", "--config", file.to_str().unwrap()]).exits(0);
        assert!(outcome.stderr.contains("is valid"), "{outcome:?}");
    }
}

#[test]
fn the_starter_that_init_writes_is_valid() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("new.toml");
    let file = file.to_str().unwrap();
    let _written = revtrail(&["init", "--config", file]).exits(0);
    let _checked = revtrail(&["config", "check", "--config", file]).exits(0);
    // An existing file is a configuration to use, not one to replace.
    let before = fs::read(file).unwrap();
    let again = revtrail(&["init", "--config", file]);
    assert_ne!(again.code, Some(0), "{again:?}");
    assert_eq!(fs::read(file).unwrap(), before);
}

/// To accept a change: `cargo run -- config schema > config/schema.json`.
#[test]
fn the_schema_in_the_repository_is_the_one_of_the_code() {
    let generated = revtrail(&["config", "schema"]).exits(0);
    let stored = fs::read_to_string(root().join("config/schema.json")).unwrap();
    assert_eq!(generated.json(), serde_json::from_str::<Value>(&stored).unwrap());
    assert_eq!(generated.stdout, stored);
}
