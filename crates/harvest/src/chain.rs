//! Which state objects a run reads: a base, and the deltas that lead from it to the newest state.
//!
//! Deltas are merged as a binary counter carries: the one of snapshot `s` holds the items changed since snapshot `s` without its lowest
//! one bit, or since the base if that is later. So a state is read with at most one delta for each one bit of its number, a logarithm
//! of the log, and an item's change is written again at most as often. Without this a year of short runs, each of which changes little
//! or nothing, would make every run read a year of deltas.

use std::sync::Arc;

use revtrail_model::Digest;

use crate::state::Changed;

/// A state object that must be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its snapshot.
    pub seq: u64,
    /// Its digest.
    pub digest: Digest,
    /// Items it holds; none are named for a base, which holds all.
    pub changed: Changed,
}

/// State objects from a base to the newest. Clones share the links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    base: Arc<Link>,
    deltas: Vec<Arc<Link>>,
}

impl Chain {
    /// A base and nothing after it.
    pub fn new(seq: u64, digest: Digest) -> Self {
        let changed = Changed::new();
        let base = Arc::new(Link { seq, digest, changed });
        let deltas = Vec::new();
        Self { base, deltas }
    }

    /// Puts a delta after the newest state.
    pub fn push(&mut self, link: Link) {
        self.deltas.push(Arc::new(link));
    }

    /// The newest state.
    pub fn newest(&self) -> &Link {
        self.deltas.last().unwrap_or(&self.base)
    }

    /// Number of state objects.
    pub fn objects(&self) -> usize {
        self.deltas.len() + 1
    }

    /// Takes off the deltas that the one of snapshot `seq` replaces, and adds what they hold to what the snapshot changed. Its delta
    /// comes after what is the newest state then.
    pub fn merge(&mut self, seq: u64, mut changed: Changed) -> Changed {
        let since = seq & seq.wrapping_sub(1);
        while self.deltas.last().is_some_and(|delta| delta.seq > since) {
            let Some(delta) = self.deltas.pop() else { break };
            for (folder, ids) in &delta.changed {
                changed
                    .entry(folder.clone())
                    .or_default()
                    .extend(ids.iter().cloned());
            }
        }
        for ids in changed.values_mut() {
            ids.sort_unstable();
            ids.dedup();
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use revtrail_model::{id::FolderName, sha256};

    use super::*;

    fn folder() -> FolderName {
        "close".into()
    }

    fn of(seqs: impl IntoIterator<Item = u64>) -> Changed {
        let ids = seqs.into_iter().map(|seq| format!("{seq:06}").into()).collect();
        [(folder(), ids)].into()
    }

    fn add(chain: &mut Chain, seq: u64) {
        let changed = chain.merge(seq, of([seq]));
        let digest = sha256(&seq.to_be_bytes());
        chain.push(Link { seq, digest, changed });
    }

    /// Everything the deltas hold.
    fn held(chain: &Chain) -> Changed {
        let mut all: Vec<_> = chain
            .deltas
            .iter()
            .flat_map(|delta| delta.changed[&folder()].clone())
            .collect();
        all.sort();
        [(folder(), all)].into()
    }

    proptest! {
        #[test]
        fn every_change_is_held_once_by_a_logarithm_of_objects(base in 0_u64..5_000, more in 1_u64..600) {
            let mut chain = Chain::new(base, sha256(b"base"));
            for seq in base + 1..=base + more {
                add(&mut chain, seq);
                prop_assert_eq!(chain.newest().seq, seq);
                prop_assert!(chain.objects() as u32 <= 1 + (seq - base).ilog2() * 2 + 1);
            }
            prop_assert_eq!(held(&chain), of(base + 1..=base + more));
        }

        #[test]
        fn deltas_that_were_never_merged_are_merged_in_time(base in 0_u64..100, old in 1_u64..100, more in 1_u64..200) {
            let mut chain = Chain::new(base, sha256(b"base"));
            for seq in base + 1..=base + old {
                chain.push(Link { seq, digest: sha256(b"old"), changed: of([seq]) });
            }
            for seq in base + old + 1..=base + old + more {
                add(&mut chain, seq);
            }
            prop_assert_eq!(held(&chain), of(base + 1..=base + old + more));
        }
    }

    #[test]
    fn deltas_carry_like_a_counter() {
        let mut chain = Chain::new(0, sha256(b"base"));
        let mut seqs = Vec::new();
        for seq in 1..=8 {
            add(&mut chain, seq);
            seqs.push(chain.deltas.iter().map(|delta| delta.seq).collect::<Vec<_>>());
        }
        let expected: [&[u64]; 8] = [&[1], &[2], &[2, 3], &[4], &[4, 5], &[4, 6], &[4, 6, 7], &[8]];
        assert_eq!(seqs, expected);
        // What a delta replaces is left out of what leads to it, and an item that changed again is written once.
        let changed = chain.merge(12, of([8, 9]));
        assert_eq!((changed, chain.newest().seq), (of([8, 9]), 8));
        let changed = chain.merge(16, of([3]));
        assert_eq!((changed, chain.newest().seq), (of(1..=8), 0));
    }
}
