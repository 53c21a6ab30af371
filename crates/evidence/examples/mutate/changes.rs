//! Single changes to a sound record, and what must come of each.
//!
//! Three outcomes are right, each for its kind: a contradiction (3) for whatever was changed, forged, moved or taken from the middle;
//! incompleteness (6) for an end that is gone, because what is left is a sound record that stops too early; and nothing (0) for tiles that
//! are gone, because tiles are views, which anybody may delete and make again.

use std::sync::Arc;

use revtrail_ledger::{Checkpoint, FileSigner, Hash, TreeSize, leaf_hash};
use revtrail_model::{Digest, layout::Kind, sha256};

use super::{
    random::Random,
    record::{Objects, Record, Step},
    snapshot::{Content, pack, unpack},
};

/// A record with one change.
pub(crate) struct Mutation {
    pub(crate) objects: Objects,
    /// What was changed, for people.
    pub(crate) touched: Vec<String>,
}

/// Makes a change, or nothing where it does not fit what was chosen.
pub(crate) type Change = fn(&Record, &Record, &mut Random) -> Option<Mutation>;

/// A kind of change: name, exit code that it must lead to, and how it is made (from a record and another one).
pub(crate) const KINDS: [(&str, u8, Change); 21] = [
    ("byte changed", 3, |record, _, random| {
        bytes(record, random, |bytes, random| {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        })
    }),
    ("bytes put in", 3, |record, _, random| {
        bytes(record, random, |bytes, random| {
            let (at, count) = (random.below(bytes.len() + 1), 1 + random.below(8));
            bytes.splice(at..at, random.bytes().into_iter().take(count));
        })
    }),
    ("bytes taken out", 3, |record, _, random| {
        bytes(record, random, |bytes, random| {
            let at = random.below(bytes.len());
            let end = bytes.len().min(at + 1 + random.below(8));
            bytes.drain(at..end);
        })
    }),
    ("cut off", 3, |record, _, random| {
        bytes(record, random, |bytes, random| {
            bytes.truncate(random.below(bytes.len()));
        })
    }),
    ("object deleted", 3, deleted),
    ("object renamed", 3, renamed),
    ("two objects swapped", 3, swapped),
    ("object of another ledger", 3, foreign),
    ("older object under a newer name", 3, replayed),
    ("older checkpoint after the newest", 3, continued),
    ("leaves changed, name kept", 3, |record, _, random| {
        leaves(record, random, Named::Kept)
    }),
    ("leaves changed, name fits", 3, |record, _, random| {
        leaves(record, random, Named::Fitting)
    }),
    ("segment compressed again", 3, compressed),
    ("fork, right key", 3, forked),
    ("checkpoint, right key", 3, resigned),
    ("checkpoint, another key", 3, usurped),
    ("tail dropped", 6, dropped),
    ("tile changed", 3, tile_changed),
    ("tiles swapped", 3, tiles_swapped),
    ("tile of another history", 3, tile_invented),
    ("tiles deleted", 0, tiles_deleted),
];

/// Directory of a key: `segments`, `tile`, …
fn directory(key: &str) -> &str {
    key.split('/').nth(2).unwrap_or_default()
}

fn is_tile(key: &str) -> bool {
    directory(key) == "tile"
}

fn keys(record: &Record, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    record.objects.keys().filter(|key| wanted(key)).cloned().collect()
}

/// An object of the record, the kinds equally likely.
fn any(record: &Record, random: &mut Random) -> String {
    let kind = random.one(&Kind::ALL).directory();
    let keys = keys(record, |key| directory(key) == kind);
    random.one(&keys).clone()
}

fn changed(record: &Record, touched: Vec<String>, change: impl FnOnce(&mut Objects)) -> Option<Mutation> {
    let mut objects = record.objects.clone();
    change(&mut objects);
    (objects != record.objects).then_some(Mutation { objects, touched })
}

fn put(record: &Record, key: &str, bytes: impl Into<Arc<[u8]>>) -> Option<Mutation> {
    changed(record, vec![key.to_owned()], |objects| {
        objects.insert(key.to_owned(), bytes.into());
    })
}

fn bytes(record: &Record, random: &mut Random, change: fn(&mut Vec<u8>, &mut Random)) -> Option<Mutation> {
    let key = any(record, random);
    let mut bytes = record.objects[&key].to_vec();
    change(&mut bytes, random);
    put(record, &key, bytes)
}

/// The newest checkpoint of all: without it, what is left is a sound record that ends too early.
fn newest(record: &Record) -> String {
    let last = &record.steps[record.steps.len() - 1].before;
    last.log.checkpoint(last.seq)
}

fn deleted(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let key = any(record, random);
    if key == newest(record) {
        return None;
    }
    changed(record, vec![key.clone()], |objects| {
        objects.remove(&key);
    })
}

fn renamed(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let key = any(record, random);
    let (folder, name) = key.rsplit_once('/')?;
    let log = folder.rsplit_once('/')?.0;
    let ledger = log.rsplit_once('/')?.0;
    let target = match random.below(5) {
        // Another digest, or a digest where none belongs.
        0 => match name.split_once('-') {
            Some((seq, rest)) => format!("{folder}/{seq}-{}{}", sha256(&random.bytes()), rest.get(64..)?),
            None => format!("{folder}/{name}-{}", sha256(&random.bytes())),
        },
        // Another snapshot.
        1 => format!("{folder}/{:020}{}", random.below(60), name.get(20..)?),
        // No name of the layout.
        2 => format!("{folder}/{name}{}", random.one(&[".bak", "~", ".zst", "0"])),
        // Another directory.
        3 => format!(
            "{log}/{}/{name}",
            random.one(&["segments", "sidecars", "raw", "state", "checkpoints", "extra"])
        ),
        // Another year.
        _ => format!(
            "{ledger}/{}/{}/{name}",
            random.one(&["2026", "2027", "2028"]),
            directory(&key)
        ),
    };
    if record.objects.contains_key(&target) {
        return None;
    }
    changed(record, vec![key.clone(), target.clone()], |objects| {
        if let Some(bytes) = objects.remove(&key) {
            objects.insert(target, bytes);
        }
    })
}

/// Two objects of one kind, of two snapshots or of two years.
fn swapped(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let one = any(record, random);
    let same = keys(record, |key| directory(key) == directory(&one));
    let other = random.one(&same).clone();
    changed(record, vec![one.clone(), other.clone()], |objects| {
        let (first, second) = (record.objects[&one].clone(), record.objects[&other].clone());
        objects.insert(one, second);
        objects.insert(other, first);
    })
}

fn foreign(record: &Record, other: &Record, random: &mut Random) -> Option<Mutation> {
    let key = any(record, random);
    let same: Vec<&String> = other
        .objects
        .keys()
        .filter(|own| directory(own) == directory(&key))
        .collect();
    put(record, &key, other.objects[*random.one(&same)].clone())
}

fn replayed(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let key = any(record, random);
    let older = keys(record, |own| directory(own) == directory(&key) && *own < *key);
    if older.is_empty() {
        return None;
    }
    put(record, &key, record.objects[random.one(&older)].clone())
}

fn continued(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let last = &record.steps[record.steps.len() - 1].before;
    let older = keys(record, |key| directory(key) == "checkpoints");
    let ahead = [1, 2, 3, 1_000_000_000_000, u64::MAX - last.seq];
    let key = last.log.checkpoint(last.seq + random.one(&ahead));
    put(record, &key, record.objects[random.one(&older)].clone())
}

/// What a forger without the key does about the name of a segment.
#[derive(Clone, Copy, PartialEq)]
enum Named {
    Kept,
    Fitting,
}

fn leaves(record: &Record, random: &mut Random, named: Named) -> Option<Mutation> {
    let step = random.one(&record.steps);
    let key = segment(step)?;
    let mut lines = unpack(&record.objects[key]);
    match random.below(5) {
        0 => {
            let (one, other) = random.two(lines.len());
            lines.swap(one, other);
        }
        1 => {
            lines.remove(random.below(lines.len()));
        }
        2 => {
            let line = random.one(&lines).clone();
            lines.insert(random.below(lines.len() + 1), line);
        }
        3 => {
            let line = random.below(lines.len());
            let at = random.below(lines[line].len());
            lines[line][at] = b'!' + random.below(90) as u8;
        }
        _ => {
            let (from, to) = random.two(lines.len());
            let line = lines.remove(from);
            lines.insert(to, line);
        }
    }
    let mut objects = record.objects.clone();
    let target = match named {
        Named::Kept => key.clone(),
        Named::Fitting => {
            objects.remove(key);
            let mut frontier = step.before.frontier.clone();
            for line in &lines {
                frontier.append(leaf_hash(line));
            }
            let root = Digest::from_bytes(*frontier.root().as_bytes());
            step.before.log.object(Kind::Segment, step.before.seq, &root)
        }
    };
    objects.insert(target.clone(), pack(&lines).into());
    (objects != record.objects).then_some(Mutation {
        objects,
        touched: vec![key.clone(), target],
    })
}

fn segment(step: &Step) -> Option<&String> {
    step.keys.iter().find(|key| directory(key) == "segments")
}

fn compressed(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let key = segment(random.one(&record.steps))?;
    let text = zstd::decode_all(&*record.objects[key]).ok()?;
    let level = *random.one(&[1, 6, 12, 19]);
    put(record, key, zstd::encode_all(text.as_slice(), level).ok()?)
}

/// The holder of the key signs another snapshot in place of one: whole, and sound in itself.
fn forked(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let step = random.one(&record.steps);
    let content = match &step.content {
        Content::Look { events } => Content::Look {
            events: events + random.below(3),
        },
        other => other.clone(),
    };
    let mut made = record.commit(&mut step.before.clone(), &content, random);
    made.retain(|key, _| !is_tile(key));
    let touched: Vec<String> = made.keys().cloned().collect();
    let leave_the_first = random.below(2) == 0;
    changed(record, touched, |objects| {
        if !leave_the_first {
            objects.retain(|key, _| !step.keys.contains(key));
        }
        objects.extend(made);
    })
}

/// The holder of the key signs another statement about the same snapshot.
fn resigned(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let step = random.one(&record.steps);
    let key = step.before.log.checkpoint(step.before.seq);
    let own = record.verifier_key(&step.before.log.origin(&record.origin))?;
    let checkpoint = Checkpoint::open(&record.objects[&key], &own).ok()?;
    let mut head = checkpoint.head();
    let mut digest = sha256(&record.objects[segment(step)?]);
    match random.below(3) {
        0 => {
            let more = head.size.leaves() + 1 + random.below(9) as u64;
            head.size = TreeSize::new(more.saturating_sub(5).max(1));
        }
        1 => head.root = Hash::from_bytes(random.bytes()),
        _ => digest = Digest::from_bytes(random.bytes()),
    }
    put(record, &key, record.checkpoint(&step.before, head, &digest))
}

/// Somebody else signs the same statement.
fn usurped(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let step = random.one(&record.steps);
    let key = step.before.log.checkpoint(step.before.seq);
    let own = record.verifier_key(&step.before.log.origin(&record.origin))?;
    let checkpoint = Checkpoint::open(&record.objects[&key], &own).ok()?;
    let signer = FileSigner::generate(random.bytes()).ok()?;
    put(record, &key, checkpoint.sign(&signer).ok()?)
}

/// The last snapshots are gone: as a whole, with or without their tiles, or their checkpoints only.
fn dropped(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let count = 1 + random.below(record.steps.len());
    let kept = record.steps.len() - count;
    let (only_checkpoints, tiles_too) = (random.below(3) == 0, random.below(2) == 0);
    let gone: Vec<String> = record.steps[kept..]
        .iter()
        .flat_map(|step| &step.keys)
        .filter(|key| !only_checkpoints || directory(key) == "checkpoints")
        .cloned()
        .collect();
    let first = &record.steps[kept].before;
    let reaches = |key: &str| {
        let year: i16 = key
            .split('/')
            .nth(1)
            .and_then(|year| year.parse().ok())
            .unwrap_or_default();
        year > first.log.year || (year == first.log.year && beyond(key, first.frontier.size().leaves()))
    };
    changed(record, gone.clone(), |objects| {
        let is_gone = |key: &String| gone.contains(key) || (tiles_too && is_tile(key) && reaches(key));
        objects.retain(|key, _| !is_gone(key));
    })
}

/// Whether a tile holds something of leaves from `size` on.
fn beyond(key: &str, size: u64) -> bool {
    let id = key
        .splitn(3, '/')
        .nth(2)
        .and_then(|path| path.parse::<revtrail_ledger::TileId>().ok());
    id.is_some_and(|id| id.smallest_tree().is_none_or(|tree| tree.leaves() > size))
}

fn tile_changed(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let key = random.one(&keys(record, is_tile)).clone();
    let mut bytes = record.objects[&key].to_vec();
    let at = random.below(bytes.len());
    match random.below(3) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes.truncate(at),
        _ => bytes.insert(at, random.next() as u8),
    }
    put(record, &key, bytes)
}

fn tiles_swapped(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let keys = keys(record, is_tile);
    let (one, other) = random.two(keys.len());
    let (one, other) = (keys[one].clone(), keys[other].clone());
    changed(record, vec![one.clone(), other.clone()], |objects| {
        let (first, second) = (record.objects[&one].clone(), record.objects[&other].clone());
        objects.insert(one, second);
        objects.insert(other, first);
    })
}

/// A tile that no checkpoint calls for, with other hashes than the leaves have.
fn tile_invented(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let partial = keys(record, |key| key.contains("/tile/0/") && key.contains(".p/"));
    let (place, width) = random.one(&partial).rsplit_once('/')?;
    let width = 1 + random.below(width.parse::<usize>().ok()?.saturating_sub(1));
    let key = format!("{place}/{width}");
    if record.objects.contains_key(&key) {
        return None;
    }
    let hashes: Vec<u8> = (0..width).flat_map(|_| random.bytes()).collect();
    put(record, &key, hashes)
}

fn tiles_deleted(record: &Record, _: &Record, random: &mut Random) -> Option<Mutation> {
    let keys = keys(record, is_tile);
    let gone: Vec<String> = match random.below(4) {
        0 => keys,
        _ => vec![random.one(&keys).clone()],
    };
    changed(record, gone.clone(), |objects| {
        objects.retain(|key, _| !gone.contains(key));
    })
}
