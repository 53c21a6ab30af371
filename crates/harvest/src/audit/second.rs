//! The second log of an account: asked about events that the first one left open, and only when its record would be there.

use revtrail_connector::ActivityPoint;
use revtrail_model::{
    leaf::Annotation,
    time::{Timestamp, plus_seconds},
};

use super::{Account, Counts, MARGIN, Pen, Rank, before, state::AuditState, united};
use crate::{error::HarvestError, folder::chain, spool::Spool};

/// What the second log told.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) annotations: Vec<Annotation>,
    pub(super) counts: Counts,
    /// It could not be read.
    pub(super) failed: bool,
}

impl Account<'_> {
    /// Asks the second log, where there is one, about events that are overdue at `done`. Nothing of the reading is kept: what it does not
    /// tell now is given up.
    pub(super) async fn ask_second(
        &self,
        state: &mut AuditState,
        done: Timestamp,
        spool: &mut Spool,
    ) -> Result<Asked, HarvestError> {
        let overdue = state.events.iter().filter(|event| event.is_overdue(done));
        let earliest = overdue
            .map(|event| event.not_before.unwrap_or(event.not_after))
            .min();
        let (Some(log), Some(earliest)) = (self.connector.second_audit(), earliest) else {
            return Ok(Asked::default());
        };
        let reach = log.reach.map(|reach| before(self.now(), reach));
        let wanted = plus_seconds(earliest, -MARGIN);
        let from = reach.map_or(wanted, |reach| reach.max(wanted));
        let point = ActivityPoint::From(from);
        let reading = match self.pages((Rank::Second, point), state).await {
            Ok(reading) => reading,
            Err(error) => {
                tracing::warn!(provider = %error.provider, error = chain(&error), "the second log was not read");
                return Ok(Asked {
                    failed: true,
                    ..Asked::default()
                });
            }
        };
        let records = united(Vec::new(), reading.records);
        let mut pen = Pen::new(self, log, spool);
        pen.explain(&mut state.events, &records, |event| event.is_overdue(done))?;
        Ok(Asked {
            annotations: pen.annotations,
            counts: pen.counts,
            failed: false,
        })
    }
}
