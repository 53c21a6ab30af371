use std::collections::BTreeMap;

use revtrail_model::sha256;

use super::*;
use crate::finding::Verdict;

/// Objects by key.
#[derive(Default)]
struct Objects(BTreeMap<String, Vec<u8>>);

impl RecordSource for Objects {
    fn keys(&self, prefix: &str) -> Result<Vec<String>, SourceError> {
        let keys = self.0.keys().filter(|key| key.starts_with(prefix));
        Ok(keys.cloned().collect())
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.0.get(key).cloned())
    }
}

impl Objects {
    fn put(&mut self, key: &str, lines: &[String]) {
        let text = lines
            .iter()
            .flat_map(|line| [line.as_str(), "\n"])
            .collect::<String>();
        let bytes = zstd::bulk::compress(text.as_bytes(), 1).unwrap();
        self.0.insert(key.to_owned(), bytes);
    }
}

/// An id with this beginning and end.
fn id(start: u8, end: u8) -> Digest {
    let mut bytes = [start; 32];
    bytes[31] = end;
    Digest::from_bytes(bytes)
}

fn line(id: &Digest) -> String {
    format!(
        concat!(
            r#"{{"action":"modified","actor_kind":"unknown","actor_source":"not_reported","basis":"reported","#,
            r#""drive_id":"d","folder":"f","id":"{}","item_id":"i","item_kind":"file","ledger":"l","#,
            r#""observed_at":"2026-11-21T02:00:07Z","occurred_source":"server","provider":"dropbox","#,
            r#""source_api":"a","tenant":"t","type":"event","v":1}}"#
        ),
        id
    )
}

fn event(id: Digest, raw: Option<&str>) -> Record {
    Record::Event(EventFacts {
        folder: "f".into(),
        id,
        own_ledger: true,
        raw: raw.map(|raw| sha256(raw.as_bytes())),
        content: None,
    })
}

fn leaves(key: &str, first: u64, records: Vec<Record>) -> Leaves {
    Leaves {
        key: key.into(),
        text: Vec::new(),
        hashes: Vec::new(),
        records,
        unreadable: Vec::new(),
        first,
        objects: None,
    }
}

/// What is found when these ids stand in two segments.
fn found(one: &[Digest], two: &[Digest]) -> Vec<Finding> {
    let (mut source, mut ids, mut first) = (Objects::default(), Ids::default(), 5);
    for (key, segment) in [("one", one), ("two", two)] {
        source.put(key, &segment.iter().map(line).collect::<Vec<_>>());
        let records = segment.iter().map(|id| event(*id, None)).collect();
        let leaves = leaves(key, first, records);
        ids.open(&leaves);
        for record in &leaves.records {
            if let Record::Event(event) = record {
                ids.take(event);
            }
        }
        first += segment.len() as u64;
    }
    let mut report = Report::default();
    ids.finish(&source, &mut report).unwrap();
    report.findings
}

#[test]
fn ids_that_only_begin_alike_are_different() {
    assert_eq!(found(&[id(1, 1), id(1, 2)], &[id(1, 3), id(2, 1)]), []);
}

#[test]
fn an_id_that_comes_twice_is_named_where_it_comes_again() {
    let expected = |key: &str, leaf: u64| {
        Finding::contradiction(key, format!("event at leaf {leaf}: was recorded before"))
    };
    assert_eq!(found(&[id(1, 1), id(1, 2)], &[id(1, 2)]), [expected("two", 7)]);
    assert_eq!(
        found(&[id(1, 1), id(1, 1)], &[id(2, 2), id(1, 1)]),
        [expected("one", 6), expected("two", 8)]
    );
}

/// Snapshots with their raw lines and the raw record of one event each, and what is found.
fn raws(snapshots: &[(&[&str], &str)]) -> Report {
    let (mut source, mut raws, mut report) = (Objects::default(), Raws::default(), Report::default());
    for (place, (lines, named)) in snapshots.iter().enumerate() {
        let key = format!("raw/{place}");
        source.put(&key, &lines.iter().map(ToString::to_string).collect::<Vec<_>>());
        let digests: Vec<Digest> = lines.iter().map(|line| sha256(line.as_bytes())).collect();
        let leaves = leaves(
            &format!("segment/{place}"),
            place as u64,
            vec![event(id(3, 3), Some(named))],
        );
        raws.take(&leaves, Some((key, &digests)));
    }
    raws.finish(&source, &mut report).unwrap();
    report
}

#[test]
fn a_raw_record_may_have_been_stored_at_any_time_before() {
    for snapshots in [
        [(&["a"][..], "a"), (&["b"], "b"), (&["c"], "c")],
        // Named again later, and named only later.
        [(&["a"], "a"), (&["b"], "a"), (&["c"], "a")],
        [(&["a", "later"], "a"), (&["b"], "b"), (&["c"], "later")],
    ] {
        assert_eq!(raws(&snapshots).verdict(), Verdict::Sound, "{snapshots:?}");
    }
}

#[test]
fn a_raw_record_that_is_stored_after_its_event_or_never_is_missed() {
    let expected = |place: u64| {
        let what = format!("event at leaf {place}: its raw record is in no raw object up to here");
        Finding::contradiction(format!("segment/{place}"), what)
    };
    assert_eq!(raws(&[(&["a"], "b"), (&["b"], "b")]).findings, [expected(0)]);
    assert_eq!(
        raws(&[(&["a"], "x"), (&["b"], "b"), (&["c"], "x")]).findings,
        [expected(0), expected(2)]
    );
}
