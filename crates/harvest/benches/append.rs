//! What appending a run costs on a long log, in units of what it costs on an empty one.
//!
//! ```text
//! cargo bench -p revtrail-harvest --bench append -- [LEAVES]        (default 1,000,000)
//! ```
//!
//! Both logs stand in directories and are made without harvesting. A run with nothing to look at is appended several times by the real
//! code: it finds the newest checkpoint, opens and checks the log, commits, publishes tiles. The least time of each counts, so the long
//! log's last segment of 10,000 events, which the first run reads, counts for nothing. The *inventory* of both has 100 items: reading it
//! takes time in proportion to the items a ledger has, however long its log. First the directories answer at once, then each answer takes
//! 20 ms more, as from a bucket. Set `TMPDIR` to a memory file system where a disk is busy with other work: the run syncs what it writes.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../tests/growth/plan.rs"]
mod plan;

use std::{
    env, fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use revtrail_archive::{Archive, Calls, CountingArchive, FsArchive};
use revtrail_logs::Log;

const EVENTS: u64 = 10_000;
const RUNS: u32 = 20;

fn main() {
    let wanted = env::args().skip(1).find_map(|argument| argument.parse().ok());
    let wanted: u64 = wanted.unwrap_or(1_000_000);
    let directory = env::temp_dir().join(format!("revtrail-append-{}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let short = directory.join("short");
    let long = directory.join("long");
    let (short_leaves, _) = make(&short, 0);
    let (long_leaves, making) = make(&long, wanted);
    println!("made {long_leaves} leaves in {:.0} s", making.as_secs_f64());
    for delay in [0, 20] {
        let few = runtime.block_on(append(&short, Duration::from_millis(delay)));
        let many = runtime.block_on(append(&long, Duration::from_millis(delay)));
        println!("each answer after {delay} ms:");
        for (leaves, (time, calls)) in [(short_leaves, &few), (long_leaves, &many)] {
            println!(
                "{leaves:>10} leaves: {:8.2} ms, {:3} questions: {calls}",
                time.as_secs_f64() * 1e3,
                calls.questions()
            );
        }
        let time = many.0.as_secs_f64() / few.0.as_secs_f64();
        let asked = |calls: u64| f64::from(u32::try_from(calls).unwrap());
        let questions = asked(many.1.questions()) / asked(few.1.questions());
        println!("ratio of time {time:.2}, of questions {questions:.2}");
    }
    fs::remove_dir_all(&directory).unwrap();
}

/// A log of at least so many leaves below a directory.
fn make(directory: &Path, leaves: u64) -> (u64, Duration) {
    let start = Instant::now();
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
    (log.leaves(), start.elapsed())
}

/// Appends runs; the least time of one, and what the last one asked.
async fn append(directory: &Path, delay: Duration) -> (Duration, Calls) {
    let archive = CountingArchive::with_delay(FsArchive::open(directory).unwrap(), delay);
    let archive = Arc::new(archive);
    let plan = plan::plan(Arc::clone(&archive) as Arc<dyn Archive>);
    let mut least = Duration::MAX;
    for _ in 0..RUNS {
        archive.take();
        let start = Instant::now();
        let summary = revtrail_harvest::run(&plan).await.unwrap();
        least = least.min(start.elapsed());
        assert_eq!(summary.leaves, 1);
    }
    (least, archive.take())
}
