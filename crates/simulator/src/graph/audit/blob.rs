//! Blobs: which there are, and what is in them.

use jiff::Timestamp;
use serde_json::Value;

use super::START_DELAY;
use super::record::{self, Kind};
use crate::audit::{AuditAccess, Lag, Record, draw, hold_back, visible};
use crate::sim::{Call, Provider, Sim};
use crate::world::World;

/// Seconds of availability in one blob.
const SPAN: i64 = 600;
/// Operations in one blob at most.
const MOST: usize = 50;
/// How many operations a blob repeats of the one before it.
const OVERLAP: usize = 2;
/// What every id ends with.
const TAIL: &str = "audit_sharepoint$Audit_SharePoint";

/// What became available in ten minutes, or a part of it.
#[derive(Debug, Clone)]
pub(super) struct Blob<'a> {
    pub(super) id: String,
    /// End of the ten minutes.
    pub(super) created: Timestamp,
    pub(super) records: Vec<Record<'a>>,
}

/// Blobs there are by now, expired ones included, oldest first.
pub(super) fn available<'a>(sim: &Sim, world: &'a World) -> Vec<Blob<'a>> {
    let mut blobs: Vec<Blob<'a>> = Vec::new();
    for record in records_of(sim, world) {
        let created = record.visible_at;
        if let Some(last) = blobs.last_mut()
            && last.created == created
            && last.records.len() < MOST
        {
            last.records.push(record);
            continue;
        }
        let part = blobs
            .iter()
            .rev()
            .take_while(|blob| blob.created == created)
            .count();
        blobs.push(Blob {
            id: id(created, part),
            created,
            records: vec![record],
        });
    }
    blobs
}

/// Operations as of now, each with the moment its blob is made, in that order.
pub(super) fn records_of<'a>(sim: &Sim, world: &'a World) -> Vec<Record<'a>> {
    let Some(started_at) = sim.subscription().started_at() else {
        return Vec::new();
    };
    if sim.options().audit.access == AuditAccess::NotInPlan {
        return Vec::new();
    }
    let delay = match sim.options().audit.lag {
        Lag::Documented => started_at + START_DELAY,
        Lag::Between(..) => started_at,
    };
    let logs = |op: &_| Kind::of(world, op).is_some();
    let mut records = visible(sim, world, (Provider::OneDrive, None), (logs, |_, _| false));
    records.retain(|record| record.visible_at >= started_at);
    for record in &mut records {
        record.visible_at = end_of_span(record.visible_at.max(delay));
    }
    records.retain(|record| record.visible_at <= world.now());
    records.sort_by_key(Record::place);
    records
}

/// Records of the blob at `place`, in no order, after the last ones of the blob before.
pub(super) fn records(sim: &Sim, world: &World, call: &Call, blobs: &[Blob<'_>], place: usize) -> Vec<Value> {
    let before = place.checked_sub(1).and_then(|place| blobs.get(place));
    let repeated = before.map_or(&[][..], |blob| {
        let from = blob.records.len().saturating_sub(OVERLAP);
        blob.records.get(from..).unwrap_or_default()
    });
    let mut own = blobs
        .get(place)
        .map_or_else(Vec::new, |blob| blob.records.clone());
    hold_back(sim, world.now(), call, &mut own);
    let mut records: Vec<(u64, Value)> = repeated
        .iter()
        .chain(&own)
        .filter_map(Record::first)
        .flat_map(|op| record::records(sim, world, op))
        .enumerate()
        .map(|(number, record)| (draw(place as u64, number as u64, "shuffle"), record))
        .collect();
    records.sort_by_key(|(order, _)| *order);
    records.into_iter().map(|(_, record)| record).collect()
}

/// The moment of a blob, from its id.
pub(super) fn created_of(id: &str) -> Option<Timestamp> {
    let (number, rest) = id.split_once('$')?;
    let (again, tail) = rest.split_once('$')?;
    if again != number || tail != TAIL || number.len() != 23 {
        return None;
    }
    let part = |range: std::ops::Range<usize>| number.get(range);
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0..4)?,
        part(4..6)?,
        part(6..8)?,
        part(8..10)?,
        part(10..12)?,
        part(12..14)?
    );
    text.parse().ok()
}

fn id(created: Timestamp, part: usize) -> String {
    let number = format!("{}{part:09}", created.strftime("%Y%m%d%H%M%S"));
    format!("{number}${number}${TAIL}")
}

fn end_of_span(at: Timestamp) -> Timestamp {
    let second = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    let end = second.div_euclid(SPAN) * SPAN + if second.rem_euclid(SPAN) == 0 { 0 } else { SPAN };
    Timestamp::from_second(end).unwrap_or(at)
}
