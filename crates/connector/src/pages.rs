//! A guard for listings that would never end.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use revtrail_model::id::Provider;

use crate::error::{ConnectorError, ErrorKind};

/// Far above any real listing (at 1,000 entries a page: a thousand million), so that only a runaway one meets it.
const MAX_PAGES: usize = 1_000_000;

/// Watches the page tokens of one listing. A token seen before means that the listing goes in circles.
#[derive(Debug)]
pub struct PageGuard {
    provider: Provider,
    operation: &'static str,
    // Tokens may be kilobytes long. 128 bits of two independently keyed hashes stand in for them.
    seen: HashSet<(u64, u64)>,
    keys: (RandomState, RandomState),
    limit: usize,
}

impl PageGuard {
    /// A guard for one listing, from its first page on.
    pub fn new(provider: Provider, operation: &'static str) -> Self {
        Self {
            provider,
            operation,
            seen: HashSet::new(),
            keys: (RandomState::new(), RandomState::new()),
            limit: MAX_PAGES,
        }
    }

    /// Notes the token of the next page. [`ErrorKind::Malformed`] when this listing already had it, or has had more pages than any
    /// listing can have.
    pub fn check(&mut self, token: &str) -> Result<(), ConnectorError> {
        if self.seen.len() >= self.limit {
            return Err(self.error("listing has too many pages"));
        }
        if self
            .seen
            .insert((self.keys.0.hash_one(token), self.keys.1.hash_one(token)))
        {
            Ok(())
        } else {
            Err(self.error("page token repeated"))
        }
    }

    fn error(&self, what: &str) -> ConnectorError {
        ConnectorError::new(ErrorKind::Malformed, self.provider, self.operation).with_code(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> PageGuard {
        PageGuard::new(Provider::OneDrive, "drive.changes")
    }

    #[test]
    fn a_repeated_token_is_an_error_even_pages_later() {
        let mut guard = guard();
        for token in ["a", "b", "c"] {
            guard.check(token).unwrap();
        }
        let error = guard.check("a").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Malformed);
        assert_eq!(
            error.to_string(),
            "onedrive drive.changes: malformed answer (page token repeated)"
        );
    }

    #[test]
    fn another_listing_starts_afresh() {
        guard().check("a").unwrap();
        guard().check("a").unwrap();
    }

    #[test]
    fn a_listing_ends_at_some_time() {
        let mut guard = guard();
        guard.limit = 2;
        guard.check("a").unwrap();
        guard.check("b").unwrap();
        let error = guard.check("c").unwrap_err();
        assert_eq!(error.code.as_deref(), Some("listing has too many pages"));
    }
}
