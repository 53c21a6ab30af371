//! The bundled scenario: six weeks of three departments, and one night in which an agent tidies up too much.

use std::ops::Range;

use jiff::Timestamp;

use super::WorldSource;
use crate::sim::Provider;
use crate::world::Actor;

mod cast;
mod script;

use cast::{DEPARTMENTS, Department, Who};
use script::{Deed, Hand, Script};

/// Days from the first edit's day to the day of the end.
const DAYS: i64 = 42;
/// Day of the night; the night before the day before the end.
const NIGHT: i64 = DAYS - 2;
const WORK: Range<i64> = hour(7) + 2400..hour(17) + 1800;
const HOURS_OF_NIGHT: Range<i64> = hour(1) + 600..hour(3) + 2400;
const MORNING: Range<i64> = hour(8) + 1200..hour(10) + 1800;
/// Working days over which the files come into being.
const SETTING_UP: usize = 9;
const KILO: u64 = 1000;

const fn hour(hours: i64) -> i64 {
    hours * 3600
}

/// The bundled scenario and what one needs to know to play it.
#[derive(Debug, Clone)]
pub struct Incident {
    /// All edits; none after `ends_at`.
    pub source: WorldSource,
    /// The three folders, each to be read through another provider; paths from the root, without a leading `/`.
    pub folders: [(Provider, String); 3],
    /// Evening before the night, after work: a good moment for a first harvest.
    pub first_poll: Timestamp,
    /// First and last moment in which the damage is done; all of it lies between.
    pub night: (Timestamp, Timestamp),
    /// Person through whose account the agent works.
    pub account: Actor,
}

/// Six weeks at acme.example, ending before the UTC day of `ends_at`: finance closes a month, legal keeps contracts, marketing
/// prepares a launch. Two nights before that day, from 01:10 to 03:40 UTC, an agent working through one person's account
/// overwrites spreadsheets, gives files other names, moves a folder and deletes dozens of files in all three folders; in the
/// evening before, the CLAUDE.md of each folder was changed. In the morning people bring a few things back. The same
/// `ends_at` gives the same edits.
pub fn incident(ends_at: Timestamp) -> Incident {
    let mut script = Script::new(ends_at, DAYS);
    weeks(&mut script);
    script.remember();
    evening(&mut script);
    night(&mut script);
    morning(&mut script);
    day_after(&mut script);
    let [finance, legal, marketing] = DEPARTMENTS.map(|department| department.folder.to_owned());
    Incident {
        folders: [
            (Provider::OneDrive, finance),
            (Provider::GoogleDrive, legal),
            (Provider::Dropbox, marketing),
        ],
        first_poll: script.moment(NIGHT - 1, hour(18) + 1800),
        night: (
            script.moment(NIGHT, HOURS_OF_NIGHT.start),
            script.moment(NIGHT, HOURS_OF_NIGHT.end),
        ),
        account: (*Who::Mei.actor()).clone(),
        source: WorldSource::from_edits(script.into_edits()),
    }
}

/// Ordinary work up to the evening before the night.
fn weeks(script: &mut Script) {
    let mut workday = 0;
    for day in 0..NIGHT {
        if !script.is_workday(day) {
            continue;
        }
        let mut deeds = first_saves(workday);
        deeds.extend(
            arrangements()
                .into_iter()
                .filter(|(on, _, _)| *on == workday)
                .map(|(_, who, deed)| (Hand::Person(who), deed)),
        );
        script.play(day, WORK.start..hour(11), deeds);
        let saves = if workday == 0 { 0 } else { 4 + script.random(4) };
        let deeds = (0..saves).filter_map(|_| routine(script)).collect();
        script.play(day, hour(11)..WORK.end, deeds);
        if workday >= 12 && workday.is_multiple_of(3) {
            script.play(day, WORK.end..hour(18), with_the_agent(workday));
        }
        workday += 1;
    }
}

/// Files that come into being on a working day, each by somebody of its department.
fn first_saves(workday: usize) -> Vec<(Hand, Deed)> {
    let mut deeds = Vec::new();
    for department in DEPARTMENTS {
        let count = department.files.len();
        for (place, (path, kilobytes)) in department.files.iter().enumerate() {
            if place * SETTING_UP / count == workday {
                let deed = Deed::Save(department.path(path), kilobytes * KILO);
                deeds.push((Hand::Person(department.person(place)), deed));
            }
        }
        if workday == 3 {
            let deed = Deed::Save(department.path("CLAUDE.md"), 1830);
            deeds.push((Hand::Person(department.person(0)), deed));
        }
    }
    deeds
}

/// Ordinary renames, moves and deletions: working day, by whom, what.
fn arrangements() -> Vec<(usize, Who, Deed)> {
    let [finance, legal, marketing] = DEPARTMENTS;
    let change = |department: &Department, from, to| Deed::Move(department.path(from), department.path(to));
    let intake = "Legal/Intake/Halden order form.docx".to_owned();
    let drafted = legal.path("Drafts/Halden order form.docx");
    vec![
        (
            9,
            Who::Ingrid,
            change(
                finance,
                "Accruals draft.xlsx",
                "02 Accruals/Accruals schedule.xlsx",
            ),
        ),
        (
            10,
            Who::Kwame,
            change(
                legal,
                "Drafts/Osprey Logistics MSA.docx",
                "Signed/Osprey Logistics MSA.docx",
            ),
        ),
        (12, Who::Hannah, Deed::Delete(marketing.path("Old banner.png"))),
        (13, Who::Elena, Deed::Save(intake.clone(), 27 * KILO)),
        (
            14,
            Who::Jonas,
            change(marketing, "Press release v1.docx", "Press release v2.docx"),
        ),
        (15, Who::Elena, Deed::Move(intake, drafted)),
        (
            17,
            Who::Elena,
            change(legal, "Drafts/Northfold NDA.docx", "Signed/Northfold NDA.docx"),
        ),
        (18, Who::Tomas, Deed::Delete(finance.path("Scratch.xlsx"))),
        (21, Who::Hannah, change(marketing, "Assets", "Creative assets")),
    ]
}

/// Somebody saves one of their department's working files.
fn routine(script: &mut Script) -> Option<(Hand, Deed)> {
    let department = *DEPARTMENTS.get(script.random(3) as usize)?;
    let folder = department.path("");
    let working: Vec<(String, u64)> = script
        .files(&folder)
        .filter(|(path, _)| is_working_file(path))
        .map(|(path, size)| (path.to_owned(), size))
        .collect();
    let place = script.random(working.len() as u64);
    let (path, size) = working.get(place as usize)?.clone();
    let who = department.person(script.random(64) as usize);
    // A few per cent more or less.
    let size = size * (97 + script.random(8)) / 100 + script.random(KILO);
    Some((Hand::Person(who), Deed::Save(path, size)))
}

fn is_working_file(path: &str) -> bool {
    let settled = ["/Signed/", "/Prior close/", "/Moodboards/"];
    [".xlsx", ".docx", ".pptx"].iter().any(|end| path.ends_with(end))
        && !settled.iter().any(|folder| path.contains(folder))
}

/// The agent at its ordinary work.
fn with_the_agent(workday: usize) -> Vec<(Hand, Deed)> {
    let tasks = [
        ("Close checklist.xlsx", 90),
        ("Signature authority.xlsx", 43),
        ("Event run sheet.xlsx", 66),
    ];
    let place = workday / 3 % tasks.len();
    let task = DEPARTMENTS.iter().zip(tasks).nth(place);
    task.map(|(department, (path, kilobytes))| {
        let size = (kilobytes + workday as u64) * KILO;
        (Hand::Agent, Deed::Save(department.path(path), size))
    })
    .into_iter()
    .collect()
}

/// The conventions for the agent get a new paragraph in each folder.
fn evening(script: &mut Script) {
    let deeds = DEPARTMENTS
        .iter()
        .map(|department| {
            let deed = Deed::Save(department.path("CLAUDE.md"), 2410);
            (Hand::Person(Who::Mei), deed)
        })
        .collect();
    script.play(NIGHT - 1, hour(21) + 1800..hour(22), deeds);
}

fn night(script: &mut Script) {
    let deeds: Vec<(Hand, Deed)> = DEPARTMENTS
        .iter()
        .flat_map(|department| damage(script, department))
        .map(|deed| (Hand::Agent, deed))
        .collect();
    script.play(NIGHT, HOURS_OF_NIGHT, deeds);
}

/// What the agent does to one folder.
fn damage(script: &Script, department: &Department) -> Vec<Deed> {
    let overwritten = department.overwritten.iter().enumerate().map(|(place, path)| {
        let size = (4 + place as u64) * KILO + 218;
        Deed::Save(department.path(path), size)
    });
    let moved = department
        .hidden
        .iter()
        .map(|(from, to)| Deed::Move(department.path(from), department.path(to)));
    let inside = |folders: &[&str]| -> Vec<String> {
        let mut paths = Vec::new();
        for folder in folders {
            let prefix = department.path(&format!("{folder}/"));
            paths.extend(script.files(&prefix).map(|(path, _)| path.to_owned()));
        }
        paths
    };
    let renamed = inside(department.tidied).into_iter().map(|path| {
        let to = tidy(&path);
        Deed::Move(path, to)
    });
    let deleted = inside(department.stale).into_iter().map(Deed::Delete);
    overwritten.chain(moved).chain(renamed).chain(deleted).collect()
}

/// The same folder, and the file's name in small letters with hyphens for spaces.
fn tidy(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    format!("{folder}/{}", name.to_lowercase().replace(' ', "-"))
}

/// People bring back a few of the files and two of the spreadsheets.
fn morning(script: &mut Script) {
    let [finance, legal, _] = DEPARTMENTS;
    let mut deeds = vec![
        (
            Hand::Person(Who::Priya),
            Deed::PutBack(finance.path("Trial balance.xlsx")),
        ),
        (
            Hand::Person(Who::Kwame),
            Deed::PutBack(legal.path("Contract register.xlsx")),
        ),
    ];
    for department in DEPARTMENTS {
        for (from, to) in department.hidden {
            let deed = Deed::Move(department.path(to), department.path(from));
            deeds.push((Hand::Person(department.person(0)), deed));
        }
        for (who, path) in department.rescued {
            deeds.push((Hand::Person(*who), Deed::Restore(department.path(path))));
        }
    }
    script.play(NIGHT, MORNING, deeds);
}

/// Work goes on, and the conventions are taken back.
fn day_after(script: &mut Script) {
    let mut deeds: Vec<(Hand, Deed)> = DEPARTMENTS
        .iter()
        .map(|department| {
            let deed = Deed::PutBack(department.path("CLAUDE.md"));
            (Hand::Person(department.person(0)), deed)
        })
        .collect();
    deeds.extend((0..5).filter_map(|_| routine(script)));
    script.play(NIGHT + 1, WORK, deeds);
}

#[cfg(test)]
mod tests;
