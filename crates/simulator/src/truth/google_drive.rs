//! What a perfect reader of Google Drive could tell: it polls the change log of a My Drive, walks folders that are new to it,
//! and lists the revisions of every file whose content is new.
//!
//! The log has one entry per item, showing the item as it is; so names and places between two polls are lost, while saves
//! live on as revisions. A deletion is a move to the trash, and the descendants of a trashed folder are trashed through it.

use jiff::Timestamp;

use super::{Fact, instructions::with_instructions, replay};
use crate::error::SimulatorError;
use crate::sim::GoogleCorpus;
use crate::source::WorldSource;

mod reader;
mod tell;
mod tree;

#[cfg(test)]
mod tests;

use reader::Reader;

/// Facts a reader learns who polls `folder` of a My Drive at each of `polls` (ascending), in order of poll. A poll at which the folder is
/// missing tells nothing, and the next one goes on from the poll before it; the first that finds it is the baseline.
pub fn could_tell(
    source: &WorldSource,
    folder: &str,
    polls: &[Timestamp],
) -> Result<Vec<Fact>, SimulatorError> {
    tell(source, polls, Reader::new(folder, GoogleCorpus::MyDrive))
}

/// As [`could_tell`], of a folder of a shared drive: there Google names who put an item into the trash, and when.
pub fn could_tell_on_shared_drive(
    source: &WorldSource,
    folder: &str,
    polls: &[Timestamp],
) -> Result<Vec<Fact>, SimulatorError> {
    tell(source, polls, Reader::new(folder, GoogleCorpus::SharedDrive))
}

fn tell(source: &WorldSource, polls: &[Timestamp], mut reader: Reader) -> Result<Vec<Fact>, SimulatorError> {
    let mut facts = Vec::new();
    replay(source, polls, |world, poll| {
        facts.extend(reader.poll(world, poll));
    })?;
    Ok(with_instructions(facts))
}
