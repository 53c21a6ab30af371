//! What a run asks of the archive does not grow with the log, but for a logarithm.
#![allow(clippy::unwrap_used, reason = "tests")]

mod plan;

use std::sync::Arc;

use revtrail_archive::{Archive, Calls, CountingArchive, MemoryArchive};
use revtrail_harvest::{run, store};
use revtrail_logs::Log;
use revtrail_model::layout::Kind;

use crate::plan::plan;

type Counted = Arc<CountingArchive<MemoryArchive>>;

/// A log of so many snapshots of three events each.
async fn log(snapshots: u64) -> (Counted, Log) {
    let archive = Arc::new(CountingArchive::new(MemoryArchive::new()));
    let (mut log, mut objects) = (Log::new(), Vec::new());
    let mut keep = |key: &str, bytes: Vec<u8>| objects.push((key.to_owned(), bytes));
    log.genesis(&mut keep);
    while log.seq < snapshots {
        log.snapshot(3, &mut keep);
    }
    log.finish(&mut keep);
    for (key, bytes) in objects {
        archive
            .create(&store::object_key(&key).unwrap(), bytes.into(), None)
            .await
            .unwrap();
    }
    archive.take();
    (archive, log)
}

/// One run, and what it asked.
async fn append(archive: &Counted, tree_size: u64) -> Calls {
    let plan = plan(Arc::clone(archive) as Arc<dyn Archive>);
    let summary = run(&plan).await.unwrap();
    assert_eq!(
        (summary.snapshots, summary.leaves, summary.tree_size),
        (1, 1, tree_size + 1)
    );
    archive.take()
}

#[tokio::test]
async fn a_run_asks_for_a_logarithm_of_the_log() {
    let mut asked = Vec::new();
    for snapshots in [10, 1_000, 5_000] {
        let (archive, log) = log(snapshots).await;
        let calls = append(&archive, log.leaves()).await;
        let most = 14 + 2 * u64::from(snapshots.ilog2());
        assert!(
            calls.questions() <= most,
            "{snapshots} snapshots, at most {most}: {calls}"
        );
        // One segment to open the log, one to publish; none of the past.
        assert_eq!(calls.by_kind["read segments"], 2, "{calls}");
        assert_eq!(calls.by_kind["read checkpoints"], 4, "{calls}");
        assert_eq!(calls.by_kind["read state"], 1, "{calls}");
        asked.push(calls.questions());
        // The next one finds the same way.
        let calls = append(&archive, log.leaves() + 1).await;
        assert!(
            calls.questions() <= most,
            "{snapshots} snapshots, at most {most}: {calls}"
        );
    }
    assert!(asked[2] <= asked[0] + 2 * u64::from(500_u64.ilog2()), "{asked:?}");
}

/// Runs that find nothing leave deltas behind; a later run must not read them all.
#[tokio::test]
async fn the_state_of_many_runs_is_read_from_a_few_objects() {
    let (archive, log) = log(1).await;
    for n in 0..300 {
        let calls = append(&archive, log.leaves() + n).await;
        let most = 1 + u64::from((n + 1).ilog2()) + 1;
        let read = calls.by_kind["read state"];
        assert!(read <= most, "{read} state objects at run {n}");
    }
    let name = &log.name;
    let listed = archive.list(&name.directory(Kind::State), None).await.unwrap();
    assert_eq!(listed.keys.len(), 301);
}
