//! Questions about revisions that are under way.

use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt as _, future::BoxFuture, stream::FuturesOrdered};
use revtrail_connector::{
    Capabilities, Connector, ConnectorError, FolderRoot,
    change::{RevisionAnswer, RevisionAsk},
};

/// Answers to one batch, one per question.
type Answers = Result<Vec<RevisionAnswer>, ConnectorError>;

/// As many batches of questions as the provider takes at a time.
///
/// While the answers to one are worked in, or a snapshot is committed, the others are on their way, so that the provider's quota is what
/// a harvest waits for. Answers are taken in the order of the questions, so that the record does not depend on which came first. They
/// are worked on here and not in tasks of their own: what is kept of them until the snapshot would be spread over the heaps of several
/// threads, which takes a fifth more memory.
pub(super) struct Questions<K> {
    connector: Arc<dyn Connector>,
    capabilities: Capabilities,
    // Never locked: it makes what holds it one that threads may share, which the futures by themselves are not.
    under_way: Mutex<UnderWay<K>>,
}

type UnderWay<K> = FuturesOrdered<BoxFuture<'static, (Vec<K>, Answers)>>;

impl<K: Send + 'static> Questions<K> {
    pub(super) fn new(connector: &Arc<dyn Connector>) -> Self {
        Self {
            capabilities: connector.capabilities(),
            connector: Arc::clone(connector),
            under_way: Mutex::new(FuturesOrdered::new()),
        }
    }

    /// How many questions the next batch may have; `None` while as many batches are under way as may be.
    pub(super) fn room(&mut self) -> Option<usize> {
        let free = self.under_way().len() < self.capabilities.batches_in_flight.max(1);
        free.then(|| self.capabilities.revision_batch.max(1))
    }

    /// Adds a batch: what it is about, and a question for each.
    pub(super) fn ask(&mut self, root: &FolderRoot, about: Vec<K>, asks: Vec<RevisionAsk>) {
        let (connector, root) = (Arc::clone(&self.connector), root.clone());
        self.under_way().push_back(Box::pin(async move {
            let answers = connector.revisions(&root, &asks).await;
            (about, answers)
        }));
    }

    /// The oldest batch and its answers; `None` when nothing is under way.
    pub(super) async fn answered(&mut self) -> Option<(Vec<K>, Answers)> {
        self.under_way().next().await
    }

    fn under_way(&mut self) -> &mut UnderWay<K> {
        self.under_way.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}
