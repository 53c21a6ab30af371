//! A record made once, and copies of it to damage.

use std::{
    cell::Cell,
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use revtrail_e2e::{
    Bench, Outcome, Place, at, round_end, rounds,
    verifiers::{Case, auditor, differs, script, script_differs},
};
use revtrail_model::layout::{Kind, LogName, ObjectName};
use revtrail_simulator::{Edit, Options, Provider, WorldSource};
use serde_json::Value;

/// Before any deadline, so that two programs that read the clock one after the other agree.
const NOW: &str = "2026-01-01T00:00:00Z";

/// Two folders, five snapshots with events after the first one, made by the program.
pub(crate) struct Original {
    bench: Bench,
    copies: Cell<u32>,
}

impl Original {
    pub(crate) fn new() -> Self {
        // Instructions, whose contents are kept; none in the last snapshot, so that its removal leaves no contents behind.
        let instructions = WorldSource::from_edits(vec![
            Edit::created(at(3), "Handbook/CLAUDE.md", 400),
            Edit::modified(at(1003), "Handbook/CLAUDE.md", 410),
        ]);
        let source = WorldSource::merged(vec![
            rounds("Handbook", 5, 4),
            rounds("Plans", 5, 3),
            instructions,
        ]);
        let place = |name, path| Place {
            name,
            provider: Provider::Dropbox,
            path,
        };
        let bench = Bench::new(
            source,
            Options::default(),
            &[place("handbook", "/Handbook"), place("plans", "/Plans")],
        );
        bench.init();
        for round in 0..5 {
            bench.advance(round_end(round));
            let _harvested = bench.call(&["harvest"]).exits(0);
        }
        bench.verify();
        Self {
            bench,
            copies: Cell::new(0),
        }
    }

    pub(crate) fn copy(&self) -> Replica<'_> {
        let number = self.copies.get() + 1;
        self.copies.set(number);
        let (name, config) = (format!("copy-{number}"), format!("copy-{number}.toml"));
        let text = self.bench.config().replace("/archive\"", &format!("/{name}\""));
        self.bench.write(&config, &text);
        let copy = Replica {
            bench: &self.bench,
            root: self.bench.dir().join(&name),
            config,
        };
        for key in keys_below(&self.bench.dir().join("archive")) {
            copy.create(
                &key,
                &fs::read(self.bench.dir().join("archive").join(&key)).unwrap(),
            );
        }
        copy
    }
}

/// A copy of the record with a configuration of its own.
pub(crate) struct Replica<'a> {
    bench: &'a Bench,
    root: PathBuf,
    config: String,
}

impl Replica<'_> {
    pub(crate) fn bench(&self) -> &Bench {
        self.bench
    }

    /// Keys of everything in it.
    pub(crate) fn all(&self) -> Vec<String> {
        keys_below(&self.root)
    }

    fn log(&self) -> LogName {
        LogName {
            ledger: "main".into(),
            year: self.year(),
        }
    }

    /// The year in which the record was made, which is the present one.
    pub(crate) fn year(&self) -> i16 {
        self.all()[0].split('/').nth(1).unwrap().parse().unwrap()
    }

    fn name(&self, key: &str) -> Option<ObjectName> {
        self.log().parse(key)
    }

    pub(crate) fn seq(&self, key: &str) -> u64 {
        self.name(key).unwrap().seq
    }

    /// Keys of one kind, in order.
    pub(crate) fn keys_of(&self, kind: Kind) -> Vec<String> {
        let is_kind = |key: &String| self.name(key).is_some_and(|name| name.kind == kind);
        self.all().into_iter().filter(is_kind).collect()
    }

    /// The object of this kind in this snapshot.
    pub(crate) fn of(&self, kind: Kind, seq: u64) -> String {
        self.keys_of(kind)
            .into_iter()
            .find(|key| self.seq(key) == seq)
            .unwrap()
    }

    /// The newest snapshot.
    pub(crate) fn last(&self) -> u64 {
        self.keys_of(Kind::Checkpoint)
            .iter()
            .map(|key| self.seq(key))
            .max()
            .unwrap()
    }

    pub(crate) fn smallest(&self, kind: Kind) -> String {
        self.keys_of(kind)
            .into_iter()
            .min_by_key(|key| self.read(key).len())
            .unwrap()
    }

    pub(crate) fn read(&self, key: &str) -> Vec<u8> {
        fs::read(self.root.join(key)).unwrap()
    }

    pub(crate) fn create(&self, key: &str, bytes: &[u8]) {
        let path = self.root.join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn remove(&self, key: &str) {
        fs::remove_file(self.root.join(key)).unwrap();
    }

    pub(crate) fn replace(&self, key: &str, bytes: &[u8]) {
        self.remove(key);
        self.create(key, bytes);
    }

    /// Replaces a piece of the configuration.
    pub(crate) fn configure(&self, old: &str, new: &str) {
        let text = fs::read_to_string(self.bench.dir().join(&self.config)).unwrap();
        assert!(text.contains(old), "{text}");
        self.bench.write(&self.config, &text.replace(old, new));
    }

    pub(crate) fn call(&self, args: &[&str]) -> Outcome {
        let args: Vec<&str> = args.iter().copied().chain(["--config", &self.config]).collect();
        self.bench.call(&args)
    }

    pub(crate) fn verify(&self, args: &[&str]) -> Outcome {
        let args: Vec<&str> = ["verify", "--output", "json"]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        self.call(&args)
    }

    pub(crate) fn verify_sound(&self) {
        assert_eq!(self.verify(&[]).exits(0).json()["verdict"], "sound");
    }

    /// What other programs say of the copy must be what `verify` says.
    pub(crate) fn compare(&self) -> Result<(), String> {
        let case = Case {
            copy: &self.root.join("main"),
            key: &self.bench.dir().join("key.pub.pem"),
            origin: "evidence.example/main",
            as_of: NOW,
        };
        let main = self.verify(&["--as-of", NOW]);
        if let Some(difference) = differs(&main, &auditor(case)) {
            return Err(difference);
        }
        let Some(outcome) = script(case) else {
            println!("docs/verify.py: skipped (no Python with zstd)");
            return Ok(());
        };
        script_differs(&main, &outcome).map_or(Ok(()), Err)
    }

    /// `verify` must exit 3, and a contradiction must be about one of these objects; otherwise says what it did instead.
    pub(crate) fn verify_names(&self, damaged: &[String]) -> Result<(), String> {
        let outcome = self.verify(&[]);
        if outcome.code != Some(3) {
            return Err(format!(
                "exit {:?}, {}{}",
                outcome.code, outcome.stdout, outcome.stderr
            ));
        }
        let report = outcome.json();
        let named: BTreeSet<&str> = report["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|finding| finding["severity"] == "contradiction")
            .filter_map(|finding| finding["key"].as_str())
            .collect();
        if damaged.iter().any(|key| named.contains(key.as_str())) {
            return Ok(());
        }
        let says: Vec<Value> = report["findings"].as_array().cloned().unwrap_or_default();
        Err(format!("none of {damaged:?} is named in {says:?}"))
    }
}

/// Relative paths of all files, sorted; temporary files of the archive aside.
fn keys_below(root: &Path) -> Vec<String> {
    let (mut keys, mut directories) = (Vec::new(), vec![root.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let key = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if key.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                directories.push(path);
            } else {
                keys.push(key);
            }
        }
    }
    keys.sort();
    keys
}
