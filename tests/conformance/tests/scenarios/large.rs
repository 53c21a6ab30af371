//! Much at once: a folder with a thousand descendants that moves, and listings of many pages.

use revtrail_e2e::{Bench, FOLDER, Place, assert_same, events_as_facts, told};
use revtrail_simulator::{Edit, Options, Provider, WorldSource};
use rstest::rstest;

use super::world::{at, created, deleted, modified, renamed, restored};

/// Descendants of the folder that moves: files in fifty folders.
const FILES: u32 = 950;

fn thousand(root: &str) -> Vec<Edit> {
    let file = |n: u32| {
        created(
            1,
            n / 60,
            &format!("{root}/big/d{:02}/f{n:03}.txt", n % 50),
            &n.to_string(),
        )
    };
    let mut edits = vec![created(1, 0, "Handbook/z.txt", "z")];
    edits.extend((0..FILES).map(file));
    edits
}

fn play(provider: Provider, page_size: usize, edits: Vec<Edit>) {
    let source = WorldSource::from_edits(edits);
    let options = Options {
        page_size: Some(page_size),
        ..Options::default()
    };
    let place = Place {
        name: "handbook",
        provider,
        path: FOLDER,
    };
    let bench = Bench::new(source.clone(), options, &[place]);
    bench.init();
    let polls = [at(2, 0), at(4, 0), at(6, 0)];
    for poll in polls {
        bench.advance(poll);
        let _harvested = bench.call(&["harvest"]).exits(0);
    }
    let truth = told(provider, &source, FOLDER, &polls);
    assert_same(&events_as_facts(&bench.events()), &truth);
    bench.verify();
}

#[rstest]
fn a_folder_with_a_thousand_descendants(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values("within", "out", "in", "bin")] way: &str,
) {
    let mut edits = thousand(if way == "in" { "Elsewhere" } else { "Handbook" });
    edits.extend(match way {
        "within" => vec![
            renamed(3, 1, "Handbook/big", "Handbook/sub/large"),
            modified(5, 1, "Handbook/sub/large/d07/f007.txt", "new"),
        ],
        "out" => vec![renamed(3, 1, "Handbook/big", "Elsewhere/big")],
        "in" => vec![
            renamed(3, 1, "Elsewhere/big", "Handbook/big"),
            modified(5, 1, "Handbook/big/d07/f007.txt", "new"),
        ],
        _ => vec![deleted(3, 1, "Handbook/big"), restored(5, 1, "Handbook/big")],
    });
    play(provider, 300, edits);
}

/// Pages of one entry, as Dropbox has sent them, lose nothing.
#[rstest]
fn pages_of_one_entry(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let mut edits = super::world();
    edits.extend((1..=5).map(|minute| modified(3, minute, "Handbook/z.txt", &format!("z{minute}"))));
    edits.push(renamed(3, 6, "Elsewhere/dir", "Handbook/dir"));
    edits.push(deleted(5, 1, "Handbook/a"));
    play(provider, 1, edits);
}
