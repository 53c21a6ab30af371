//! A folder with a bit of everything, looked at three times, and what may come between.

use revtrail_e2e::{Bench, FOLDER, Place, assert_same, events_as_facts, told};
use revtrail_simulator::{Edit, FaultPlan, Options, Provider, Timestamp, WorldSource};
use serde_json::Value;

pub(crate) fn at(day: u32, minute: u32) -> Timestamp {
    format!("2026-10-{day:02}T08:{minute:02}:00Z").parse().unwrap()
}

/// Looks on the 2nd, the 4th and the 6th.
pub(crate) fn polls() -> [Timestamp; 3] {
    [at(2, 0), at(4, 0), at(6, 0)]
}

/// Edits before each of the looks.
pub(crate) fn world() -> Vec<Edit> {
    let mut edits: Vec<Edit> = (1..=9)
        .map(|n| {
            Edit::created(
                at(1, n),
                &format!("Handbook/d{}/f{n}.txt", n % 2),
                10 + u64::from(n),
            )
        })
        .collect();
    edits.extend([
        Edit::created(at(1, 20), "Elsewhere/o.txt", 40),
        Edit::modified(at(3, 1), "Handbook/d1/f1.txt", 51),
        Edit::modified(at(3, 2), "Handbook/d1/f1.txt", 52),
        Edit::renamed(at(3, 3), "Handbook/d0/f2.txt", "Handbook/d1/f2.txt"),
        Edit::deleted(at(3, 4), "Handbook/d1/f3.txt"),
        Edit::created(at(3, 5), "Handbook/new.txt", 53),
        Edit::modified(at(5, 1), "Handbook/d0/f4.txt", 54),
        Edit::renamed(at(5, 2), "Handbook/d1", "Handbook/d0/d2"),
        Edit::deleted(at(5, 3), "Handbook/new.txt"),
    ]);
    edits
        .into_iter()
        .map(|edit| edit.by("ada@acme.example"))
        .collect()
}

pub(crate) struct Stage {
    pub(crate) bench: Bench,
    pub(crate) provider: Provider,
    source: WorldSource,
}

impl Stage {
    pub(crate) fn new(provider: Provider) -> Self {
        Self::of(provider, world(), Options::default())
    }

    /// Small pages, so that something can happen between them.
    pub(crate) fn paged(provider: Provider) -> Self {
        let options = Options {
            page_size: Some(3),
            ..Options::default()
        };
        Self::of(provider, world(), options)
    }

    pub(crate) fn of(provider: Provider, edits: Vec<Edit>, options: Options) -> Self {
        let source = WorldSource::from_edits(edits);
        let place = Place {
            name: "handbook",
            provider,
            path: FOLDER,
        };
        let bench = Bench::new(source.clone(), options, &[place]);
        bench.init();
        Self {
            bench,
            provider,
            source,
        }
    }

    pub(crate) fn plan(&self, plan: FaultPlan) {
        self.bench.sim().plan_faults(vec![plan]);
    }

    /// Looks at this moment, and gives the folder's line of the summary.
    pub(crate) fn look(&self, poll: Timestamp, code: i32) -> Value {
        self.bench.advance(poll);
        let run = self
            .bench
            .call(&["harvest", "--output", "json"])
            .exits(code)
            .json();
        run["folders"][0].clone()
    }

    pub(crate) fn look_well(&self, poll: Timestamp) {
        let row = self.look(poll, 0);
        assert_eq!(row["state"], "complete", "{row}");
        assert_eq!(row["gaps"], Value::Array(Vec::new()), "{row}");
    }

    pub(crate) fn truth(&self, polls: &[Timestamp]) -> Vec<Value> {
        told(self.provider, &self.source, FOLDER, polls)
    }

    pub(crate) fn facts(&self) -> Vec<Value> {
        events_as_facts(&self.bench.events())
    }

    /// The record holds what a reader could tell who looked well at these moments.
    pub(crate) fn assert_told(&self, polls: &[Timestamp]) {
        assert_same(&self.facts(), &self.truth(polls));
        self.bench.verify();
    }

    /// A reconciliation walk finds everything as it was told, and the record is sound.
    pub(crate) fn assert_walk_finds_nothing(&self) {
        let row = self
            .bench
            .call(&["harvest", "--reconcile", "--output", "json"])
            .exits(0)
            .json();
        assert_eq!(row["folders"][0]["reconciled"], 0, "{row}");
        self.bench.verify();
    }

    /// Gaps that are open: reason, start (absent: the beginning) and end.
    pub(crate) fn gaps(&self) -> Vec<(String, Option<Timestamp>, Timestamp)> {
        let about = self.bench.call(&["log", "--output", "json"]).json();
        let lines = about["gaps"].as_array().unwrap().iter().filter_map(Value::as_str);
        // "main/handbook: cursor_lost from 2026-10-02T08:00:00Z to 2026-10-04T08:00:00Z, 3 item(s)"
        let read = |line: &str| {
            let (reason, times) = line.split_once(": ")?.1.split_once(" from ")?;
            let (from, to) = times.split_once(" to ")?;
            let to = to.split(',').next()?.parse().ok()?;
            Some((reason.to_owned(), from.parse().ok(), to))
        };
        lines.filter_map(read).collect()
    }

    pub(crate) fn actions(&self, action: &str) -> Vec<Value> {
        let events = self.bench.events().into_iter();
        events.filter(|event| event["action"] == action).collect()
    }
}

/// Revisions among rows: item and revision.
pub(crate) fn saves(rows: &[Value]) -> Vec<String> {
    let with_revision = rows.iter().filter(|row| row["revision_id"].is_string());
    let mut saves: Vec<String> = with_revision
        .map(|row| format!("{} {}", row["item_id"], row["revision_id"]))
        .collect();
    saves.sort();
    saves
}
