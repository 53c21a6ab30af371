//! Tiles: derived from the record, made again from it, and never a substitute for it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{collections::BTreeMap, fs, path::PathBuf};

use revtrail_e2e::{Bench, FOLDER, Place, round_end, rounds};
use revtrail_simulator::{Options, Provider};

const ROUNDS: i64 = 4;

struct Tiled {
    bench: Bench,
    directory: PathBuf,
}

impl Tiled {
    fn new() -> Self {
        let place = Place {
            name: "handbook",
            provider: Provider::Dropbox,
            path: FOLDER,
        };
        let bench = Bench::new(rounds("Handbook", ROUNDS, 40), Options::default(), &[place]);
        bench.init();
        for round in 0..ROUNDS {
            bench.advance(round_end(round));
            let _harvested = bench.call(&["harvest"]).exits(0);
        }
        let main = bench.dir().join("archive/main");
        let directory = fs::read_dir(main).unwrap().next().unwrap().unwrap().path();
        Self { bench, directory }
    }

    /// Every tile by its path, with its bytes.
    fn tiles(&self) -> BTreeMap<String, Vec<u8>> {
        let (mut found, mut directories) = (BTreeMap::new(), vec![self.directory.join("tile")]);
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let name = path.strip_prefix(&self.directory).unwrap();
                    found.insert(name.to_str().unwrap().to_owned(), fs::read(&path).unwrap());
                }
            }
        }
        found
    }

    fn replace(&self, tile: &str, bytes: &[u8]) {
        let path = self.directory.join(tile);
        if path.exists() {
            fs::remove_file(&path).unwrap();
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn remove_all(&self) {
        fs::remove_dir_all(self.directory.join("tile")).unwrap();
    }

    fn prove(&self, index: &str) -> serde_json::Value {
        self.bench
            .call(&["prove", index, "--output", "json"])
            .exits(0)
            .json()
    }
}

#[test]
fn every_commit_publishes_and_a_rebuild_gives_the_same_bytes() {
    let log = Tiled::new();
    let tiles = log.tiles();
    assert!(tiles.contains_key("tile/0/000"), "{:?}", tiles.keys());
    assert!(tiles.contains_key("tile/1/000.p/1"), "{:?}", tiles.keys());
    log.bench.verify();
    let report = log.bench.call(&["verify", "--output", "json"]).exits(0).json();
    assert_eq!(report["tiles"], tiles.len());
    log.remove_all();
    // Missing views are no finding of the record.
    log.bench.verify();
    let rebuilt = log
        .bench
        .call(&["views", "rebuild", "--output", "json"])
        .exits(0)
        .json();
    assert_eq!(rebuilt["logs"][0]["created"], tiles.len());
    assert_eq!(log.tiles(), tiles);
    let again = log
        .bench
        .call(&["views", "rebuild", "--output", "json"])
        .exits(0)
        .json();
    assert_eq!(
        (&again["logs"][0]["created"], &again["logs"][0]["present"]),
        (&0.into(), &tiles.len().into())
    );
}

#[test]
fn the_next_run_publishes_what_is_missing() {
    let log = Tiled::new();
    let tiles = log.tiles();
    log.remove_all();
    let _harvested = log.bench.call(&["harvest"]).exits(0);
    let after = log.tiles();
    for (name, bytes) in &tiles {
        assert_eq!(after.get(name), Some(bytes), "{name}");
    }
    assert!(after.len() > tiles.len());
    log.bench.verify();
}

#[test]
fn a_tile_that_cannot_be_written_does_not_undo_the_commit() {
    let log = Tiled::new();
    log.remove_all();
    // A file where the directory should be.
    fs::write(log.directory.join("tile"), b"in the way").unwrap();
    let outcome = log.bench.call(&["harvest"]).exits(0);
    assert!(outcome.stderr.contains("tiles were not published"), "{outcome:?}");
    fs::remove_file(log.directory.join("tile")).unwrap();
    log.bench.verify();
    let _next = log.bench.call(&["harvest"]).exits(0);
    let published = log.tiles();
    let rebuilt = log
        .bench
        .call(&["views", "rebuild", "--output", "json"])
        .exits(0)
        .json();
    assert_eq!(
        (&rebuilt["logs"][0]["created"], &rebuilt["logs"][0]["present"]),
        (&0.into(), &published.len().into())
    );
}

#[test]
fn a_tile_that_contradicts_the_record_is_found_and_never_believed() {
    let log = Tiled::new();
    let tiles = log.tiles();
    let right = log.prove("3");
    for (name, bytes) in &tiles {
        let mut forged = bytes.clone();
        *forged.last_mut().unwrap() ^= 1;
        log.replace(name, &forged);
        let report = log.bench.call(&["verify", "--output", "json"]).exits(3).json();
        let finding = &report["findings"][0];
        assert!(
            finding["key"].as_str().unwrap().ends_with(name.as_str()),
            "{report}"
        );
        assert!(
            finding["what"].as_str().unwrap().contains("the record"),
            "{report}"
        );
        let rebuilt = log.bench.call(&["views", "rebuild", "--output", "json"]).exits(3);
        assert!(rebuilt.stderr.contains("hint: "), "{rebuilt:?}");
        // The proof comes out the same: from other tiles, or from the record.
        assert_eq!(log.prove("3")["proof"], right["proof"], "{name}");
        log.replace(name, bytes);
    }
    log.bench.verify();
}

#[test]
fn without_tiles_the_proof_is_made_from_segments_and_says_so() {
    let log = Tiled::new();
    let numbers = ["0", "1", "2", "100", "255", "256", "257", "289"];
    let with: Vec<_> = numbers.iter().map(|number| log.prove(number)).collect();
    log.remove_all();
    for (number, with) in numbers.iter().zip(with) {
        let without = log.prove(number);
        assert_eq!(without["proof"], with["proof"], "{number}");
        assert_eq!(with["remarks"], serde_json::json!([]), "{number}");
        assert!(
            without["remarks"][0].as_str().unwrap().contains("views rebuild"),
            "{without}"
        );
    }
}

#[test]
fn tiles_give_a_cut_off_end_away() {
    let log = Tiled::new();
    let checkpoints = log.directory.join("checkpoints");
    let mut names: Vec<PathBuf> = fs::read_dir(&checkpoints)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    names.sort();
    fs::remove_file(names.pop().unwrap()).unwrap();
    let report = log.bench.call(&["verify", "--output", "json"]).exits(6).json();
    assert_eq!(report["verdict"], "incomplete");
    let found = report["findings"].as_array().unwrap().iter().any(|finding| {
        finding["severity"] == "incomplete" && finding["key"].as_str().unwrap().contains("/tile/")
    });
    assert!(found, "{report}");
}

#[test]
fn foreign_names_among_the_tiles_are_noted() {
    let log = Tiled::new();
    log.replace("tile/notes", b"x");
    let full = &log.tiles()["tile/0/000"];
    log.replace("tile/0/000.p/4", &full[..4 * 32]);
    let report = log.bench.call(&["verify", "--output", "json"]).exits(0).json();
    let severities: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["severity"].as_str().unwrap())
        .collect();
    assert_eq!(severities, ["note", "note"], "{report}");
}

/// Tiles of a log that was cut off and grew again, or was signed twice, tell so, whatever the new checkpoints call for.
#[test]
fn a_tile_of_another_history_contradicts() {
    let log = Tiled::new();
    for (tile, bytes) in [
        ("tile/0/000.p/4", vec![0; 4 * 32]),
        ("tile/entries/000.p/1", vec![0, 1, b'x']),
        ("tile/0/000.p/3", vec![0; 32]),
    ] {
        log.replace(tile, &bytes);
        let report = log.bench.call(&["verify", "--output", "json"]).exits(3).json();
        let finding = &report["findings"][0];
        assert!(finding["key"].as_str().unwrap().ends_with(tile), "{report}");
        assert!(
            finding["what"].as_str().unwrap().contains("another history"),
            "{report}"
        );
        fs::remove_file(log.directory.join(tile)).unwrap();
    }
    log.bench.verify();
}
