//! Example payloads from a directory that need not be there: whatever pages the files hold are replayed through the connectors. Nothing
//! may panic, no entry may be dropped, and members that are not known must be counted.
//!
//! `REVTRAIL_TEST_DATA` names the directory; payloads are below `providers/<provider>/examples/`, JSON in any envelope.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{env, fs, path::PathBuf};

use rstest::rstest;
use serde_json::{Value, json};

#[path = "../../fuzz/src/pages.rs"]
#[allow(
    unreachable_pub,
    dead_code,
    clippy::missing_panics_doc,
    reason = "a library's file, used here as a module"
)]
mod pages;

use pages::{Pages, Understood};

/// Members of a page that hold its entries, and what tells a revision.
const LISTS: [&str; 5] = ["value", "changes", "files", "entries", "revisions"];

/// Pages that are refused as a whole, which is no silence: abridged entries without an id, and an answer of another route.
const REFUSED: [&str; 3] = [
    "children-page-nextlink.json",
    "delta-link-with-select-scan-guidance.json",
    "doc-legal-hold-revisions.json",
];

/// A page found in a file: the object that holds the list.
struct Payload {
    file: String,
    list: &'static str,
    page: Value,
}

fn examples(provider: &str) -> Option<Vec<Payload>> {
    let data = PathBuf::from(env::var_os("REVTRAIL_TEST_DATA")?);
    let directory = data.join("providers").join(provider).join("examples");
    let mut files: Vec<_> = fs::read_dir(directory)
        .ok()?
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let mut found = Vec::new();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Ok(value) = serde_json::from_slice(&fs::read(&path).unwrap()) {
            search(&name, &value, &mut found);
        }
    }
    Some(found)
}

fn search(file: &str, value: &Value, found: &mut Vec<Payload>) {
    let inner: Vec<&Value> = match value {
        Value::Object(members) => {
            for list in LISTS {
                if members.get(list).is_some_and(Value::is_array) {
                    found.push(Payload {
                        file: file.to_owned(),
                        list,
                        page: value.clone(),
                    });
                }
            }
            members.values().collect()
        }
        Value::Array(values) => values.iter().collect(),
        _ => return,
    };
    for value in inner {
        search(file, value, found);
    }
}

impl Payload {
    fn entries(&self) -> &[Value] {
        self.page[self.list].as_array().unwrap()
    }

    /// Whether its entries are revisions: of a version list, or with the mark of one.
    fn is_of_revisions(&self) -> bool {
        self.list == "revisions" || self.file.contains("version") || self.file.contains("revisions")
    }

    /// As bytes that come from `url`: a page leads on within the host that gave it.
    fn bytes(&self, url: &str) -> Vec<u8> {
        let text = self.page.to_string();
        text.replace("https://graph.microsoft.com", url).into_bytes()
    }

    /// The same page with a member in each entry that no provider has.
    fn with_unknown_members(&self) -> Self {
        let mut page = self.page.clone();
        for entry in page[self.list].as_array_mut().unwrap() {
            if let Some(members) = entry.as_object_mut() {
                members.insert("memberOfTomorrow".into(), json!({"value": [1, null]}));
            }
        }
        Self {
            file: self.file.clone(),
            list: self.list,
            page,
        }
    }
}

#[rstest]
#[case::onedrive("onedrive", "onedrive")]
#[case::google_drive("google-drive", "google_drive")]
#[case::dropbox("dropbox", "dropbox")]
fn nothing_in_an_example_is_dropped(#[case] directory: &str, #[case] provider: &str) {
    let Some(payloads) = examples(directory) else {
        println!("skipped: REVTRAIL_TEST_DATA names no directory with example payloads");
        return;
    };
    let pages = Pages::new(provider);
    let mut complaints = Vec::new();
    for payload in &payloads {
        let understood = pages.read(&payload.bytes(pages.url()));
        let again = pages.read(&payload.with_unknown_members().bytes(pages.url()));
        let entries = if REFUSED.contains(&payload.file.as_str()) {
            0
        } else {
            payload.entries().len()
        };
        let of = |understood: Understood| {
            if payload.is_of_revisions() {
                understood.revisions
            } else {
                understood.changes
            }
        };
        let whole = |got: usize| got >= entries && (got == 0) == (entries == 0);
        let counted = again.unknown == understood.unknown + (again.changes + again.revisions) as u64;
        if !whole(of(understood)) || of(again) != of(understood) || !counted {
            let Payload { file, list, .. } = payload;
            complaints.push(format!(
                "{file} {list}: {entries} entries, {understood:?}, with unknown members {again:?}"
            ));
        }
    }
    assert!(payloads.len() >= 10, "{} pages", payloads.len());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
