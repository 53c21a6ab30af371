//! How long a proof takes from a long log, in units of the time that reading as many objects takes.
//!
//! ```text
//! cargo bench -p revtrail-query --bench prove -- [LEAVES]        (default 1,000,000)
//! ```
//!
//! The log stands in a directory and is made without harvesting. Each proof opens the log anew, as `revtrail prove` does. Once the
//! directory is read as it is, once as if each answer took 20 ms, which is about what a bucket takes.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::{
    env, fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use revtrail_archive::{Archive, CountingArchive, FsArchive};
use revtrail_logs::{Log, ORIGIN};
use revtrail_model::layout::Kind;
use revtrail_query::{Reader, Source};

const EVENTS: u64 = 10_000;
const PROOFS: u64 = 50;

fn main() {
    let wanted = env::args().skip(1).find_map(|argument| argument.parse().ok());
    let directory = env::temp_dir().join(format!("revtrail-prove-{}", std::process::id()));
    let log = make(&directory, wanted.unwrap_or(1_000_000));
    println!("made {} leaves in {} snapshots", log.leaves(), log.seq);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for delay in [0, 20] {
        runtime.block_on(measure(&directory, &log, Duration::from_millis(delay)));
    }
    fs::remove_dir_all(&directory).unwrap();
}

async fn measure(directory: &Path, log: &Log, delay: Duration) {
    let archive = FsArchive::open(directory).unwrap();
    let archive = Arc::new(CountingArchive::with_delay(archive, delay));
    let key = log.key.clone();
    let reader = Reader {
        archive: Arc::clone(&archive) as Arc<dyn Archive>,
        ledger: log.name.ledger.clone(),
        origin: ORIGIN.into(),
        key: Arc::new(move |_| Some(key.clone())),
    };
    let mut proving = Duration::ZERO;
    for n in 0..PROOFS {
        let index = (log.leaves() - 1) * n / (PROOFS - 1);
        let start = Instant::now();
        let evidence = reader.prove_leaf(None, index).await.unwrap();
        proving += start.elapsed();
        assert_eq!(evidence.source, Source::Tiles);
    }
    let calls = archive.take();
    let proofs = u32::try_from(PROOFS).unwrap();
    let each = |count: u64| f64::from(u32::try_from(count).unwrap()) / f64::from(proofs);
    let time = proving / proofs;
    println!(
        "{PROOFS} proofs, each answer after {} ms: {calls}",
        delay.as_millis()
    );
    println!(
        "  one proof: {:.1} reads, {:.1} listings, {:.0} kB, {:.2} ms",
        each(calls.of(&["read"])),
        each(calls.of(&["list"])),
        each(calls.bytes_read) / 1e3,
        time.as_secs_f64() * 1e3
    );
    // The largest kind of object that a proof reads.
    let listed = archive
        .inner()
        .list(&log.name.directory(Kind::Segment), None)
        .await
        .unwrap();
    let segment = &listed.keys[listed.keys.len() / 2];
    let start = Instant::now();
    for _ in 0..PROOFS {
        let _bytes = std::hint::black_box(archive.read(segment).await.unwrap());
    }
    let read = start.elapsed() / u32::try_from(PROOFS).unwrap();
    println!(
        "  one read of a segment: {:.2} ms; a proof takes {:.1} of that",
        read.as_secs_f64() * 1e3,
        time.as_secs_f64() / read.as_secs_f64()
    );
}

fn make(directory: &Path, leaves: u64) -> Log {
    let mut log = Log::new();
    let mut keep = |key: &str, bytes: Vec<u8>| {
        let path = directory.join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    log.genesis(&mut keep);
    while log.leaves() < leaves {
        log.snapshot(EVENTS, &mut keep);
    }
    log.finish(&mut keep);
    log
}
