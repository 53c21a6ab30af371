//! Tiles beside the record. They are views: one that is missing is made again, one that stands there must be what the leaves make.

use std::collections::BTreeSet;

use revtrail_ledger::{Tile, TileId, TileWriter, tile::Layer};
use revtrail_model::sha256;

use crate::{
    finding::{Finding, Report},
    load::Leaves,
    log::LogCheck,
    source::SourceError,
};

/// Compares the tiles of one log with its leaves, snapshot by snapshot.
#[derive(Default)]
pub(crate) struct TileCheck {
    /// Keys that stand below `tile/` and were not compared yet.
    listed: BTreeSet<String>,
    /// `None` when there is nothing to compare, or after a break in the record.
    writer: Option<TileWriter>,
    /// Leaf at which a break in the record ended the comparison.
    stopped_at: Option<u64>,
    findings: Vec<Finding>,
}

impl TileCheck {
    pub(crate) fn new(listed: BTreeSet<String>) -> Self {
        let writer = (!listed.is_empty()).then(TileWriter::new);
        Self {
            listed,
            writer,
            ..Self::default()
        }
    }

    /// Takes the leaves of a snapshot that made the signed root.
    pub(crate) fn follow(
        &mut self,
        log: &LogCheck<'_>,
        leaves: &Leaves,
        report: &mut Report,
    ) -> Result<(), SourceError> {
        let Some(mut writer) = self.writer.take() else {
            return Ok(());
        };
        let before = writer.size().leaves();
        let mut lines = leaves.lines().zip(&leaves.hashes);
        if lines.any(|(line, hash)| writer.append_hashed(line, *hash).is_err()) {
            self.stopped_at = Some(before);
            return Ok(());
        }
        for tile in writer.take() {
            self.called_for(log, &tile, report)?;
            self.not_called_for(log, &tile, report)?;
        }
        self.writer = Some(writer);
        Ok(())
    }

    /// The tile of a checkpoint must be what the leaves make.
    fn called_for(
        &mut self,
        log: &LogCheck<'_>,
        tile: &Tile,
        report: &mut Report,
    ) -> Result<(), SourceError> {
        let key = format!("{}{}", log.name.prefix(), tile.id);
        if !self.listed.remove(&key) {
            return Ok(());
        }
        // Listed, but gone by now: a view may be deleted at any time.
        let Some(bytes) = log.source.read(&key)? else {
            return Ok(());
        };
        report.tiles += 1;
        if bytes != tile.bytes {
            let what = "the tile contradicts the record, which itself stands: delete it and run `revtrail views rebuild`";
            let finding = Finding::contradiction(key, what);
            self.findings
                .push(finding.values(sha256(&tile.bytes), sha256(&bytes)));
        }
        Ok(())
    }

    /// Narrower tiles in the same place, of trees that no checkpoint so far has, and none later will. Tiles are written after the
    /// commit only, so one with other leaves is what another history of this log left behind: one that was cut off, or replaced.
    fn not_called_for(
        &mut self,
        log: &LogCheck<'_>,
        tile: &Tile,
        report: &mut Report,
    ) -> Result<(), SourceError> {
        let prefix = log.name.prefix();
        let place = format!("{prefix}{}.p/", tile.id.full());
        let listed = self.listed.range(place.clone()..);
        let narrower: Vec<(String, TileId)> = listed
            .take_while(|key| key.starts_with(&place))
            .filter_map(|key| Some((key.clone(), key.strip_prefix(&prefix)?.parse::<TileId>().ok()?)))
            .filter(|(_, own)| own.width() < tile.id.width())
            .collect();
        for (key, own) in narrower {
            self.listed.remove(&key);
            let Some(bytes) = log.source.read(&key)? else {
                continue;
            };
            report.tiles += 1;
            let finding = match first(tile, own.width()) {
                Some(expected) if expected != bytes => {
                    let what = "the tile holds other leaves than the record: it is left from another history of this log";
                    Finding::contradiction(key, what).values(sha256(expected), sha256(&bytes))
                }
                _ => Finding::note(key, "no checkpoint calls for this tile"),
            };
            self.findings.push(finding);
        }
        Ok(())
    }

    /// A break before the next snapshot: its leaves do not join those so far.
    pub(crate) fn stop(&mut self) {
        if let Some(writer) = self.writer.take() {
            self.stopped_at = Some(writer.size().leaves());
        }
    }

    /// What is left: names that no checkpoint calls for. `next` is the place of the snapshot after the last one.
    pub(crate) fn finish(
        mut self,
        log: &LogCheck<'_>,
        next: u64,
        size: u64,
    ) -> Result<Vec<Finding>, SourceError> {
        if let Some(leaf) = self.stopped_at {
            let what =
                format!("tiles from leaf {leaf} on were not compared, because the record is broken there");
            self.findings
                .push(Finding::note(format!("{}tile/", log.name.prefix()), what));
            return Ok(self.findings);
        }
        let mut beyond = None;
        for key in &self.listed {
            let id = key.strip_prefix(&log.name.prefix()).map(str::parse::<TileId>);
            match id {
                Some(Ok(id)) if id.smallest_tree().is_none_or(|tree| tree.leaves() > size) => {
                    beyond = Some(key);
                }
                Some(Ok(_)) => {
                    let what = "no checkpoint calls for this tile";
                    self.findings.push(Finding::note(key.clone(), what));
                }
                _ => self
                    .findings
                    .push(Finding::note(key.clone(), "not the name of a tile")),
            }
        }
        // Tiles are written after the commit only. A run that commits just now is no loss: then its checkpoint can be read.
        if let Some(key) = beyond
            && log.source.read(&log.name.checkpoint(next))?.is_none()
        {
            let what = "the tile holds leaves after the last checkpoint: the end of the log is missing";
            self.findings.push(Finding::incomplete(key.clone(), what));
        }
        Ok(self.findings)
    }
}

/// The bytes that a narrower tile in the same place has: its first hashes or entries.
fn first(tile: &Tile, width: u16) -> Option<&[u8]> {
    let mut end = 0;
    match tile.id.layer() {
        Layer::Hashes(_) => end = usize::from(width) * 32,
        Layer::Entries => {
            for _ in 0..width {
                let length = tile.bytes.get(end..end + 2)?;
                end += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
        }
    }
    tile.bytes.get(..end)
}
