use jiff::Timestamp;

use super::*;
use crate::fault::FaultPlan;
use crate::sim::Options;
use crate::source::WorldSource;
use crate::world::Edit;

mod changes;
mod files;
mod http;
mod revisions;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

/// A simulator at second 0 with these edits ahead and pages of at most `page` entries.
fn sim_of(edits: Vec<Edit>, page: Option<usize>) -> Arc<Sim> {
    let options = Options {
        page_size: page,
        ..Options::default()
    };
    sim_with(edits, options)
}

pub(super) fn sim_with(edits: Vec<Edit>, options: Options) -> Arc<Sim> {
    Sim::new(WorldSource::from_edits(edits), options)
}

/// Path and query to status and body, as a signed-in caller.
fn ask(sim: &Sim, target: &str) -> Result<Value, Problem> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let params = oauth::form(query.as_bytes());
    let call = sim.begin(
        Provider::GoogleDrive,
        operation_of(&format!("{API}{path}"), query),
    );
    let ask = Ask {
        sim,
        call: &call,
        params: &params,
    };
    answer(&ask, &format!("{API}{path}")).map(|answer| serde_json::from_slice(&answer.body).unwrap())
}

fn get(sim: &Sim, target: &str) -> Value {
    ask(sim, target).unwrap()
}

/// Id of what is visible at a path.
pub(super) fn id(sim: &Sim, path: &str) -> String {
    ids::file(sim.world().find(path).unwrap().no)
}

fn start(sim: &Sim) -> String {
    let answer = get(sim, "changes/startPageToken");
    answer["startPageToken"].as_str().unwrap().to_owned()
}

/// Texts of one member of the entries of a list, as `a/b`.
fn texts(answer: &Value, list: &str, member: &str) -> Vec<String> {
    let pointer = format!("/{member}");
    let entries = answer[list].as_array().unwrap();
    entries
        .iter()
        .map(|entry| match entry.pointer(&pointer).unwrap() {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
        .collect()
}
