//! What the providers' audit logs have in common: which operations they know of at a moment, and by whose hand.
//!
//! A record becomes visible some virtual time after the act, each record after another time, so logs are not in the order of what
//! happened. How long it takes is drawn from the seed and the number of the operation: asking again changes nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::content::next;
use crate::fault::{Fault, FaultKind};
use crate::sim::{Call, Provider, Sim};
use crate::world::{Actor, Op, Standing, World};

/// Application of a save in a co-authoring session of Microsoft's editors, which Dropbox does not log.
pub const CO_AUTHORING: &str = "Microsoft co-authoring";

/// How audit logs behave; the default is what is documented, on a plan that has them.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// Whether the account may read them.
    pub access: AuditAccess,
    /// How long records take to become visible.
    pub lag: Lag,
    /// Whether records name the application a person used.
    pub applications: Applications,
    /// Since when the tenant's subscription runs (OneDrive); absent: until somebody starts one.
    pub subscribed_at: Option<Timestamp>,
}

/// Whether the account may read an audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuditAccess {
    /// It may.
    #[default]
    Granted,
    /// The scope or consent is missing.
    NotGranted,
    /// The plan has no such log.
    NotInPlan,
}

/// How long records take to become visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lag {
    /// As each provider documents it: Dropbox mostly within hours and at most a day, Microsoft 60 to 90 minutes, Google mostly
    /// minutes and some records half a day.
    #[default]
    Documented,
    /// From the first to the second.
    Between(SignedDuration, SignedDuration),
}

impl Lag {
    /// Visible at once.
    pub const NONE: Self = Self::Between(SignedDuration::ZERO, SignedDuration::ZERO);
}

/// Whether records name the application a person used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Applications {
    /// They do, where the world knows it.
    #[default]
    Named,
    /// They do not; where a provider tells that a program acted, it still does.
    Hidden,
}

/// Records held back by [`Fault::AuditLate`]: by the number of their first operation and the request that would have given them, and
/// until when.
#[derive(Debug, Default)]
pub(crate) struct Held {
    inner: Mutex<BTreeMap<(Provider, u64, &'static str), Timestamp>>,
}

/// A log: of a provider, and as one of its requests gives it, where there are several.
pub(crate) type Log = (Provider, Option<&'static str>);

impl Held {
    fn until(&self, (provider, operation): Log, seq: u64) -> Option<Timestamp> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let held = inner.range((provider, seq, "")..(provider, seq + 1, ""));
        held.filter(|((.., by), _)| operation.is_none_or(|operation| operation == *by))
            .map(|(_, until)| *until)
            .max()
    }

    fn hold(&self, call: &Call, seq: u64, until: Timestamp) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.insert((call.provider, seq, call.operation), until);
    }
}

/// The tenant's subscription to its audit log (OneDrive), and which tokens are for the audit log.
#[derive(Debug)]
pub(crate) struct Subscription {
    started_at: Mutex<Option<Timestamp>>,
    tokens: Mutex<BTreeMap<String, Audience>>,
}

/// What a token of the OneDrive login is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The drive.
    Drive,
    /// The audit log.
    Audit,
    /// Both: the scope names the simulator itself, which is both hosts.
    Both,
}

impl Subscription {
    pub(crate) fn new(started_at: Option<Timestamp>) -> Self {
        Self {
            started_at: Mutex::new(started_at),
            tokens: Mutex::default(),
        }
    }

    pub(crate) fn started_at(&self) -> Option<Timestamp> {
        *self.started_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it; false when it runs already.
    pub(crate) fn start(&self, now: Timestamp) -> bool {
        let mut started = self.started_at.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = started.is_none();
        *started = started.or(Some(now));
        fresh
    }

    pub(crate) fn note_token(&self, token: &str, audience: Audience) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(token.to_owned(), audience);
    }

    pub(crate) fn audience(&self, token: &str) -> Audience {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(token).copied().unwrap_or(Audience::Drive)
    }
}

/// What one record of a log is about: one operation, or several of one moment.
#[derive(Debug, Clone)]
pub(crate) struct Record<'a> {
    /// At least one, oldest first.
    pub(crate) ops: Vec<&'a Op>,
    /// From when on the log has it.
    pub(crate) visible_at: Timestamp,
}

/// Place of a record in the order in which records become visible.
pub(crate) type Place = (Timestamp, u64);

impl<'a> Record<'a> {
    /// Its first operation, which numbers it.
    pub(crate) fn first(&self) -> Option<&'a Op> {
        self.ops.first().copied()
    }

    pub(crate) fn place(&self) -> Place {
        (self.visible_at, self.first().map_or(0, |op| op.seq))
    }
}

/// The records visible now, in the order in which they became so. `joins` says whether an operation goes into the record of the one
/// before it, `logs` whether it is logged at all.
pub(crate) fn visible<'a>(
    sim: &Sim,
    world: &'a World,
    log: Log,
    (logs, joins): (impl Fn(&Op) -> bool, impl Fn(&Op, &Op) -> bool),
) -> Vec<Record<'a>> {
    let mut records: Vec<Record<'a>> = Vec::new();
    for op in world.ops().iter().filter(|op| logs(op)) {
        match records.last_mut() {
            Some(last) if last.ops.last().is_some_and(|before| joins(before, op)) => last.ops.push(op),
            _ => records.push(Record {
                ops: vec![op],
                visible_at: sim
                    .held()
                    .until(log, op.seq)
                    .unwrap_or_else(|| visible_at(sim, log.0, op)),
            }),
        }
    }
    records.retain(|record| record.visible_at <= world.now());
    records.sort_by_key(Record::place);
    records
}

/// Takes away the oldest of the records to be given, if that is to go wrong now: it becomes visible later.
pub(crate) fn hold_back(sim: &Sim, now: Timestamp, call: &Call, records: &mut Vec<Record<'_>>) {
    let Some(held) = records.first().and_then(Record::first) else {
        return;
    };
    let Some(Fault::AuditLate { minutes }) = sim.fires(call, FaultKind::AuditLate) else {
        return;
    };
    let until = now
        .checked_add(SignedDuration::from_mins(minutes.into()))
        .unwrap_or(Timestamp::MAX);
    sim.held().hold(call, held.seq, until);
    records.remove(0);
}

fn visible_at(sim: &Sim, provider: Provider, op: &Op) -> Timestamp {
    let draw = draw(sim.options().seed, op.seq, provider.word());
    let minutes = SignedDuration::from_mins;
    // One record in ten is much later than the others.
    let (least, most) = match (sim.options().audit.lag, provider, draw % 10) {
        (Lag::Between(least, most), _, _) => (least, most),
        (Lag::Documented, Provider::Dropbox, 0) => (minutes(180), minutes(24 * 60)),
        (Lag::Documented, Provider::Dropbox, _) => (minutes(3), minutes(180)),
        (Lag::Documented, Provider::OneDrive, _) => (minutes(60), minutes(90)),
        (Lag::Documented, Provider::GoogleDrive, 0) => (minutes(15), minutes(12 * 60)),
        (Lag::Documented, Provider::GoogleDrive, _) => (minutes(1), minutes(15)),
    };
    let span = u64::try_from((most - least).as_secs()).unwrap_or_default();
    let wait = i64::try_from(draw / 10 % (span + 1)).unwrap_or_default();
    op.at
        .checked_add(least + SignedDuration::from_secs(wait))
        .unwrap_or(Timestamp::MAX)
}

/// A number that depends on these alone.
pub(crate) fn draw(seed: u64, seq: u64, what: &str) -> u64 {
    let mut state = what.bytes().fold(seed ^ seq.rotate_left(32), |state, byte| {
        state.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
    });
    next(&mut state)
}

/// By whose hand something was done, told by address and application, so that journals can say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hand<'a> {
    /// A person's own.
    Person(&'a Actor),
    /// An administrator's in somebody else's place: addresses that start with `admin@`.
    Admin(&'a Actor),
    /// A program's with the rights of a person.
    Through(&'a Actor, &'a str),
    /// A program's under its own name.
    Program(&'a Actor),
    /// Of a person whose account was deleted since.
    Removed(&'a Actor),
    /// A visitor's: addresses in `anonymous.invalid`.
    Anonymous,
    /// The provider's: addresses in `automation.invalid`.
    Provider,
}

impl<'a> Hand<'a> {
    pub(crate) fn of(op: &'a Op) -> Self {
        let actor = &*op.actor;
        match actor.email.split_once('@') {
            Some((_, "anonymous.invalid")) => return Self::Anonymous,
            Some((_, "automation.invalid")) => return Self::Provider,
            _ => {}
        }
        match (actor.standing(), op.application.as_deref()) {
            (Standing::Removed, _) => Self::Removed(actor),
            (Standing::Program, _) => Self::Program(actor),
            (Standing::Person, Some(application)) => Self::Through(actor, application),
            (Standing::Person, None) if actor.email.starts_with("admin@") => Self::Admin(actor),
            (Standing::Person, None) => Self::Person(actor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Options;
    use crate::source::WorldSource;
    use crate::world::Edit;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + minute * 60).unwrap()
    }

    fn seqs(sim: &Sim, provider: Provider) -> Vec<u64> {
        let world = sim.world();
        let all = visible(sim, &world, (provider, None), (|_| true, |_, _| false));
        all.iter().map(|record| record.place().1).collect()
    }

    #[test]
    fn records_come_late_and_in_another_order() {
        let edits = (0..60).map(|place| Edit::created(at(place), &format!("f{place}"), 1));
        let sim = Sim::new(WorldSource::from_edits(edits.collect()), Options::default());
        sim.advance(at(62)).unwrap();
        assert!(seqs(&sim, Provider::OneDrive).len() < 3);
        sim.advance(at(59 + 90)).unwrap();
        let found = seqs(&sim, Provider::OneDrive);
        assert_eq!(found.len(), 60);
        assert!(!found.is_sorted());
        assert!(seqs(&sim, Provider::Dropbox).len() < 60);
        sim.advance(at(59 + 24 * 60)).unwrap();
        assert_eq!(seqs(&sim, Provider::Dropbox).len(), 60);
    }

    #[test]
    fn a_record_held_back_is_given_later_than_others() {
        let edits = vec![Edit::created(at(0), "a", 1), Edit::created(at(1), "b", 1)];
        let options = Options {
            audit: Audit {
                lag: Lag::NONE,
                ..Audit::default()
            },
            ..Options::default()
        };
        let sim = Sim::new(WorldSource::from_edits(edits), options);
        sim.advance(at(1)).unwrap();
        sim.plan_faults(vec![crate::fault::FaultPlan::once(Fault::AuditLate {
            minutes: 9,
        })]);
        {
            let call = sim.begin(Provider::Dropbox, "team_events");
            let world = sim.world();
            let mut records = visible(&sim, &world, (Provider::Dropbox, None), (|_| true, |_, _| false));
            hold_back(&sim, world.now(), &call, &mut records);
            assert_eq!(records.len(), 1);
        }
        assert_eq!(seqs(&sim, Provider::Dropbox), [2]);
        assert_eq!(seqs(&sim, Provider::OneDrive), [1, 2]);
        sim.advance(at(10)).unwrap();
        assert_eq!(seqs(&sim, Provider::Dropbox), [2, 1]);
    }

    #[test]
    fn hands_are_told_by_address_and_application() {
        let mut edits = vec![
            Edit::created(at(0), "a", 1).by("ann@example.com"),
            Edit::created(at(0), "b", 1).by("admin@example.com"),
            Edit::created(at(0), "c", 1).by("x@anonymous.invalid"),
            Edit::created(at(0), "d", 1).by("x@automation.invalid"),
            Edit::created(at(0), "e", 1).by("x@removed.invalid"),
            Edit::created(at(0), "f", 1).by("x@y.iam.gserviceaccount.com"),
        ];
        edits.push(Edit::created(at(0), "g", 1).by("ann@example.com"));
        edits[6].application = Some("Sorter".into());
        let mut world = World::new(WorldSource::from_edits(edits));
        world.advance(at(0)).unwrap();
        let hands: Vec<Hand<'_>> = world.ops().iter().map(Hand::of).collect();
        let actor = |place: usize| &*world.ops()[place].actor;
        assert_eq!(
            hands,
            [
                Hand::Person(actor(0)),
                Hand::Admin(actor(1)),
                Hand::Anonymous,
                Hand::Provider,
                Hand::Removed(actor(4)),
                Hand::Program(actor(5)),
                Hand::Through(actor(6), "Sorter"),
            ]
        );
    }
}
