//! The mutation campaign: an archive of 10,000 leaves, and random single changes to it, each of which `verify` must find.
//!
//! ```text
//! cargo run --release -p revtrail-evidence --example mutate -- --count 21000
//! cargo run --release -p revtrail-evidence --example mutate -- --seed 1 --only 4711     one change again
//! ```
//!
//! The archive is made in memory: ten ledgers of two years each, with everything a real one has. A check of a whole ledger follows each
//! change. Ends with 1 when one change was not found, was found with another exit code than it must have, or made the verifier panic.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that is run by hand"
)]

mod campaign;
mod changes;
mod random;
mod record;
mod snapshot;

use std::{process::ExitCode, thread, time::Instant};

use campaign::Campaign;
use record::Shape;

fn main() -> ExitCode {
    let (mut count, mut seed, mut only) = (21_000, 1, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().and_then(|value| value.parse::<u64>().ok());
        match (name.as_str(), value) {
            ("--count", Some(value)) => count = value,
            ("--seed", Some(value)) => seed = value,
            ("--only", Some(value)) => only = Some(value),
            _ => {
                eprintln!("usage: mutate [--count N] [--seed N] [--only NUMBER]");
                return ExitCode::from(2);
            }
        }
    }
    let campaign = Campaign {
        ledgers: 10,
        shape: Shape {
            looks: [18, 8],
            events: 36,
        },
        seed,
        threads: thread::available_parallelism().map_or(1, Into::into),
    };
    let started = Instant::now();
    let results = match only {
        Some(number) => campaign.run(number..=number),
        None => campaign.run(0..=count.saturating_sub(1)),
    };
    print!("{}", results.table());
    for survivor in results.survivors.iter().take(50) {
        println!(
            "NOT FOUND as it must be: --seed {seed} --only {}: {}",
            survivor.number, survivor.what
        );
    }
    if results.survivors.is_empty() {
        println!(
            "\nevery change was found; seed {seed}, {:.0} s",
            started.elapsed().as_secs_f64()
        );
        ExitCode::SUCCESS
    } else {
        println!(
            "\n{} changes were not found as they must be",
            results.survivors.len()
        );
        ExitCode::FAILURE
    }
}
