//! Generated histories, for scale.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::WorldSource;
use crate::content::next;
use crate::world::{Action, Actor, Edit};

/// Folder that holds everything a generated history makes.
const TOP: &str = "Generated";
const EXTENSIONS: [&str; 5] = ["docx", "xlsx", "pptx", "md", "txt"];
/// Bytes a file grows by at most from one revision to the next.
const GROWTH: u64 = 64;

/// Shape of a generated history: every file is created and then saved in rounds, evenly spread over `span`. All of it lies
/// below the folder `Generated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generated {
    /// How many files.
    pub files: u32,
    /// Revisions of each, its creation included; 0 makes an empty history.
    pub revisions_per_file: u32,
    /// Folders the files are spread over; 0 is read as 1.
    pub folders: u32,
    /// People who save; 0 is read as 1.
    pub people: u32,
    /// Moment of the first edit.
    pub start: Timestamp,
    /// From the first edit to the end of the last round; edits are at whole seconds from `start`.
    pub span: SignedDuration,
}

impl WorldSource {
    /// A history of `files * revisions_per_file` saves; the same seed and shape give the same edits. Paths, people and
    /// content keys are held once per file or person, so an edit costs little more than its own fields.
    pub fn generate(seed: u64, shape: &Generated) -> Self {
        let mut state = seed;
        let people = people(shape.people.max(1));
        let files = files(shape, &mut state);
        let total = u64::from(shape.files) * u64::from(shape.revisions_per_file);
        let seconds = u64::try_from(shape.span.as_secs()).unwrap_or_default();
        let mut edits = Vec::with_capacity(usize::try_from(total).unwrap_or_default());
        for round in 0..shape.revisions_per_file {
            let order = Order::new(&mut state, files.len());
            for step in 0..files.len() {
                let Some(file) = files.get(order.at(step)) else {
                    continue;
                };
                let done = edits.len() as u64;
                let after = u128::from(seconds) * u128::from(done) / u128::from(total.max(1));
                let random = next(&mut state);
                let Some(actor) = people.get((random % people.len() as u64) as usize) else {
                    continue;
                };
                edits.push(file.edit(round, moment(shape.start, after), actor));
            }
        }
        Self::from_edits(edits)
    }
}

struct File {
    path: Arc<str>,
    content_key: Arc<str>,
    size: u64,
    growth: u64,
}

impl File {
    /// Equal keys with different sizes are different contents, so one key per file does for all its revisions.
    fn edit(&self, round: u32, at: Timestamp, actor: &Arc<Actor>) -> Edit {
        let action = if round == 0 {
            Action::Created
        } else {
            Action::Modified
        };
        Edit {
            at,
            actor: Arc::clone(actor),
            action,
            path: Arc::clone(&self.path),
            from: None,
            size: Some(self.size + u64::from(round) * self.growth),
            content_key: Some(Arc::clone(&self.content_key)),
            application: None,
            line: 0,
        }
    }
}

fn files(shape: &Generated, state: &mut u64) -> Vec<File> {
    let folders = shape.folders.max(1);
    let file = |number: u32| {
        let random = next(state);
        let extension = EXTENSIONS
            .get((random % EXTENSIONS.len() as u64) as usize)
            .unwrap_or(&"txt");
        let folder = number % folders;
        File {
            path: format!("{TOP}/Area {folder:04}/Document {number:06}.{extension}").into(),
            content_key: format!("generated-{number}").into(),
            size: 200 + (random >> 8) % 1800,
            growth: 1 + (random >> 32) % GROWTH,
        }
    };
    (0..shape.files).map(file).collect()
}

fn people(count: u32) -> Vec<Arc<Actor>> {
    let person = |number: u32| {
        Arc::new(Actor {
            email: format!("person-{number:03}@generated.example"),
            name: format!("Person {number:03}"),
        })
    };
    (1..=count).map(person).collect()
}

fn moment(start: Timestamp, after_seconds: u128) -> Timestamp {
    let after = SignedDuration::from_secs(i64::try_from(after_seconds).unwrap_or(i64::MAX));
    start.checked_add(after).unwrap_or(Timestamp::MAX)
}

/// A shuffled order without a list: `step -> (first + step * stride) mod count`, with a stride coprime to the count.
struct Order {
    first: usize,
    stride: usize,
    count: usize,
}

impl Order {
    fn new(state: &mut u64, count: usize) -> Self {
        let count = count.max(1);
        let first = (next(state) % count as u64) as usize;
        let mut stride = (next(state) % count as u64) as usize;
        while common_divisor(stride, count) != 1 {
            stride = (stride + 1) % count;
        }
        Self { first, stride, count }
    }

    fn at(&self, step: usize) -> usize {
        let place = self.first as u128 + step as u128 * self.stride as u128;
        (place % self.count as u128) as usize
    }
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn shape(files: u32, revisions_per_file: u32) -> Generated {
        Generated {
            files,
            revisions_per_file,
            folders: files / 50,
            people: 40,
            start: "2024-01-01T00:00:00Z".parse().unwrap(),
            span: SignedDuration::from_hours(24 * 365),
        }
    }

    #[test]
    fn a_hundred_thousand_files_of_five_saves_play_to_the_end() {
        let source = WorldSource::generate(7, &shape(100_000, 5));
        assert_eq!(source.edits().len(), 500_000);
        let mut world = source.world();
        let applied = world.advance("2025-01-01T00:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(applied, 500_000);
        // The top folder, 2000 folders below it, and the root.
        assert_eq!(world.items().len(), 100_000 + 2000 + 2);
        assert_eq!(world.seq(), 500_000 + 2001);
        let saves: usize = world.items().iter().map(|item| item.saves.len()).sum();
        assert_eq!(saves, 500_000);
        let last = world.items().last().unwrap();
        assert_eq!(last.saves.len(), 5);
    }

    #[test]
    fn each_round_saves_every_file_once_with_new_content() {
        let source = WorldSource::generate(1, &shape(97, 3));
        let edits = source.edits();
        assert_eq!(edits.len(), 291);
        for round in edits.chunks(97) {
            let paths: BTreeSet<&str> = round.iter().map(|edit| &*edit.path).collect();
            assert_eq!(paths.len(), 97);
        }
        let contents: BTreeSet<_> = edits.iter().map(|edit| (&edit.content_key, edit.size)).collect();
        assert_eq!(contents.len(), 291);
        assert!(edits.is_sorted_by_key(|edit| edit.at));
        assert_eq!(edits[0].at.to_string(), "2024-01-01T00:00:00Z");
    }

    #[test]
    fn the_seed_decides_everything() {
        let edits = |seed| WorldSource::generate(seed, &shape(50, 2)).edits().to_vec();
        assert_eq!(edits(3), edits(3));
        assert_ne!(edits(3), edits(4));
    }

    #[test]
    fn empty_and_tiny_shapes_are_possible() {
        assert_eq!(WorldSource::generate(1, &shape(0, 5)).edits().len(), 0);
        assert_eq!(WorldSource::generate(1, &shape(5, 0)).edits().len(), 0);
        assert_eq!(WorldSource::generate(1, &shape(1, 2)).edits().len(), 2);
    }
}
