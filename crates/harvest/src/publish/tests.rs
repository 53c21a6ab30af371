use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use revtrail_archive::{
    ArchiveError, Head, LegalHold, Listing, MemoryArchive, ObjectKey, Protection, Retention,
};
use revtrail_ledger::{Algorithm, FileSigner, Frontier, Signer as _};
use revtrail_model::{
    leaf::{Objects, RunLeaf, Tool},
    record::Count,
    time::Timestamp,
};

use super::*;
use crate::{
    audit::state::Audits,
    commit::{NextState, Target, Tip, commit},
    snapshot::{Draft, seal_draft},
    state::{Changed, Inventories, OpenHolds},
};

const ORIGIN: &str = "log.example/main/2026";

/// A memory archive that writes down what is read, and can refuse some writes.
#[derive(Default)]
struct Watched {
    inner: MemoryArchive,
    reads: Mutex<Vec<String>>,
    refuse: Mutex<Option<&'static str>>,
}

#[async_trait]
impl Archive for Watched {
    async fn create(
        &self,
        key: &ObjectKey,
        bytes: Bytes,
        retention: Option<Retention>,
    ) -> Result<(), ArchiveError> {
        let refuse = *self.refuse.lock().unwrap();
        if refuse.is_some_and(|part| key.as_str().contains(part)) {
            return Err(ArchiveError::new(ArchiveErrorKind::Unreachable, "create", key));
        }
        self.inner.create(key, bytes, retention).await
    }

    async fn read(&self, key: &ObjectKey) -> Result<Bytes, ArchiveError> {
        self.reads.lock().unwrap().push(key.to_string());
        self.inner.read(key).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<Head>, ArchiveError> {
        self.inner.head(key).await
    }

    async fn list_up_to(
        &self,
        most: usize,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Listing, ArchiveError> {
        self.inner.list_up_to(most, prefix, after).await
    }

    async fn extend_retention(&self, key: &ObjectKey, until: Timestamp) -> Result<(), ArchiveError> {
        self.inner.extend_retention(key, until).await
    }

    async fn set_legal_hold(&self, key: &ObjectKey, hold: LegalHold) -> Result<(), ArchiveError> {
        self.inner.set_legal_hold(key, hold).await
    }

    fn protection(&self) -> Protection {
        self.inner.protection()
    }

    async fn clock(&self) -> Option<Timestamp> {
        self.inner.clock().await
    }
}

struct Bench {
    watched: Arc<Watched>,
    archive: Arc<dyn Archive>,
    name: LogName,
    signer: FileSigner,
    tip: Tip,
}

fn run_leaf() -> RunLeaf {
    RunLeaf {
        audit: BTreeMap::new(),
        clock_offset_ms: BTreeMap::new(),
        config_sha256: sha256(b"configuration"),
        finished_at: Timestamp::UNIX_EPOCH,
        ledger: "main".into(),
        next_expected_by: None,
        objects: Objects::default(),
        previous_checkpoint: None,
        requests: BTreeMap::new(),
        run_id: "run".into(),
        seq: Count(0),
        started_at: Timestamp::UNIX_EPOCH,
        timestamps: BTreeMap::new(),
        tool: Tool {
            binary_sha256: None,
            version: "0".into(),
        },
        kind: "run".into(),
        units: [].into(),
        v: 1,
        windows: Vec::new(),
    }
}

impl Bench {
    fn new() -> Self {
        let watched = Arc::new(Watched::default());
        Self {
            archive: Arc::<Watched>::clone(&watched),
            watched,
            name: LogName {
                ledger: "main".into(),
                year: 2026,
            },
            signer: FileSigner::generate([1; 32]).unwrap(),
            tip: Tip {
                frontier: Frontier::new(),
                checkpoint: None,
                next_seq: 0,
                state: None,
            },
        }
    }

    fn key(&self) -> VerifierKey {
        VerifierKey::new(
            ORIGIN.parse().unwrap(),
            Algorithm::Ed25519,
            self.signer.public_key(),
        )
    }

    /// Commits a snapshot of so many leaves, and publishes nothing.
    async fn commit(&mut self, leaves: u64) {
        let leaves = (1..leaves).map(|n| format!("{{\"n\":\"{n}\"}}").into_bytes());
        let body = seal_draft(Draft::new().unwrap(), leaves.collect(), &self.tip.frontier).unwrap();
        let target = Target {
            archive: &self.archive,
            name: &self.name,
            origin: ORIGIN,
            signer: &self.signer,
            retention: None,
        };
        let state = NextState {
            folders: &mut BTreeMap::new(),
            inventories: &Inventories::new(),
            changed: Changed::new(),
            holds: OpenHolds::new(),
            audits: Audits::new(),
        };
        self.tip = commit(&target, &self.tip, body, state, run_leaf())
            .await
            .unwrap()
            .tip;
    }

    async fn publish(&self) -> Result<Published, HarvestError> {
        publish(&self.archive, &self.name, &self.key(), self.tip.next_seq - 1).await
    }

    /// Every tile that stands, with its bytes.
    async fn tiles(&self) -> BTreeMap<String, Bytes> {
        let page = self.watched.inner.list("main/2026/tile/", None).await.unwrap();
        assert!(!page.more);
        let mut tiles = BTreeMap::new();
        for key in page.keys {
            let bytes = self.watched.inner.read(&key).await.unwrap();
            tiles.insert(key.to_string(), bytes);
        }
        tiles
    }

    /// The same record without any tile.
    async fn without_tiles(&self) -> Self {
        let copy = Self {
            tip: self.tip.clone(),
            ..Self::new()
        };
        let page = self.watched.inner.list("main/2026/", None).await.unwrap();
        for key in page.keys {
            if !key.as_str().contains("/tile/") {
                let bytes = self.watched.inner.read(&key).await.unwrap();
                copy.archive.create(&key, bytes, None).await.unwrap();
            }
        }
        copy
    }

    fn reads(&self) -> Vec<String> {
        std::mem::take(&mut *self.watched.reads.lock().unwrap())
    }
}

#[tokio::test]
async fn each_commit_adds_its_tiles_and_a_rebuild_makes_the_same() {
    let mut bench = Bench::new();
    let mut created = 0;
    for leaves in [2, 254, 1, 43, 600] {
        bench.commit(leaves).await;
        let published = bench.publish().await.unwrap();
        assert_eq!((published.present, published.contradicting.len()), (0, 0));
        created += published.created;
    }
    let tiles = bench.tiles().await;
    assert_eq!(tiles.len() as u64, created);
    assert!(tiles.contains_key("main/2026/tile/0/001.p/44"));
    assert!(tiles.contains_key("main/2026/tile/entries/003.p/132"));
    assert!(tiles.contains_key("main/2026/tile/1/000.p/3"));

    let copy = bench.without_tiles().await;
    let rebuilt = rebuild(&copy.archive, &copy.name, &copy.key()).await.unwrap();
    assert_eq!(rebuilt.created, created);
    assert_eq!(copy.tiles().await, tiles);
    let again = rebuild(&copy.archive, &copy.name, &copy.key()).await.unwrap();
    assert_eq!((again.created, again.present), (0, created));
}

#[tokio::test]
async fn a_long_log_is_extended_by_reading_its_edge_only() {
    let mut bench = Bench::new();
    bench.commit(70_000).await;
    bench.publish().await.unwrap();
    for _ in 0..3 {
        bench.commit(5).await;
        bench.publish().await.unwrap();
    }
    bench.reads();
    bench.commit(5).await;
    bench.publish().await.unwrap();
    let reads = bench.reads();
    // Three checkpoints (this one twice), one segment, the partial tiles of three levels and the last bundle.
    let tiles: Vec<&String> = reads.iter().filter(|key| key.contains("/tile/")).collect();
    assert_eq!(tiles.len(), 4, "{reads:?}");
    assert_eq!(reads.len(), 8, "{reads:?}");
}

#[tokio::test]
async fn what_one_run_could_not_publish_the_next_one_does() {
    let mut bench = Bench::new();
    bench.commit(100).await;
    bench.publish().await.unwrap();
    for part in ["/tile/0/", "/tile/entries/"] {
        *bench.watched.refuse.lock().unwrap() = Some(part);
        bench.commit(300).await;
        assert!(matches!(bench.publish().await, Err(HarvestError::Archive(_))));
    }
    *bench.watched.refuse.lock().unwrap() = None;
    bench.commit(10).await;
    assert_eq!(bench.publish().await.unwrap().contradicting, Vec::<String>::new());
    let copy = bench.without_tiles().await;
    rebuild(&copy.archive, &copy.name, &copy.key()).await.unwrap();
    assert_eq!(copy.tiles().await, bench.tiles().await);
    assert_eq!(bench.publish().await.unwrap(), Published::default());
}

#[tokio::test]
async fn a_forged_edge_is_not_built_upon() {
    let mut bench = Bench::new();
    bench.commit(10).await;
    bench.publish().await.unwrap();
    bench.commit(10).await;
    // Somebody puts a tile there before us.
    let forged: ObjectKey = "main/2026/tile/0/000.p/20".parse().unwrap();
    bench
        .archive
        .create(&forged, Bytes::from(vec![7; 20 * 32]), None)
        .await
        .unwrap();
    let published = bench.publish().await.unwrap();
    assert_eq!(published.contradicting, [forged.to_string()]);
    bench.commit(10).await;
    bench.publish().await.unwrap();
    let copy = bench.without_tiles().await;
    rebuild(&copy.archive, &copy.name, &copy.key()).await.unwrap();
    let (mut made, mut right) = (bench.tiles().await, copy.tiles().await);
    assert_ne!(made.remove(forged.as_str()), right.remove(forged.as_str()));
    assert_eq!(made, right);
}

#[tokio::test]
async fn nothing_is_published_from_a_damaged_record() {
    let mut bench = Bench::new();
    bench.commit(10).await;
    let other = Bench {
        signer: FileSigner::generate([2; 32]).unwrap(),
        ..Bench::new()
    };
    let outcome = publish(&bench.archive, &bench.name, &other.key(), 0).await;
    assert!(matches!(outcome, Err(HarvestError::Contradiction { .. })));
    assert_eq!(bench.tiles().await.len(), 0);
}
