use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::fault::FaultPlan;
use crate::sim::Options;
use crate::source::WorldSource;
use crate::world::{Edit, ItemNo};

mod agree;
mod feed;
mod history;
mod http;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

/// A face over these edits, at second 1000, with pages of at most `page` entries.
fn face_of(edits: Vec<Edit>, page: Option<usize>) -> Face {
    let options = Options {
        page_size: page,
        ..Options::default()
    };
    let face = Face::new(Sim::new(WorldSource::from_edits(edits), options));
    face.sim.advance(at(1000)).unwrap();
    face
}

pub(super) fn ask(face: &Face, route: Route, argument: &Value) -> Result<Value, Problem> {
    let call = face.sim.begin(Provider::Dropbox, route.operation());
    dispatch(face, &call, route, &Bytes::from(argument.to_string()))
}

fn revisions(face: &Face, argument: &Value) -> Value {
    ask(face, Route::ListRevisions, argument).unwrap()
}

/// Reads until nothing is left; entries, and the cursor to go on with later.
fn drain(face: &Face, mut answer: Value) -> (Vec<Value>, String) {
    let mut entries = Vec::new();
    loop {
        entries.extend(answer["entries"].as_array().unwrap().clone());
        let cursor = answer["cursor"].as_str().unwrap().to_owned();
        if answer["has_more"] == false {
            return (entries, cursor);
        }
        answer = ask(face, Route::Continue, &json!({ "cursor": cursor })).unwrap();
        assert_ne!(answer["cursor"], cursor.as_str());
    }
}

fn list(face: &Face, path: &str) -> (Vec<Value>, String) {
    let argument = json!({ "path": path, "recursive": true });
    drain(face, ask(face, Route::ListFolder, &argument).unwrap())
}

fn go_on(face: &Face, cursor: &str) -> (Vec<Value>, String) {
    drain(
        face,
        ask(face, Route::Continue, &json!({ "cursor": cursor })).unwrap(),
    )
}

/// `tag path` of each entry, sorted.
fn brief(entries: &[Value]) -> Vec<String> {
    let mut found: Vec<String> = entries
        .iter()
        .map(|entry| {
            let part = |name: &str| entry[name].as_str().unwrap().to_owned();
            format!("{} {}", part(".tag"), part("path_display"))
        })
        .collect();
    found.sort();
    found
}

fn paths(answer: &Value) -> Vec<&str> {
    let entries = answer["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["path_display"].as_str().unwrap())
        .collect()
}
