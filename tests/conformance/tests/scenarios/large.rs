//! Much at once: a folder with a thousand descendants that moves, and listings of many pages.

use revtrail_simulator::Edit;
use rstest::rstest;

use super::{
    Of, play,
    world::{created, deleted, modified, renamed, restored},
};

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

#[rstest]
fn a_folder_with_a_thousand_descendants(
    #[values(Of::OneDrive, Of::GoogleDrive, Of::SharedDrive, Of::Dropbox)] of: Of,
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
    play(of, Some(300), edits);
}

/// Pages of one entry, as Dropbox has sent them, lose nothing.
#[rstest]
fn pages_of_one_entry(#[values(Of::OneDrive, Of::GoogleDrive, Of::SharedDrive, Of::Dropbox)] of: Of) {
    let mut edits = super::world();
    edits.extend((1..=5).map(|minute| modified(3, minute, "Handbook/z.txt", &format!("z{minute}"))));
    edits.push(renamed(3, 6, "Elsewhere/dir", "Handbook/dir"));
    edits.push(deleted(5, 1, "Handbook/a"));
    play(of, Some(1), edits);
}
