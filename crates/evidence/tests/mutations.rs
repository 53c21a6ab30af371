//! A sample of the mutation campaign (`examples/mutate`), always the same changes.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[path = "../examples/mutate/campaign.rs"]
mod campaign;
#[path = "../examples/mutate/changes.rs"]
mod changes;
#[path = "../examples/mutate/random.rs"]
mod random;
#[path = "../examples/mutate/record.rs"]
mod record;
#[path = "../examples/mutate/snapshot.rs"]
mod snapshot;

use campaign::Campaign;
use record::Shape;

#[test]
fn every_change_of_a_sample_is_found() {
    let campaign = Campaign {
        ledgers: 3,
        shape: Shape {
            looks: [3, 2],
            events: 12,
        },
        seed: 7,
        threads: 2,
    };
    let results = campaign.run(0..630);
    println!("{}", results.table());
    assert_eq!(results.lines.len(), changes::KINDS.len());
    assert!(results.lines.values().all(|line| line.tried == 30));
    let survivors: Vec<String> = results
        .survivors
        .iter()
        .map(|survivor| format!("{}: {}", survivor.number, survivor.what))
        .collect();
    assert_eq!(survivors, Vec::<String>::new());
}
