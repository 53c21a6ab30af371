//! How entries look on a personal drive, made from how they look on a business drive.

use serde_json::{Map, Value, json};

use crate::ids::{derive, hex};
use crate::world::{Item, ItemNo};

/// Digits of the drive's id and of a person's.
const DIGITS: usize = 16;

/// Sixteen hex digits, of which the first is zero, so that a spelling without it can be told.
pub(super) fn drive(owner: &str) -> String {
    let digits = digits("onedrive-personal-drive", owner);
    format!("0{}", digits.get(1..).unwrap_or_default()).to_uppercase()
}

/// The drive's id and a number.
pub(crate) fn item(drive: &str, no: ItemNo) -> String {
    format!("{drive}!{}", 101 + no.0)
}

/// The one spelling of an id of this drive or an item on it.
pub(super) fn spelled(id: &str) -> String {
    let (drive, rest) = id
        .split_once('!')
        .map_or((id, None), |(drive, rest)| (drive, Some(rest)));
    let drive = format!("{:0>DIGITS$}", drive.to_uppercase());
    rest.map_or_else(|| drive.clone(), |rest| format!("{drive}!{rest}"))
}

fn digits(label: &str, text: &str) -> String {
    hex(&derive(label, text)).chars().take(DIGITS).collect()
}

/// Gives an entry the ids of this drive, and what else differs: deleted items keep their names and say nothing of their size.
pub(super) fn personalise(drive: &str, item_of: &Item, entry: &mut Value) {
    let Some(members) = entry.as_object_mut() else {
        return;
    };
    members.insert("id".to_owned(), item(drive, item_of.no).into());
    let mut parent = json!({ "driveId": drive, "driveType": "personal" });
    if let Some(no) = item_of.parent {
        parent["id"] = item(drive, no).into();
    }
    if let Some(path) = members.get("parentReference").and_then(|told| told.get("path")) {
        parent["path"] = path.clone();
    }
    members.insert("parentReference".to_owned(), parent);
    if members.contains_key("deleted") {
        members.insert("deleted".to_owned(), json!({}));
        members.insert("name".to_owned(), json!(item_of.name));
        members.remove("size");
    } else {
        members.insert("cTag".to_owned(), format!("aYzp{}", item_of.last_seq).into());
    }
    people(entry);
}

/// People of personal drives have sixteen digits and no address.
pub(super) fn people(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(user) = members.get_mut("user").and_then(Value::as_object_mut) {
                person(user);
            }
            members.values_mut().for_each(people);
        }
        Value::Array(values) => values.iter_mut().for_each(people),
        _ => {}
    }
}

fn person(user: &mut Map<String, Value>) {
    if let Some(Value::String(email)) = user.remove("email") {
        user.insert("id".to_owned(), digits("onedrive-personal-user", &email).into());
    }
}

/// The ids of an entry in small letters, without the leading zero of the drive's.
pub(super) fn respell(entry: &mut Value) {
    for pointer in ["/id", "/parentReference/id", "/parentReference/driveId"] {
        if let Some(Value::String(id)) = entry.pointer_mut(pointer) {
            *id = id.trim_start_matches('0').to_lowercase();
        }
    }
}
