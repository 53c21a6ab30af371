//! State objects: cursors, resume points and the inventory, committed with the events they belong to.
//!
//! One header line, then one line per item, compressed with zstd. A *base* holds every item, a *delta* those that changed since the
//! state it names by digest, so that a run reads one base and a few deltas after it and nothing else (see [`chain`](crate::chain)):
//!
//! ```text
//! {"base_items":"2","changed_items":"1","folders":{…},"frontier":["…"],"frontier_before":["…"],"kind":"delta","previous":"…","seq":"7","size":"40","size_before":"36","type":"state","v":1}
//! {"d":{"k":"file","n":"X.xlsx","p":"01ABC"},"f":"month-end-close","i":"01DEF"}
//! ```

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write},
};

use revtrail_connector::{FolderRoot, FormerPlace};
use revtrail_model::{
    Digest,
    id::{Cursor, DriveId, FolderName, HoldId, ItemId, PlaceKey, TenantId},
    layout::LogName,
    leaf::LeafRef,
    record::{Count, canonical},
    time::Timestamp,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    audit::state::Audits,
    error::HarvestError,
    inventory::{Interner, Inventory, Item},
    spool::LEVEL,
};

/// Base or delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateKind {
    /// Every item.
    Base,
    /// Items that changed since the state it names.
    Delta,
}

/// What a run must know of one folder beside its items. Fields in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FolderState {
    /// How many changes of the folder itself are recorded; numbers the next one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub changes: u32,
    /// Where to resume the feed; absent before the first look has read it to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// Its root of items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drive: Option<DriveId>,
    /// Places where the folder was before, where the provider addresses by place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Former>,
    /// The folder's own id, pinned at the first look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// The folder's window before, in this log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_window: Option<LeafRef>,
    /// The folder's own name when last told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the folder was in when last told, where the provider addresses by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<ItemId>,
    /// Places whose revisions are still to be listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending_places: Vec<PlaceKey>,
    /// The folder's place, where the provider addresses by place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceKey>,
    /// The provider's clock at the start of the last look that read the feed to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_from: Option<Timestamp>,
    /// Customer organisation or account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// The last full listing read to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub walked: Option<Walked>,
}

/// A place where a designated folder was. Fields in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// The place.
    pub place: PlaceKey,
    /// The provider's clock when it was found elsewhere.
    pub until: Timestamp,
}

impl From<Former> for FormerPlace {
    fn from(former: Former) -> Self {
        Self {
            place: former.place,
            until: former.until,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "signature demanded by serde")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// When a folder was last listed in full. Fields in canonical order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walked {
    /// Our clock at its end, for the schedule.
    pub at: Timestamp,
    /// The provider's clock at its start: what it did not show, happened later.
    pub from: Timestamp,
}

impl FolderState {
    /// The folder as found at its first look.
    pub fn root(&self) -> Option<FolderRoot> {
        Some(FolderRoot {
            drive: self.drive.clone()?,
            item: self.item.clone()?,
            place: self.place.clone(),
            name: self.name.clone(),
            parent: self.parent.clone(),
            former: self.former.iter().cloned().map(FormerPlace::from).collect(),
        })
    }
}

/// A legal hold that is not released. Fields in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenHold {
    /// Name of the case.
    pub case: String,
    /// The log year it is about; absent for all logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<Count>,
}

impl OpenHold {
    /// Whether it is about the objects of this log.
    pub fn covers(&self, log: &LogName) -> bool {
        self.year
            .is_none_or(|year| i64::try_from(year.0) == Ok(i64::from(log.year)))
    }
}

/// Open legal holds.
pub type OpenHolds = BTreeMap<HoldId, OpenHold>;

/// First line of a state object. Fields in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Audit logs by account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub audits: Audits,
    /// Items in the base.
    pub base_items: Count,
    /// Items that the snapshots since the base changed, each counted as often as it changed.
    pub changed_items: Count,
    /// Folders by name.
    pub folders: BTreeMap<FolderName, FolderState>,
    /// Compact tree (RFC 6962) after the snapshot, largest subtree first.
    pub frontier: Vec<Digest>,
    /// Compact tree before the snapshot.
    pub frontier_before: Vec<Digest>,
    /// Open legal holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub holds: OpenHolds,
    /// Base or delta.
    pub kind: StateKind,
    /// SHA-256 of the state before, onto which a delta is put; absent in a log's first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// Snapshot of that state, where it is not the one before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_seq: Option<Count>,
    /// Snapshot.
    pub seq: Count,
    /// Tree size after the snapshot, run leaf not counted: the run leaf names this object.
    pub size: Count,
    /// Tree size before the snapshot.
    pub size_before: Count,
    /// `state`.
    #[serde(rename = "type")]
    pub record: String,
    /// 1.
    pub v: u32,
}

#[derive(Serialize)]
struct LineOut<'a> {
    d: &'a Item,
    f: &'a FolderName,
    i: &'a ItemId,
}

#[derive(Deserialize)]
struct LineIn {
    d: Item,
    f: FolderName,
    i: ItemId,
}

/// Inventories by folder.
pub type Inventories = BTreeMap<FolderName, Inventory>;

/// Items to write, by folder.
pub type Changed = BTreeMap<FolderName, Vec<ItemId>>;

/// The object's bytes: `header`, then the items named by `changed` (or all of them for a base). Compressed as they are made, because the
/// lines of a large folder's base would be most of what a commit holds in memory.
pub fn encode(
    header: &Header,
    inventories: &Inventories,
    changed: &Changed,
) -> Result<Vec<u8>, HarvestError> {
    let mut out = zstd::stream::write::Encoder::new(Vec::new(), LEVEL).map_err(HarvestError::Compress)?;
    write_line(header, &mut out)?;
    for (folder, inventory) in inventories {
        let ids: Vec<&ItemId> = match header.kind {
            StateKind::Delta => changed.get(folder).into_iter().flatten().collect(),
            StateKind::Base => {
                let mut all: Vec<&ItemId> = inventory.items().map(|(id, _)| id).collect();
                all.sort();
                all
            }
        };
        for id in ids {
            if let Some(item) = inventory.item(id) {
                let line = LineOut {
                    d: item,
                    f: folder,
                    i: id,
                };
                write_line(&line, &mut out)?;
            }
        }
    }
    out.finish().map_err(HarvestError::Compress)
}

fn write_line<T: Serialize>(value: &T, out: &mut impl Write) -> Result<(), HarvestError> {
    let mut bytes = canonical(value)?;
    bytes.push(b'\n');
    out.write_all(&bytes).map_err(HarvestError::Compress)
}

/// The lines of the state object `key`, with their numbers from 1, decompressed as they are asked for.
fn lines<'a>(
    key: &'a str,
    bytes: &'a [u8],
) -> Result<impl Iterator<Item = Result<(usize, Vec<u8>), HarvestError>> + 'a, HarvestError> {
    let unreadable = move |line: usize, source: std::io::Error| HarvestError::State {
        key: key.to_owned(),
        line,
        source: serde_json::Error::io(source),
    };
    let decoder = zstd::stream::read::Decoder::new(bytes).map_err(|source| unreadable(1, source))?;
    let lines = BufReader::new(decoder).split(b'\n').enumerate();
    Ok(lines.map(move |(index, line)| {
        let line = line.map_err(|source| unreadable(index + 1, source))?;
        Ok((index + 1, line))
    }))
}

fn parse<T: DeserializeOwned>(key: &str, (line, text): (usize, &[u8])) -> Result<T, HarvestError> {
    serde_json::from_slice(text).map_err(|source| HarvestError::State {
        key: key.to_owned(),
        line,
        source,
    })
}

/// Reads the header of the state object `key`.
pub fn read_header(key: &str, bytes: &[u8]) -> Result<Header, HarvestError> {
    let first = lines(key, bytes)?.next().transpose()?;
    let (line, text) = first.unwrap_or((1, Vec::new()));
    parse(key, (line, &text))
}

/// Puts the items of the state object `key` over what is in `inventories`.
pub fn read_items(key: &str, bytes: &[u8], inventories: &mut Inventories) -> Result<(), HarvestError> {
    each_item(key, bytes, |line| {
        inventories.entry(line.f).or_default().load(line.i, line.d);
    })
}

/// As [`read_items`], and tells which items they are.
pub fn read_changed(key: &str, bytes: &[u8], inventories: &mut Inventories) -> Result<Changed, HarvestError> {
    let mut changed = Changed::new();
    each_item(key, bytes, |line| {
        changed.entry(line.f.clone()).or_default().push(line.i.clone());
        inventories.entry(line.f).or_default().load(line.i, line.d);
    })?;
    Ok(changed)
}

fn each_item(key: &str, bytes: &[u8], mut take: impl FnMut(LineIn)) -> Result<(), HarvestError> {
    let mut interner = Interner::default();
    let mut lines = lines(key, bytes)?;
    // The header.
    lines.next().transpose()?;
    for line in lines {
        let (line, text) = line?;
        let mut line: LineIn = parse(key, (line, &text))?;
        interner.item(&mut line.d);
        take(line);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use revtrail_model::{event::ItemKind, sha256};

    use super::*;

    fn header(kind: StateKind) -> Header {
        Header {
            audits: Audits::new(),
            base_items: Count(2),
            changed_items: Count(1),
            folders: [(
                "close".into(),
                FolderState {
                    cursor: Some("c".into()),
                    ..FolderState::default()
                },
            )]
            .into(),
            frontier: vec![sha256(b"f")],
            frontier_before: vec![],
            holds: OpenHolds::new(),
            kind,
            previous: Some(sha256(b"p")),
            previous_seq: None,
            seq: Count(3),
            size: Count(1),
            size_before: Count(0),
            record: "state".into(),
            v: 1,
        }
    }

    fn inventories() -> Inventories {
        let mut inventory = Inventory::default();
        inventory.put(
            "a".into(),
            Item {
                name: Some("A".into()),
                ..Item::new(ItemKind::File)
            },
        );
        inventory.put(
            "b".into(),
            Item {
                changes: 2,
                ..Item::new(ItemKind::Folder)
            },
        );
        [("close".into(), inventory)].into()
    }

    #[test]
    fn a_base_and_a_delta_read_back_over_one_another() {
        let (header, mut inventories) = (header(StateKind::Base), inventories());
        let base = encode(&header, &inventories, &Changed::new()).unwrap();
        let mut read = Inventories::new();
        read_items("base", &base, &mut read).unwrap();
        assert_eq!(read_header("base", &base).unwrap(), header);
        assert_eq!(read[&FolderName::from("close")].len(), 2);

        let changed = Item {
            name: Some("A2".into()),
            ..Item::new(ItemKind::File)
        };
        inventories
            .get_mut(&FolderName::from("close"))
            .unwrap()
            .put("a".into(), changed.clone());
        let delta = encode(
            &self::header(StateKind::Delta),
            &inventories,
            &[("close".into(), vec!["a".into()])].into(),
        )
        .unwrap();
        let told = read_changed("delta", &delta, &mut read).unwrap();
        assert_eq!(told, [("close".into(), vec!["a".into()])].into());
        assert_eq!(read[&FolderName::from("close")].item(&"a".into()), Some(&changed));
        assert_eq!(
            read[&FolderName::from("close")]
                .item(&"b".into())
                .unwrap()
                .changes,
            2
        );
    }

    #[test]
    fn damage_names_object_and_line() {
        let bytes = encode(&header(StateKind::Base), &inventories(), &Changed::new()).unwrap();
        let mut lines = zstd::decode_all(bytes.as_slice()).unwrap();
        lines.extend(b"{broken\n");
        let broken = zstd::encode_all(lines.as_slice(), LEVEL).unwrap();
        let error = read_items("state/7", &broken, &mut Inventories::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "state object state/7 is not readable at line 4"
        );
        let error = read_items("state/7", &bytes[..bytes.len() - 1], &mut Inventories::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "state object state/7 is not readable at line 1"
        );
    }
}
