//! Entry bundles: entries one after another, each after its length as a big-endian 16-bit number.

use crate::{
    error::LedgerError,
    tile::{FULL_WIDTH, TileId},
};

/// Longest entry a bundle holds.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;

/// Adds one entry to the bytes of a bundle.
pub(super) fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), LedgerError> {
    let length = u16::try_from(entry.len()).map_err(|_| LedgerError::EntryLength(entry.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of the bundle `id`, which must be exactly as many as its name says. A full bundle may stand in for a
/// partial one. The entries are as good as their hashes: compare them with the level 0 tile.
pub fn read_bundle(id: TileId, bytes: &[u8]) -> Result<Vec<&[u8]>, LedgerError> {
    let fail = |reason| LedgerError::Tile { id, reason };
    let (mut entries, mut rest) = (Vec::new(), bytes);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after
            .split_at_checked(usize::from(u16::from_be_bytes(*length)))
            .ok_or_else(|| fail("ends inside an entry"))?;
        entries.push(entry);
        rest = after;
    }
    if !rest.is_empty() {
        return Err(fail("ends inside a length"));
    }
    if entries.len() != usize::from(id.width()) && entries.len() != usize::from(FULL_WIDTH) {
        return Err(fail("not as many entries as its name says"));
    }
    entries.truncate(usize::from(id.width()));
    Ok(entries)
}
