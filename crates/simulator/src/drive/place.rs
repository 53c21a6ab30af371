//! Page tokens of listings: where to go on, and in which listing. Opaque to clients.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::problem::Problem;
use crate::ids::derive;

/// What every token of a listing starts with.
const HEAD: &str = "~!!~";

/// A place in one listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Which listing: parameters must not change from page to page.
    listing: u64,
    /// Number of the last entry given.
    pub(super) after: u64,
    /// Empty pages given at this place, so that no token repeats.
    empty: u64,
}

impl Place {
    /// Before the first entry.
    pub(super) fn start(kind: &str, of: &str) -> Self {
        let listing = derive(kind, of)
            .into_iter()
            .take(8)
            .fold(0_u64, |sum, byte| (sum << 8) | u64::from(byte));
        Self {
            listing,
            after: 0,
            empty: 0,
        }
    }

    /// The place a token names in the same listing; the start without a token.
    pub(super) fn go_on(self, token: Option<&str>) -> Result<Self, Problem> {
        let Some(token) = token else {
            return Ok(self);
        };
        token
            .strip_prefix(HEAD)
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
            .and_then(|bytes| {
                let mut numbers = bytes
                    .chunks_exact(8)
                    .filter_map(|chunk| chunk.try_into().ok().map(u64::from_be_bytes));
                let place = Self {
                    listing: numbers.next()?,
                    after: numbers.next()?,
                    empty: numbers.next()?,
                };
                (bytes.len() == 24 && place.listing == self.listing).then_some(place)
            })
            .ok_or_else(|| Problem::invalid("pageToken"))
    }

    /// The place after this entry.
    pub(super) fn after(self, after: u64) -> Self {
        Self {
            after,
            empty: 0,
            ..self
        }
    }

    /// The same place once more.
    pub(super) fn again(self) -> Self {
        Self {
            empty: self.empty.wrapping_add(1),
            ..self
        }
    }

    pub(super) fn token(self) -> String {
        let bytes: Vec<u8> = [self.listing, self.after, self.empty]
            .into_iter()
            .flat_map(u64::to_be_bytes)
            .collect();
        format!("{HEAD}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}
