//! The world every scenario begins with, and short words for edits.

use revtrail_simulator::{Edit, Timestamp};

pub(crate) fn at(day: u32, minute: u32) -> Timestamp {
    format!("2026-10-{day:02}T08:{minute:02}:00Z").parse().unwrap()
}

pub(crate) fn saved(edit: Edit, key: &str) -> Edit {
    edit.by("ada@acme.example").with_content(key)
}

/// What is there at the first look, on the 2nd: files in and beside the designated folder.
pub(crate) fn world() -> Vec<Edit> {
    let made = |minute, path: &str| saved(Edit::created(at(1, minute), path, 100 + u64::from(minute)), path);
    vec![
        made(1, "Handbook/z.txt"),
        made(2, "Handbook/a/x.txt"),
        made(3, "Handbook/a/b/y.txt"),
        made(4, "Handbook/c/w.txt"),
        made(5, "Elsewhere/o.txt"),
        made(6, "Elsewhere/dir/p.txt"),
        made(7, "Elsewhere/dir/sub/q.txt"),
        saved(Edit::modified(at(1, 8), "Handbook/a/x.txt", 222), "x2"),
    ]
}

pub(crate) fn modified(day: u32, minute: u32, path: &str, key: &str) -> Edit {
    saved(
        Edit::modified(at(day, minute), path, 300 + u64::from(minute)),
        key,
    )
}

pub(crate) fn renamed(day: u32, minute: u32, from: &str, to: &str) -> Edit {
    Edit::renamed(at(day, minute), from, to).by("bo@acme.example")
}

pub(crate) fn deleted(day: u32, minute: u32, path: &str) -> Edit {
    Edit::deleted(at(day, minute), path).by("bo@acme.example")
}

pub(crate) fn restored(day: u32, minute: u32, path: &str) -> Edit {
    Edit::restored(at(day, minute), path).by("bo@acme.example")
}

pub(crate) fn created(day: u32, minute: u32, path: &str, key: &str) -> Edit {
    saved(Edit::created(at(day, minute), path, 400 + u64::from(minute)), key)
}
