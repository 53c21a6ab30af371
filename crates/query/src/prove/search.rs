//! Finding the snapshot of a leaf or of a tree size.

use super::{OpenLog, Signed};
use crate::error::QueryError;

impl OpenLog<'_> {
    async fn size(&self, seq: u64) -> Result<u64, QueryError> {
        Ok(self.signed(seq).await?.checkpoint.size.leaves())
    }

    pub(super) async fn size_before(&self, seq: u64) -> Result<u64, QueryError> {
        match seq.checked_sub(1) {
            Some(before) => self.size(before).await,
            None => Ok(0),
        }
    }

    /// The first snapshot whose tree size is at least this, or the last one; sizes grow from snapshot to snapshot.
    ///
    /// Snapshots of one log are often of like size, so the place is guessed from the sizes on both sides, and the guess is compared
    /// with a neighbour: three reads, the last checkpoint's included. Every other step halves what is left, whatever the sizes are.
    pub(super) async fn first_of_size(&self, wanted: u64) -> Result<u64, QueryError> {
        let (mut low, mut high) = (0, self.last);
        let (mut below, mut above) = (0, self.size(high).await?);
        let mut is_guess = true;
        while low < high {
            let probe = if is_guess {
                guess((low, high), (below, above), wanted)
            } else {
                low + (high - low) / 2
            };
            let size = self.size(probe).await?;
            if size >= wanted {
                (high, above) = (probe, size);
            } else {
                (low, below) = (probe + 1, size);
            }
            if is_guess && low < high {
                let neighbour = if size >= wanted { probe - 1 } else { probe + 1 };
                let size = self.size(neighbour).await?;
                if size >= wanted {
                    (high, above) = (neighbour, size);
                } else {
                    (low, below) = (neighbour + 1, size);
                }
            }
            is_guess = !is_guess;
        }
        Ok(low)
    }

    pub(super) async fn of_size(&self, size: u64) -> Result<(u64, Signed), QueryError> {
        let seq = self.first_of_size(size).await?;
        let signed = self.signed(seq).await?;
        let (above, below) = (signed.checkpoint.size.leaves(), self.size_before(seq).await?);
        if above == size {
            return Ok((seq, signed));
        }
        Err(QueryError::NoCheckpoint {
            log: self.name.to_string(),
            size,
            near: if below == 0 || above < size {
                above.to_string()
            } else {
                format!("{below} and {above}")
            },
        })
    }
}

/// Where the snapshot of this size is, if sizes grow evenly from `below`, before `low`, to `above`, of `high`.
fn guess((low, high): (u64, u64), (below, above): (u64, u64), wanted: u64) -> u64 {
    let grown = u128::from(above.saturating_sub(below)).max(1);
    let part = u128::from(wanted.saturating_sub(below)) * (u128::from(high - low) + 1);
    // The first snapshot of `wanted` leaves or more: rounded up, and counted from `low`.
    let steps = part.div_ceil(grown).saturating_sub(1);
    low + u64::try_from(steps).unwrap_or(u64::MAX).min(high - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_growth_is_guessed_at_once() {
        // Sizes 10, 20, … 1000 of the snapshots 0 to 99.
        for wanted in [1, 10, 11, 500, 501, 999, 1000] {
            assert_eq!(guess((0, 99), (0, 1000), wanted), (wanted - 1) / 10, "{wanted}");
        }
        // Within what is left, whatever the sizes claim.
        assert_eq!(guess((5, 9), (50, 50), 60), 9);
        assert_eq!(guess((5, 9), (70, 60), 65), 5);
        assert_eq!(guess((0, u64::MAX), (0, u64::MAX), u64::MAX), u64::MAX);
    }
}
