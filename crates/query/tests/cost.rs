//! What a proof asks of the archive does not grow with the log, but for a logarithm.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use revtrail_archive::{Archive, Calls, CountingArchive, MemoryArchive, ObjectKey};
use revtrail_logs::{Log, ORIGIN, event};
use revtrail_model::leaf::Leaf;
use revtrail_query::{Reader, Source};

type Counted = Arc<CountingArchive<MemoryArchive>>;

/// A log whose snapshots have as many events as `events` says, by their number.
async fn log(snapshots: u64, events: impl Fn(u64) -> u64) -> (Counted, Reader, Log) {
    let archive = Arc::new(CountingArchive::new(MemoryArchive::new()));
    let (mut log, mut objects) = (Log::new(), Vec::new());
    let mut keep = |key: &str, bytes: Vec<u8>| objects.push((key.to_owned(), bytes));
    log.genesis(&mut keep);
    while log.seq < snapshots {
        log.snapshot(events(log.seq), &mut keep);
    }
    log.finish(&mut keep);
    for (key, bytes) in objects {
        let key: ObjectKey = key.parse().unwrap();
        archive.create(&key, bytes.into(), None).await.unwrap();
    }
    archive.take();
    let key = log.key.clone();
    let reader = Reader {
        archive: Arc::clone(&archive) as Arc<dyn Archive>,
        ledger: log.name.ledger.clone(),
        origin: ORIGIN.into(),
        key: Arc::new(move |_| Some(key.clone())),
    };
    (archive, reader, log)
}

async fn prove(archive: &Counted, reader: &Reader, index: u64) -> Calls {
    let evidence = reader.prove_leaf(None, index).await.unwrap();
    assert_eq!(evidence.source, Source::Tiles);
    assert_eq!(evidence.index.get(), index);
    // What is proved is the event that was put there.
    if let Ok(Leaf::Event(leaf)) = Leaf::parse(&evidence.leaf) {
        assert_eq!(leaf.id, event(index).id);
        let (seed, disclosure) = evidence.sidecar.unwrap();
        assert_eq!(disclosure.commitments(&seed).unwrap(), leaf.c);
        assert_eq!(disclosure.path, Some(event(index).path));
    }
    archive.take()
}

#[tokio::test]
async fn a_proof_takes_a_handful_of_reads() {
    for snapshots in [10, 1_000, 5_000] {
        let (archive, reader, log) = log(snapshots, |_| 3).await;
        let leaves = log.leaves();
        // Tiles on two levels hold the tree: at most the way to the leaf and the right edge.
        for index in [0, 2, 3, leaves / 3, leaves / 2, leaves - 5, leaves - 1] {
            let calls = prove(&archive, &reader, index).await;
            assert!(calls.of(&["read"]) <= 12, "leaf {index} of {leaves}: {calls}");
            assert!(calls.of(&["list"]) <= 10, "leaf {index} of {leaves}: {calls}");
            assert_eq!(calls.by_kind["read segments"], 1, "{calls}");
        }
    }
}

#[tokio::test]
async fn snapshots_of_very_different_sizes_take_a_logarithm() {
    let snapshots = 1_000;
    let (archive, reader, log) = log(
        snapshots,
        |seq| if seq == 7 || seq == 640 { 4_000 } else { seq % 5 },
    )
    .await;
    let mut most = 0;
    for index in (0..log.leaves()).step_by(211) {
        let calls = prove(&archive, &reader, index).await;
        most = most.max(calls.by_kind["read checkpoints"]);
    }
    assert!(most <= 4 * u64::from(snapshots.ilog2()), "{most}");
}
