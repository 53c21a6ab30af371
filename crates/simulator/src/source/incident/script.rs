//! A history being written, deed by deed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;

use super::cast::Who;
use crate::content::next;
use crate::world::{Action, Edit};

/// What the agent calls itself where an API reports applications.
const APPLICATION: &str = "Claude Cowork";
/// Seconds of a day.
const DAY: i64 = 86_400;

/// Whose hand does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hand {
    /// The person's own.
    Person(Who),
    /// The agent's, through Mei's account.
    Agent,
}

/// One thing to do; paths are from the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// Create a file, or save it with new content, of so many bytes.
    Save(String, u64),
    /// Rename or move a file or folder.
    Move(String, String),
    /// Delete.
    Delete(String),
    /// Bring back what was deleted.
    Restore(String),
    /// Save again the content remembered by [`Script::remember`].
    PutBack(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Content {
    size: u64,
    key: Arc<str>,
}

/// Edits so far and the files they leave.
#[derive(Debug)]
pub(super) struct Script {
    /// Second at which day 0 begins.
    start: i64,
    random: u64,
    edits: Vec<Edit>,
    files: BTreeMap<String, Content>,
    gone: BTreeMap<String, Content>,
    remembered: BTreeMap<String, Content>,
}

impl Script {
    /// An empty history whose day `days` is the UTC day of `ends_at`.
    pub(super) fn new(ends_at: Timestamp, days: i64) -> Self {
        let today = ends_at.as_second().div_euclid(DAY);
        Self {
            start: (today - days) * DAY,
            random: 20,
            edits: Vec::new(),
            files: BTreeMap::new(),
            gone: BTreeMap::new(),
            remembered: BTreeMap::new(),
        }
    }

    pub(super) fn into_edits(self) -> Vec<Edit> {
        self.edits
    }

    /// A second of a day; beyond the range of timestamps, its end.
    pub(super) fn moment(&self, day: i64, second: i64) -> Timestamp {
        Timestamp::from_second(self.start + day * DAY + second).unwrap_or(if self.start < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }

    /// Monday to Friday.
    pub(super) fn is_workday(&self, day: i64) -> bool {
        // 1970-01-01 was a Thursday: with 4 added, 0 is a Sunday and 6 a Saturday.
        !matches!((self.start / DAY + day + 4).rem_euclid(7), 0 | 6)
    }

    /// A number below `below`, which must not be 0.
    pub(super) fn random(&mut self, below: u64) -> u64 {
        next(&mut self.random) % below.max(1)
    }

    /// Files whose path starts with `prefix`, with their bytes.
    pub(super) fn files<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, u64)> {
        self.files
            .range(prefix.to_owned()..)
            .take_while(move |(path, _)| path.starts_with(prefix))
            .map(|(path, content)| (path.as_str(), content.size))
    }

    /// Keeps the contents as they are, for [`Deed::PutBack`].
    pub(super) fn remember(&mut self) {
        self.remembered = self.files.clone();
    }

    /// Does all deeds on one day, in order, spread over a range of its seconds.
    pub(super) fn play(&mut self, day: i64, seconds: Range<i64>, deeds: Vec<(Hand, Deed)>) {
        let count = i64::try_from(deeds.len()).unwrap_or(i64::MAX).max(1);
        let slot = ((seconds.end - seconds.start) / count).max(1);
        for (place, (hand, deed)) in (0_i64..).zip(deeds) {
            let jitter = i64::try_from(self.random(slot.unsigned_abs())).unwrap_or_default();
            let at = self.moment(day, seconds.start + place * slot + jitter);
            self.act(at, hand, deed);
        }
    }

    fn act(&mut self, at: Timestamp, hand: Hand, deed: Deed) {
        let mut edit = match deed {
            Deed::Save(path, size) => {
                let key = format!("incident {} {path}", self.edits.len()).into();
                self.save(at, path, Content { size, key })
            }
            Deed::PutBack(path) => match self.remembered.get(&path).cloned() {
                Some(content) => self.save(at, path, content),
                None => return,
            },
            Deed::Move(from, to) => {
                self.carry(&from, &to);
                Edit::renamed(at, &from, &to)
            }
            Deed::Delete(path) => {
                if let Some(content) = self.files.remove(&path) {
                    self.gone.insert(path.clone(), content);
                }
                Edit::deleted(at, &path)
            }
            Deed::Restore(path) => {
                if let Some(content) = self.gone.remove(&path) {
                    self.files.insert(path.clone(), content);
                }
                Edit::restored(at, &path)
            }
        };
        match hand {
            Hand::Person(who) => edit.actor = who.actor(),
            Hand::Agent => {
                edit.actor = Who::Mei.actor();
                edit.application = Some(APPLICATION.into());
            }
        }
        self.edits.push(edit);
    }

    fn save(&mut self, at: Timestamp, path: String, content: Content) -> Edit {
        let action = if self.files.contains_key(&path) {
            Action::Modified
        } else {
            Action::Created
        };
        let mut edit = Edit::new(at, action, &path).with_content(&content.key);
        edit.size = Some(content.size);
        self.files.insert(path, content);
        edit
    }

    /// The file `from`, or all files below it, are now at `to`.
    fn carry(&mut self, from: &str, to: &str) {
        let below = format!("{from}/");
        let moved: Vec<String> = self
            .files
            .keys()
            .filter(|path| *path == from || path.starts_with(&below))
            .cloned()
            .collect();
        for path in moved {
            let rest = path.strip_prefix(from).unwrap_or_default();
            if let Some(content) = self.files.remove(&path) {
                self.files.insert(format!("{to}{rest}"), content);
            }
        }
    }
}
