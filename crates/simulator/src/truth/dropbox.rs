//! What a perfect reader of Dropbox could tell: it polls the feed of a shared folder, asks for revisions of the files and
//! places the feed names, and knows authors from `modified_by`.
//!
//! The reader sees the latest state of each touched place, and one tombstone for a folder that went away whole. It lists the
//! revisions of a file by id (the newest 100), and those of a place by path (all). So what happened between two polls is known
//! by its revisions, where a place or an id leads to them.

use jiff::Timestamp;

use super::{Fact, instructions::with_instructions, replay};
use crate::error::SimulatorError;
use crate::source::WorldSource;

mod past;
mod reader;
mod tell;

#[cfg(test)]
mod tests;

use reader::Reader;

/// Facts a reader learns who polls `folder` at each of `polls` (ascending), in order of poll. A poll at which the folder is
/// missing tells nothing, and the next one goes on from the poll before it.
pub fn could_tell(
    source: &WorldSource,
    folder: &str,
    polls: &[Timestamp],
) -> Result<Vec<Fact>, SimulatorError> {
    let mut reader = Reader::new(folder);
    let mut facts = Vec::new();
    replay(source, polls, |world, poll| {
        facts.extend(reader.poll(world, poll));
    })?;
    Ok(with_instructions(facts))
}
