//! Golden mappings, one record per oddity in `tests/data`.

use revtrail_connector::change::{Change, Location};
use revtrail_model::event::{Actor, ActorDetails, ActorKind, Application};
use rstest::rstest;

use super::*;
use crate::{error::operation, wire::Collection};

macro_rules! data {
    ($name:literal) => {
        include_str!(concat!("../../tests/data/", $name, ".json")).trim_end()
    };
}

const SOURCE: Source<'_> = Source {
    operation: operation::CHANGES,
    request_id: Some("req-1"),
};

fn record(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn mapped(text: &str) -> Change {
    change(&record(text), SOURCE).unwrap()
}

fn live(text: &str) -> (ItemMeta, u32) {
    let Change { seen, raw } = mapped(text);
    match seen {
        Seen::Present(meta) => (meta, raw.unknown),
        other => panic!("not present: {other:?}"),
    }
}

fn at(text: &str) -> Timestamp {
    time::parse(text).unwrap()
}

fn person(id: Option<&str>, email: Option<&str>, name: Option<&str>) -> Actor {
    Actor {
        kind: ActorKind::User,
        details: ActorDetails {
            email: email.map(Into::into),
            id: id.map(Into::into),
            name: name.map(Into::into),
            on_behalf_of: None,
        },
        application: None,
    }
}

fn hashes_of(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(algorithm, value)| ((*algorithm).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn a_business_file_is_mapped_whole() {
    let (meta, unknown) = live(data!("item-file"));
    assert_eq!(
        meta,
        ItemMeta {
            id: "01KQFILE".into(),
            kind: ItemKind::File,
            name: Some("plan.xlsx".into()),
            location: Location::Parent(Some("01KQFOLDER".into())),
            created: Some(Creation {
                at: at("2026-01-05T09:30:00Z"),
                source: TimeSource::Server,
                actor: Some(person(None, Some("ada@example.com"), Some("Ada Example"))),
            }),
            head: Some(Head {
                marker: "|48213|q83vASNFZ4mrze8BI0VniavN7wE=|2026-03-04T10:11:12.1234567Z".into(),
                revision: None,
                modified_at: Some(at("2026-03-04T10:11:12.1234567Z")),
                size_bytes: Some(48213),
                hashes: hashes_of(&[("quickxor", "q83vASNFZ4mrze8BI0VniavN7wE=")]),
            }),
            mime_type: Some("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".into()),
        }
    );
    assert_eq!(unknown, 0);
}

#[test]
fn a_folder_has_its_creator_and_no_head() {
    let (meta, _) = live(data!("item-folder"));
    assert_eq!(meta.kind, ItemKind::Folder);
    assert_eq!(meta.head, None);
    assert_eq!(
        meta.created.unwrap().actor,
        Some(person(
            Some("5e1c1f0a-0000-4000-8000-00000000000a"),
            Some("ada@example.com"),
            Some("Ada Example")
        ))
    );
}

#[test]
fn the_root_is_a_folder_without_a_parent() {
    let (meta, unknown) = live(data!("item-root"));
    assert_eq!(
        (meta.kind, meta.location, unknown),
        (ItemKind::Folder, Location::Parent(None), 0)
    );
}

#[test]
fn a_file_without_tag_creator_or_digest_still_has_a_marker() {
    let (meta, _) = live(data!("item-file-without-ctag"));
    let head = meta.head.unwrap();
    assert_eq!(head.marker, "|12||2026-01-06T00:00:00Z");
    assert_eq!(head.hashes, BTreeMap::new());
    let created = meta.created.unwrap();
    assert_eq!((created.at, created.actor), (at("2026-01-05T08:30:00Z"), None));
}

#[test]
fn a_personal_file_keeps_three_digests_and_names_the_application() {
    let (meta, unknown) = live(data!("item-file-personal-hashes"));
    assert_eq!(
        meta.head.unwrap().hashes,
        hashes_of(&[
            ("quickxor", "q83vASNFZ4mrze8BI0VniavN7wE="),
            ("sha1", "0123456789ABCDEF0123456789ABCDEF01234567"),
            ("sha256", "AA00"),
        ])
    );
    let actor = meta.created.unwrap().actor.unwrap();
    assert_eq!(actor.kind, ActorKind::User);
    assert_eq!(
        actor.application,
        Some(Application {
            id: Some("48ff".into()),
            name: Some("Scanner".into())
        })
    );
    assert_eq!(unknown, 0);
}

#[rstest]
#[case::placeholder(data!("item-file-placeholder-hash"), &[])]
#[case::truly_empty(data!("item-file-empty"), &[("quickxor", EMPTY_QUICKXOR)])]
fn the_digest_of_nothing_counts_for_empty_files_only(#[case] text: &str, #[case] expected: &[(&str, &str)]) {
    assert_eq!(live(text).0.head.unwrap().hashes, hashes_of(expected));
}

#[rstest]
#[case::notebook(data!("item-notebook"), ItemKind::Folder, 0)]
#[case::shortcut(data!("item-shortcut"), ItemKind::Other, 0)]
#[case::no_facet(data!("item-without-facet"), ItemKind::Other, 1)]
#[case::malware(data!("item-malware"), ItemKind::File, 0)]
#[case::orphan(data!("item-orphan"), ItemKind::Folder, 0)]
#[case::new_members(data!("item-unknown-members"), ItemKind::File, 2)]
fn kinds_and_unknown_members(#[case] text: &str, #[case] kind: ItemKind, #[case] unknown: u32) {
    let (meta, counted) = live(text);
    assert_eq!((meta.kind, counted), (kind, unknown));
    assert_eq!(meta.head.is_some(), kind == ItemKind::File);
}

/// The feed of a business drive shows a file without `cTag`, a listing with it, and either with its own number of digits.
#[rstest]
#[case::business("01ABC", r#""cTag":"\"c:{A},7\"","#, "2026-03-04T10:11:12.5Z", true)]
#[case::digits("01ABC", "", "2026-03-04T10:11:12.5000000Z", true)]
#[case::another_time("01ABC", "", "2026-03-04T10:11:12.6Z", false)]
#[case::another_tag_on_a_personal_drive(
    "A1B2C3D4E5F60718!103",
    r#""cTag":"aYzpB","#,
    "2026-03-04T10:11:12.5Z",
    false
)]
fn a_state_has_one_marker_wherever_it_is_shown(
    #[case] id: &str,
    #[case] tag: &str,
    #[case] time: &str,
    #[case] same: bool,
) {
    let marker = |tag: &str, time: &str| {
        let item = format!(
            r#"{{"id":"{id}",{tag}"name":"a.txt","file":{{}},"size":12,"lastModifiedDateTime":"{time}"}}"#
        );
        live(&item).0.head.unwrap().marker
    };
    let in_the_feed = marker("", "2026-03-04T10:11:12.5Z");
    assert_eq!(marker(tag, time) == in_the_feed, same);
}

#[test]
fn an_orphan_has_neither_name_nor_parent() {
    let (meta, _) = live(data!("item-orphan"));
    assert_eq!((meta.name, meta.location), (None, Location::Parent(None)));
}

#[test]
fn odd_times_and_sizes_are_not_told_rather_than_guessed() {
    let (meta, unknown) = live(data!("item-odd-times"));
    let head = meta.head.unwrap();
    assert_eq!(
        (meta.created, head.modified_at, head.size_bytes),
        (None, None, None)
    );
    assert_eq!(head.marker, "|||last week");
    assert_eq!(
        unknown, 1,
        "the unreadable time; the year 1 is a known placeholder"
    );
}

#[rstest]
#[case::business(data!("tombstone-business"), "01KQFILE", Some("01KQFOLDER"), Some(ItemKind::File))]
#[case::year_one(data!("tombstone-year-one"), "01KQGONE", None, None)]
#[case::folder(
    data!("tombstone-folder-personal"),
    "A1B2C3D4E5F60718!101",
    Some("A1B2C3D4E5F60718!100"),
    Some(ItemKind::Folder)
)]
#[case::annotation(data!("tombstone-removed-annotation"), "01KQREMOVED", None, None)]
fn tombstones(
    #[case] text: &str,
    #[case] id: &str,
    #[case] parent: Option<&str>,
    #[case] kind: Option<ItemKind>,
) {
    let change = mapped(text);
    assert_eq!(
        change.seen,
        Seen::Deleted {
            id: id.into(),
            parent: parent.map(Into::into),
            kind
        }
    );
    assert_eq!(change.raw.unknown, 0);
}

#[test]
fn the_bytes_are_kept_as_received() {
    let page = format!(
        "{{\"value\": [ {} ] , \"more\":1}}",
        "{ \"id\":\"x\",\n \"file\":{}, \"size\":1e0 }"
    );
    // An exponent is a number all the same, but not an integer for the parser: the record is refused, not rewritten.
    let page: Collection = serde_json::from_str(&page).unwrap();
    assert!(matches!(
        change(&page.value[0], SOURCE),
        Err(RecordError::Form(_))
    ));
    let text = "{ \"id\":\"x\",\n \"file\":{} ,\"name\":\"\\u00fc\" }";
    let raw = mapped(text).raw;
    assert_eq!(raw.body, text);
    assert_eq!(
        (raw.operation, raw.request_id.as_deref()),
        ("drive.changes", Some("req-1"))
    );
}

#[test]
fn a_record_without_an_id_is_refused() {
    assert!(matches!(
        change(&record(data!("item-without-id")), SOURCE),
        Err(RecordError::Form(error)) if error.to_string().contains("missing field `id`")
    ));
}

#[rstest]
#[case::folder(data!("item-folder"), true)]
#[case::notebook(data!("item-notebook"), true)]
#[case::shortcut(data!("item-shortcut"), false)]
#[case::file(data!("item-file"), false)]
#[case::deleted_folder(data!("tombstone-folder-personal"), false)]
fn walks_into(#[case] text: &str, #[case] expected: bool) {
    assert_eq!(walkable(&record(text)).is_some(), expected);
}

#[rstest]
#[case::folder(data!("item-folder"), Some("01KQFOLDER"))]
#[case::root(data!("item-root"), Some("01KQ7V3EN6Y2GOVW7725BZO354PWSELRRZ"))]
#[case::file(data!("item-file"), None)]
#[case::shortcut(data!("item-shortcut"), None)]
#[case::notebook(data!("item-notebook"), None)]
fn designates(#[case] text: &str, #[case] expected: Option<&str>) {
    let found = folder(&record(text)).unwrap().map(|folder| folder.item);
    assert_eq!(found, expected.map(ItemId::from));
}

fn revisions() -> Vec<Revision> {
    let page: Collection = serde_json::from_str(data!("versions-newest-first")).unwrap();
    let item = ItemId::from("01KQFILE");
    page.value
        .iter()
        .map(|record| revision(record, &item, SOURCE).unwrap())
        .collect()
}

fn file_head() -> Head {
    live(data!("item-file")).0.head.unwrap()
}

#[test]
fn versions_come_oldest_first_and_once() {
    let list = oldest_first(revisions(), None);
    let told: Vec<_> = list
        .iter()
        .map(|revision| (revision.id.as_str(), revision.at.to_string(), revision.size_bytes))
        .collect();
    assert_eq!(
        told,
        [
            (
                "D0D0D0D0-58CE-4FAB-9B87-D6C49E74F298",
                "2026-01-05T09:30:00Z".to_owned(),
                Some(5820)
            ),
            ("0.1", "2026-02-01T00:00:00Z".to_owned(), Some(5820)),
            ("4.0", "2026-03-04T10:11:12.1234567Z".to_owned(), Some(48213)),
        ]
    );
    let unknown: Vec<_> = list.iter().map(|revision| revision.raw.unknown).collect();
    assert_eq!(unknown, [1, 0, 0]);
    assert!(list.iter().all(|revision| revision.hashes.is_empty()));
}

#[test]
fn each_version_has_its_own_actor() {
    let list = oldest_first(revisions(), None);
    assert_eq!(list[0].actor.as_ref().unwrap().kind, ActorKind::Application);
    assert_eq!(
        list[1].actor,
        Some(person(Some("u-ada"), Some("ada@example.com"), None))
    );
    assert_eq!(
        list[2].actor,
        Some(person(Some("u-bo"), Some("bo@example.com"), Some("Bo")))
    );
}

#[test]
fn only_the_newest_version_gets_the_digest_of_the_present_content() {
    let list = oldest_first(revisions(), Some(&file_head()));
    assert_eq!(
        list[2].hashes,
        hashes_of(&[("quickxor", "q83vASNFZ4mrze8BI0VniavN7wE=")])
    );
    assert!(list[0].hashes.is_empty() && list[1].hashes.is_empty());
}

#[rstest]
#[case::saved_between_the_readings(Head { modified_at: Some(at("2026-03-04T10:11:13Z")), ..file_head() })]
#[case::size_rewritten(Head { size_bytes: Some(48214), ..file_head() })]
#[case::size_not_told(Head { size_bytes: None, ..file_head() })]
fn no_digest_is_given_when_the_content_may_differ(#[case] head: Head) {
    let list = oldest_first(revisions(), Some(&head));
    assert!(list.iter().all(|revision| revision.hashes.is_empty()));
}

#[test]
fn a_version_without_a_time_is_refused_by_id() {
    let error = revision(&record(data!("version-without-time")), &"i".into(), SOURCE).unwrap_err();
    assert_eq!(error.to_string(), "version 2.0 has no readable time");
}

/// Runs every collected payload through every parser: none may panic, and the well-formed ones must map.
#[test]
#[expect(clippy::print_stderr, reason = "says that optional data is absent")]
fn collected_payloads_are_read_without_panic() {
    let Some(data) = std::env::var_os("REVTRAIL_TEST_DATA") else {
        eprintln!("skipped: REVTRAIL_TEST_DATA is not set");
        return;
    };
    let folder = std::path::Path::new(&data).join("providers/onedrive/examples");
    let (mut entries, mut versions, mut codes) = (0, 0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let whole: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text).unwrap_or_default();
        let body = whole.get("body").map_or(text.as_str(), |body| body.get());
        codes += usize::from(crate::error::Refusal::read(body.as_bytes()).code().is_some());
        let records = match serde_json::from_str::<Collection>(body) {
            Ok(page) => page.value,
            Err(_) => serde_json::from_str::<Box<RawValue>>(body).into_iter().collect(),
        };
        for record in records {
            entries += usize::from(change(&record, SOURCE).is_ok());
            versions += usize::from(revision(&record, &"i".into(), SOURCE).is_ok());
        }
    }
    assert!(
        entries >= 20 && versions >= 5 && codes >= 8,
        "{entries} {versions} {codes}"
    );
}

#[rstest]
#[case::none_missing(&["1.0", "2.0", "3.0"], &[0, 0, 0])]
#[case::thinned(&["1.0", "4.0", "5.0"], &[0, 2, 0])]
#[case::drafts(&["0.1", "0.2", "1.0", "1.1", "3.0"], &[0, 0, 0, 0, 1])]
#[case::other_forms(&["1.0", "9f3c", "7.0"], &[0, 0, 0])]
fn numbers_tell_of_versions_that_were_removed(#[case] ids: &[&str], #[case] expected: &[u64]) {
    let some = revisions().remove(0);
    let newest_first = ids.iter().rev().map(|id| Revision {
        id: (*id).into(),
        ..some.clone()
    });
    let listed = oldest_first(newest_first.collect(), None);
    let skipped: Vec<u64> = listed.iter().map(|revision| revision.skipped).collect();
    assert_eq!(skipped, expected);
}
