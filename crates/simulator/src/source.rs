//! Where a world's edits come from.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::error::SimulatorError;
use crate::world::{Actor, Edit, World};

mod generate;
mod git;
mod incident;

pub use generate::Generated;
pub use incident::{Incident, incident};

/// First bytes of a zstd frame (RFC 8878 §3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// All edits of a world, past and to come; cheap to clone, so that the truth can replay it.
#[derive(Debug, Clone, Default)]
pub struct WorldSource {
    edits: Arc<Vec<Edit>>,
}

impl WorldSource {
    /// Edits made in memory, oldest first; edits without a line number get their place in the list.
    pub fn from_edits(mut edits: Vec<Edit>) -> Self {
        for (place, edit) in edits.iter_mut().enumerate() {
            if edit.line == 0 {
                edit.line = place + 1;
            }
        }
        Self {
            edits: Arc::new(edits),
        }
    }

    /// A journal file: one JSON object per line, oldest first, plain or zstd. Its paths are put below the folder `root`
    /// (`""` for the world's root).
    pub fn from_journal(path: &Path, root: &str) -> Result<Self, SimulatorError> {
        let bytes = fs::read(path).map_err(|source| SimulatorError::Read {
            path: path.to_owned(),
            source,
        })?;
        let read = |source| SimulatorError::Read {
            path: path.to_owned(),
            source,
        };
        let plain: Box<dyn Read + '_> = if bytes.starts_with(&ZSTD_MAGIC) {
            Box::new(zstd::stream::read::Decoder::new(bytes.as_slice()).map_err(read)?)
        } else {
            Box::new(bytes.as_slice())
        };
        let mut actors = HashMap::new();
        let mut edits = Vec::new();
        for (place, line) in BufReader::new(plain).lines().enumerate() {
            let line = line.map_err(read)?;
            if line.trim().is_empty() {
                continue;
            }
            let mut edit: Edit = serde_json::from_str(&line).map_err(|source| SimulatorError::Line {
                path: path.to_owned(),
                line: place + 1,
                source,
            })?;
            edit.line = place + 1;
            share_actor(&mut actors, &mut edit);
            edits.push(edit);
        }
        Ok(Self::from_edits(edits).below(root))
    }

    /// A history that comes with the simulator, its last edit not after `ends_at`. There is one: `incident`.
    pub fn scenario(name: &str, ends_at: Timestamp) -> Result<Self, SimulatorError> {
        match name {
            "incident" => Ok(incident(ends_at).source),
            _ => Err(SimulatorError::NoScenario {
                name: name.to_owned(),
            }),
        }
    }

    /// The same edits with every path put below the folder `root`.
    #[must_use]
    pub fn below(self, root: &str) -> Self {
        let root = root.trim_matches('/');
        if root.is_empty() {
            return self;
        }
        // A path is edited many times: hold it once.
        let mut known: HashMap<Arc<str>, Arc<str>> = HashMap::new();
        let mut put = |path: &Arc<str>| {
            let made = known
                .entry(Arc::clone(path))
                .or_insert_with(|| format!("{root}/{path}").into());
            Arc::clone(made)
        };
        let mut edits = Arc::unwrap_or_clone(self.edits);
        for edit in &mut edits {
            edit.path = put(&edit.path);
            edit.from = edit.from.as_ref().map(&mut put);
        }
        Self {
            edits: Arc::new(edits),
        }
    }

    /// Several histories in one world, by time; those of one moment in the order given.
    pub fn merged(sources: Vec<Self>) -> Self {
        let mut edits: Vec<Edit> = sources
            .into_iter()
            .flat_map(|source| Arc::unwrap_or_clone(source.edits))
            .collect();
        edits.sort_by_key(|edit| edit.at);
        Self {
            edits: Arc::new(edits),
        }
    }

    /// All edits, oldest first.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// A fresh world, before the first edit.
    pub fn world(&self) -> World {
        World::new(self.clone())
    }

    pub(crate) fn shared(&self) -> Arc<Vec<Edit>> {
        Arc::clone(&self.edits)
    }
}

/// A history of a million edits names a few hundred people: keep each once.
fn share_actor(actors: &mut HashMap<Actor, Arc<Actor>>, edit: &mut Edit) {
    match actors.get(&*edit.actor) {
        Some(known) => edit.actor = Arc::clone(known),
        None => {
            actors.insert((*edit.actor).clone(), Arc::clone(&edit.actor));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The handbook history outside the repository, if the machine has it.
    #[expect(clippy::print_stderr, reason = "says why nothing was tested")]
    fn handbook() -> Option<WorldSource> {
        let Some(base) = std::env::var_os("REVTRAIL_TEST_DATA") else {
            eprintln!("skipped: REVTRAIL_TEST_DATA is not set");
            return None;
        };
        let path = Path::new(&base).join("histories/handbook.jsonl.zst");
        Some(WorldSource::from_journal(&path, "Handbook").unwrap())
    }

    #[test]
    fn the_handbook_history_plays_to_its_end() {
        let Some(source) = handbook() else { return };
        let mut world = source.world();
        world.advance("2025-03-01T00:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(world.edits_applied(), 7865);
        let folder = world.find("Handbook").unwrap().no;
        let files = world
            .descendants(folder)
            .into_iter()
            .filter(|no| !world.item(*no).unwrap().is_folder())
            .count();
        assert_eq!(files, 393);
    }

    #[test]
    fn histories_merge_by_time_below_their_roots() {
        let at = |second| jiff::Timestamp::from_second(second).unwrap();
        let one = WorldSource::from_edits(vec![Edit::created(at(1), "f", 1), Edit::renamed(at(3), "f", "g")]);
        let two = WorldSource::from_edits(vec![Edit::created(at(2), "f", 2)]);
        let both = WorldSource::merged(vec![one.below("/One/"), two.below("Two")]);
        let mut world = both.world();
        world.advance(at(9)).unwrap();
        let size = |path: &str| world.find(path).map(|item| item.saves.last().unwrap().size);
        assert_eq!((size("One/g"), size("Two/f")), (Some(1), Some(2)));
        assert_eq!(size("One/f"), None);
        assert_eq!(both.edits()[2].from.as_deref(), Some("One/f"));
    }

    #[test]
    fn an_unknown_scenario_is_named() {
        let refused = WorldSource::scenario("picnic", jiff::Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(refused.to_string(), "no scenario \"picnic\"");
    }
}
