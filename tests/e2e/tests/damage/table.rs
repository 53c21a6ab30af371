//! Ways to damage a record.

use revtrail_ledger::{Frontier, leaf_hash};
use revtrail_model::{Digest, layout::Kind, sha256};

use super::replica::Replica;

/// Damages a copy and says what it damaged.
type Apply = Box<dyn Fn(&Replica<'_>) -> Vec<String>>;

/// Changes the bytes of an object.
type Change = fn(&mut Vec<u8>);

/// Changes the leaves of a segment.
type Forge = fn(&mut Vec<Vec<u8>>);

/// One way: what it does to a copy, and the keys of which at least one must be named.
pub(crate) struct Damage {
    pub(crate) name: String,
    pub(crate) apply: Apply,
}

/// A snapshot in the middle of the log, with events.
const MIDDLE: u64 = 3;

pub(crate) fn damages() -> Vec<Damage> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        all.extend(of_one_object(kind));
    }
    for kind in [
        Kind::Segment,
        Kind::Sidecar,
        Kind::Raw,
        Kind::State,
        Kind::Checkpoint,
    ] {
        all.push(swapped(kind));
    }
    all.extend(of_checkpoints());
    all.extend(of_names());
    all.extend(of_contents());
    all.extend(of_leaves());
    all
}

fn damage(name: impl Into<String>, apply: impl Fn(&Replica<'_>) -> Vec<String> + 'static) -> Damage {
    Damage {
        name: name.into(),
        apply: Box::new(apply),
    }
}

fn newest(copy: &Replica<'_>) -> u64 {
    copy.last()
}

/// The same change of the bytes, in the middle of the log and at its end.
fn changed(kind: Kind, what: &str, change: Change) -> Vec<Damage> {
    let at = |which: &str, seq: fn(&Replica<'_>) -> u64| {
        damage(
            format!("{what}, {which} {}", kind.directory()),
            move |copy: &Replica<'_>| {
                let key = copy.of(kind, seq(copy));
                let mut bytes = copy.read(&key);
                change(&mut bytes);
                copy.replace(&key, &bytes);
                vec![key]
            },
        )
    };
    vec![at("middle of", |_| MIDDLE), at("end of", newest)]
}

fn of_one_object(kind: Kind) -> Vec<Damage> {
    let changes: [(&str, Change); 7] = [
        ("first byte flipped", |bytes| bytes[0] ^= 0x01),
        ("middle byte flipped", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
        }),
        ("last byte flipped", |bytes| {
            let last = bytes.len() - 1;
            bytes[last] ^= 0x80;
        }),
        ("cut in half", |bytes| bytes.truncate(bytes.len() / 2)),
        ("last byte cut off", |bytes| {
            let _cut = bytes.pop();
        }),
        ("emptied", Vec::clear),
        ("byte appended", |bytes| bytes.push(b'\n')),
    ];
    let mut all: Vec<Damage> = changes
        .into_iter()
        .flat_map(|(what, change)| changed(kind, what, change))
        .collect();
    all.push(damage(
        format!("deleted, middle of {}", kind.directory()),
        move |copy| {
            let key = copy.of(kind, MIDDLE);
            copy.remove(&key);
            vec![key]
        },
    ));
    if matches!(kind, Kind::Segment | Kind::Raw) {
        // RFC 8878 §3.1.2: a frame that decompresses to nothing, so the text stays the same.
        all.extend(changed(kind, "skippable frame appended", |bytes| {
            bytes.extend_from_slice(&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, b'e', b'v', b'i', b'l']);
        }));
        all.extend(changed(kind, "compressed again", |bytes| {
            let text = zstd::decode_all(bytes.as_slice()).unwrap();
            *bytes = zstd::encode_all(text.as_slice(), 19).unwrap();
        }));
    }
    all
}

fn swapped(kind: Kind) -> Damage {
    damage(format!("two swapped, {}", kind.directory()), move |copy| {
        let keys = vec![copy.of(kind, MIDDLE - 1), copy.of(kind, MIDDLE)];
        let bytes = [copy.read(&keys[0]), copy.read(&keys[1])];
        copy.replace(&keys[0], &bytes[1]);
        copy.replace(&keys[1], &bytes[0]);
        keys
    })
}

/// A checkpoint whose number leaves a hole that nobody could walk through.
fn ahead(how: &str, seq: u64) -> Damage {
    damage(format!("a checkpoint {how} ahead"), move |copy| {
        let newest = copy.of(Kind::Checkpoint, copy.last());
        let key = newest.replace(&format!("{:020}", copy.last()), &format!("{seq:020}"));
        copy.create(&key, &copy.read(&newest));
        vec![key]
    })
}

fn of_checkpoints() -> Vec<Damage> {
    vec![
        damage("an old checkpoint in place of the newest", |copy| {
            let key = copy.of(Kind::Checkpoint, copy.last());
            copy.replace(&key, &copy.read(&copy.of(Kind::Checkpoint, MIDDLE)));
            vec![key]
        }),
        damage("an old checkpoint once more, after the newest", |copy| {
            let old = copy.of(Kind::Checkpoint, copy.last());
            let key = old.replace(
                &format!("{:020}", copy.last()),
                &format!("{:020}", copy.last() + 1),
            );
            copy.create(&key, &copy.read(&old));
            vec![key]
        }),
        ahead("far", 1_000_000_000_000),
        ahead("as far as a name can", u64::MAX),
        damage(
            "a gap in the checkpoints, the snapshot missing as a whole",
            |copy| {
                let key = copy.of(Kind::Checkpoint, MIDDLE);
                for kind in Kind::ALL {
                    copy.remove(&copy.of(kind, MIDDLE));
                }
                vec![key]
            },
        ),
        damage("the first snapshot missing as a whole", |copy| {
            let key = copy.of(Kind::Checkpoint, 0);
            for kind in Kind::ALL {
                for key in copy.keys_of(kind).into_iter().filter(|key| copy.seq(key) == 0) {
                    copy.remove(&key);
                }
            }
            vec![key]
        }),
        damage("size changed in the newest checkpoint, signature kept", |copy| {
            let key = copy.of(Kind::Checkpoint, copy.last());
            let text = String::from_utf8(copy.read(&key)).unwrap();
            let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
            lines[1] = (lines[1].parse::<u64>().unwrap() + 1).to_string();
            copy.replace(&key, lines.join("\n").as_bytes());
            vec![key]
        }),
    ]
}

fn of_names() -> Vec<Damage> {
    let mut all: Vec<Damage> = [Kind::Segment, Kind::Sidecar, Kind::Raw, Kind::State]
        .into_iter()
        .map(|kind| {
            damage(
                format!("renamed to another digest, {}", kind.directory()),
                move |copy| {
                    let key = copy.of(kind, MIDDLE);
                    let digest = key
                        .rsplit('-')
                        .next()
                        .unwrap()
                        .split('.')
                        .next()
                        .unwrap()
                        .to_owned();
                    copy.create(
                        &key.replace(&digest, &sha256(b"other").to_string()),
                        &copy.read(&key),
                    );
                    copy.remove(&key);
                    vec![key]
                },
            )
        })
        .collect();
    all.push(damage("renamed to another snapshot, segments", |copy| {
        let key = copy.of(Kind::Segment, MIDDLE);
        copy.create(&key.replace("00003-", "00002-"), &copy.read(&key));
        copy.remove(&key);
        vec![key]
    }));
    all.push(damage("a foreign object among the segments", |copy| {
        let key = format!("main/{}/segments/notes.txt", copy.year());
        copy.create(&key, b"hello");
        vec![key]
    }));
    all.push(damage("a foreign directory", |copy| {
        let key = format!("main/{}/extra/{:020}", copy.year(), 1);
        copy.create(&key, b"hello");
        vec![key]
    }));
    all
}

/// Contents are named by events and checked against their names.
fn of_contents() -> Vec<Damage> {
    let changes: [(&str, Change); 3] = [
        ("first byte flipped", |bytes| bytes[0] ^= 0x01),
        ("emptied", Vec::clear),
        ("byte appended", |bytes| bytes.push(b'\n')),
    ];
    let mut all: Vec<Damage> = changes
        .into_iter()
        .map(|(what, change)| {
            damage(format!("{what}, contents"), move |copy| {
                let key = copy.keys_of(Kind::Content)[1].clone();
                let mut bytes = copy.read(&key);
                change(&mut bytes);
                copy.replace(&key, &bytes);
                vec![key]
            })
        })
        .collect();
    all.push(damage("deleted, contents", |copy| {
        let key = copy.keys_of(Kind::Content)[0].clone();
        copy.remove(&key);
        vec![key]
    }));
    all.push(damage("swapped, contents", |copy| {
        let keys = copy.keys_of(Kind::Content);
        let (one, other) = (copy.read(&keys[0]), copy.read(&keys[1]));
        copy.replace(&keys[0], &other);
        copy.replace(&keys[1], &one);
        keys
    }));
    all.push(damage("a foreign object among the contents", |copy| {
        let key = format!("main/{}/contents/notes.txt", copy.year());
        copy.create(&key, b"hello");
        vec![key]
    }));
    all
}

/// What a forger without the signing key can do: change leaves and give the segment the name that fits them.
fn of_leaves() -> Vec<Damage> {
    let forgeries: [(&str, Forge); 5] = [
        ("two leaves change places", |lines| lines.swap(0, 1)),
        ("a leaf is left out", |lines| {
            let _gone = lines.remove(0);
        }),
        ("a leaf is doubled", |lines| lines.insert(0, lines[0].clone())),
        ("an event is edited", |lines| edit_event(lines)),
        ("the run leaf is left out", |lines| {
            let _gone = lines.pop();
        }),
    ];
    let mut all = Vec::new();
    for (what, forge) in forgeries {
        all.push(damage(format!("{what}, name kept"), move |copy| {
            let key = copy.of(Kind::Segment, MIDDLE);
            copy.replace(&key, &pack(&forged(copy, forge)));
            vec![key]
        }));
        all.push(damage(format!("{what}, segment renamed to fit"), move |copy| {
            let key = copy.of(Kind::Segment, MIDDLE);
            let lines = forged(copy, forge);
            let old = key
                .rsplit('-')
                .next()
                .unwrap()
                .split('.')
                .next()
                .unwrap()
                .to_owned();
            copy.create(
                &key.replace(&old, &root_with(copy, &lines).to_string()),
                &pack(&lines),
            );
            copy.remove(&key);
            vec![key]
        }));
    }
    all
}

fn edit_event(lines: &mut [Vec<u8>]) {
    let text = String::from_utf8(lines[0].clone()).unwrap();
    assert!(
        text.contains("\"size_bytes\":\"") || text.contains("\"action\":\""),
        "{text}"
    );
    lines[0] = text.replacen("\"basis\":\"", "\"basis\":\"x", 1).into_bytes();
    assert_ne!(lines[0], text.into_bytes());
}

fn lines_of(copy: &Replica<'_>, seq: u64) -> Vec<Vec<u8>> {
    let text = zstd::decode_all(copy.read(&copy.of(Kind::Segment, seq)).as_slice()).unwrap();
    text.strip_suffix(b"\n")
        .unwrap()
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

fn forged(copy: &Replica<'_>, forge: Forge) -> Vec<Vec<u8>> {
    let mut lines = lines_of(copy, MIDDLE);
    assert!(lines.len() > 3, "{}", lines.len());
    forge(&mut lines);
    lines
}

fn pack(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut text = lines.join(&b'\n');
    text.push(b'\n');
    zstd::encode_all(text.as_slice(), 3).unwrap()
}

/// The root that the log would have with these leaves in the middle snapshot.
fn root_with(copy: &Replica<'_>, lines: &[Vec<u8>]) -> Digest {
    let mut frontier = Frontier::new();
    for line in (0..MIDDLE)
        .flat_map(|seq| lines_of(copy, seq))
        .chain(lines.iter().cloned())
    {
        frontier.append(leaf_hash(&line));
    }
    Digest::from_bytes(*frontier.root().as_bytes())
}
