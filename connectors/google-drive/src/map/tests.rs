use rstest::rstest;

use super::*;

const SOURCE: Source<'static> = Source {
    operation: "changes.list",
    request_id: Some("r-1"),
};

macro_rules! data {
    ($name:literal) => {
        include_str!(concat!("../../tests/data/", $name, ".json"))
    };
}

fn record(json: &str) -> Box<RawValue> {
    serde_json::from_str(json).unwrap()
}

fn listed(json: &str) -> Change {
    item(&record(json), SOURCE).unwrap()
}

fn logged(json: &str) -> Change {
    change(&record(json), SOURCE).unwrap().unwrap()
}

fn present(change: &Change) -> &ItemMeta {
    match &change.seen {
        Seen::Present(meta) => meta,
        other => panic!("unexpected {other:?}"),
    }
}

fn trashed(change: &Change) -> (&ItemMeta, &Trashing) {
    match &change.seen {
        Seen::Trashed(meta, trashing) => (meta, trashing),
        other => panic!("unexpected {other:?}"),
    }
}

fn revisions(json: &str) -> Vec<Revision> {
    let page: wire::RevisionList = serde_json::from_str(json).unwrap();
    let item = ItemId::from("1Blob");
    page.revisions
        .iter()
        .map(|record| revision(record, &item, SOURCE).unwrap())
        .collect()
}

fn at(text: &str) -> Timestamp {
    time::parse(text).unwrap()
}

fn person(id: &str, email: &str, name: &str) -> Actor {
    Actor {
        kind: ActorKind::User,
        details: ActorDetails {
            email: Some(email.into()),
            id: Some(id.into()),
            name: Some(name.into()),
            on_behalf_of: None,
        },
        application: None,
    }
}

fn ids(list: &RevisionList) -> Vec<&str> {
    list.revisions
        .iter()
        .map(|revision| revision.id.as_str())
        .collect()
}

#[test]
fn a_file_with_content_is_mapped_whole() {
    let change = listed(data!("file_with_content"));
    assert_eq!(
        *present(&change),
        ItemMeta {
            id: "1Blob".into(),
            kind: ItemKind::File,
            name: Some("ledger.pdf".into()),
            location: Location::Parent(Some("1Close".into())),
            created: Some(Creation {
                at: at("2026-03-01T08:00:00Z"),
                source: TimeSource::Client,
                actor: None,
            }),
            head: Some(Head {
                marker: "0BRev2|2026-03-05T09:30:00.250Z|92eb5ffee6ae2fec3ad71c777531578f".into(),
                revision: Some("0BRev2".into()),
                modified_at: Some(at("2026-03-05T09:30:00.25Z")),
                size_bytes: Some(20992),
                hashes: BTreeMap::from([
                    ("md5".into(), "92eb5ffee6ae2fec3ad71c777531578f".into()),
                    ("sha1".into(), "e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98".into()),
                    (
                        "sha256".into(),
                        "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d".into()
                    ),
                ]),
            }),
            mime_type: Some("application/pdf".into()),
        }
    );
    assert_eq!(
        change.raw,
        Raw {
            body: data!("file_with_content").trim_end().to_owned(),
            operation: "changes.list",
            request_id: Some("r-1".into()),
            unknown: 0,
        }
    );
}

#[test]
fn a_file_of_the_editors_is_marked_by_its_time() {
    let change = listed(data!("file_of_the_editors"));
    let head = present(&change).head.clone().unwrap();
    assert_eq!(head.marker, "2026-03-05T09:30:00.250Z");
    assert_eq!(
        (head.revision, head.size_bytes, head.hashes.len()),
        (None, Some(1024), 0)
    );
}

#[rstest]
#[case::folder(data!("folder"), ItemKind::Folder, 0)]
#[case::shortcut(data!("shortcut"), ItemKind::Other, 0)]
#[case::another_vendor(data!("file_of_another_vendor"), ItemKind::Other, 0)]
#[case::no_type(data!("file_without_a_type"), ItemKind::Other, 1)]
fn what_has_no_content_has_no_head(#[case] json: &str, #[case] kind: ItemKind, #[case] unknown: u32) {
    let change = listed(json);
    let meta = present(&change);
    assert_eq!(
        (meta.kind, &meta.head, change.raw.unknown),
        (kind, &None, unknown)
    );
    assert_eq!(folder(&change).is_some(), kind == ItemKind::Folder);
}

#[test]
fn a_parent_that_is_not_visible_is_not_told() {
    let change = listed(data!("parent_not_visible"));
    assert_eq!(present(&change).location, Location::Parent(None));
}

#[test]
fn my_drive_does_not_tell_who_trashed_an_item() {
    let change = logged(data!("trashed_in_my_drive"));
    let (meta, trashing) = trashed(&change);
    assert_eq!(meta.id, "1Blob".into());
    assert_eq!(
        *trashing,
        Trashing {
            through: TrashedThrough::Itself,
            at: None,
            actor: None,
        }
    );
}

#[test]
fn a_shared_drive_tells_who_trashed_an_item() {
    let change = logged(data!("trashed_on_a_shared_drive"));
    let (_, trashing) = trashed(&change);
    assert_eq!(
        *trashing,
        Trashing {
            through: TrashedThrough::Itself,
            at: Some(at("2026-03-06T10:00:00Z")),
            actor: Some(person("11293", "ben@acme.example", "Ben Osei")),
        }
    );
    assert_eq!(change.raw.unknown, 0);
}

#[test]
fn an_item_below_a_trashed_folder_was_trashed_through_it() {
    let change = listed(data!("trashed_through_a_folder"));
    assert_eq!(trashed(&change).1.through, TrashedThrough::Ancestor);
}

#[test]
fn a_removed_item_is_lost_not_deleted() {
    let change = logged(data!("removed"));
    assert_eq!(change.seen, Seen::Lost { id: "1Blob".into() });
    assert_eq!(change.raw.body, data!("removed").trim_end());
}

#[test]
fn an_entry_about_a_shared_drive_shows_no_item() {
    assert_eq!(
        change(&record(data!("joined_a_shared_drive")), SOURCE).unwrap(),
        None
    );
}

#[test]
fn an_entry_that_neither_removes_nor_shows_an_item_is_refused() {
    let error = change(&record(data!("change_without_a_file")), SOURCE).unwrap_err();
    assert_eq!(error.to_string(), "change of 1Blob shows no file");
}

#[test]
fn new_members_of_entry_and_file_are_counted() {
    let change = logged(data!("members_of_a_later_version"));
    assert_eq!(change.raw.unknown, 3);
    assert!(change.raw.body.contains("\"sealedBy\""));
    assert_eq!(present(&change).id, "1Blob".into());
}

#[test]
fn values_that_cannot_be_read_are_counted_and_left_out() {
    let change = listed(data!("time_out_of_the_calendar"));
    let meta = present(&change);
    assert_eq!((&meta.created, change.raw.unknown), (&None, 2));
    assert_eq!(meta.head.as_ref().unwrap().size_bytes, None);
}

#[test]
fn a_size_may_be_a_number() {
    let change = listed(data!("size_as_a_number"));
    assert_eq!(present(&change).head.as_ref().unwrap().size_bytes, Some(7));
}

#[test]
fn a_revision_is_mapped_whole() {
    let list = list(revisions(data!("revisions_out_of_order")), None);
    assert_eq!(ids(&list), ["0BRev0", "0BRev1", "0BRev2"]);
    let newest = &list.revisions[2];
    assert!(newest.raw.body.contains("\"keepForever\": false"));
    assert_eq!(
        *newest,
        Revision {
            item: "1Blob".into(),
            id: "0BRev2".into(),
            at: at("2026-03-05T09:30:00.25Z"),
            time_source: TimeSource::Client,
            claimed_at: Some(at("2026-03-05T09:30:00.25Z")),
            size_bytes: Some(20992),
            hashes: BTreeMap::from([("md5".into(), "92eb5ffee6ae2fec3ad71c777531578f".into())]),
            actor: Some(person("11293", "ben@acme.example", "Ben Osei")),
            place: None,
            mime_type: Some("application/pdf".into()),
            skipped: 0,
            raw: newest.raw.clone(),
        }
    );
    assert_eq!(
        (list.completeness, list.now),
        (Completeness::AsKept, Presence::NotTold)
    );
}

#[test]
fn a_service_account_is_a_program() {
    let list = list(revisions(data!("revisions_out_of_order")), None);
    let actor = list.revisions[1].actor.clone().unwrap();
    assert_eq!(actor.kind, ActorKind::Application);
    assert_eq!(actor.details.id.as_deref(), Some("07755"));
}

#[test]
fn the_head_revision_gets_the_digests_of_the_file() {
    let file = listed(data!("file_with_content"));
    let head = present(&file).head.as_ref();
    let list = list(revisions(data!("revisions_out_of_order")), head);
    let algorithms: Vec<Vec<&str>> = list
        .revisions
        .iter()
        .map(|revision| revision.hashes.keys().map(String::as_str).collect())
        .collect();
    assert_eq!(
        algorithms,
        [vec!["md5"], vec!["md5"], vec!["md5", "sha1", "sha256"]]
    );
}

#[test]
fn digests_of_other_content_are_not_given_away() {
    let file = listed(data!("file_with_content"));
    let mut head = present(&file).head.clone().unwrap();
    head.hashes.insert("md5".into(), "another".into());
    let list = list(revisions(data!("revisions_out_of_order")), Some(&head));
    assert_eq!(list.revisions[2].hashes.len(), 1);
}

#[test]
fn revisions_of_one_moment_stay_as_listed_and_count_once() {
    assert_eq!(
        ids(&list(revisions(data!("revisions_of_one_moment")), None)),
        ["b", "a"]
    );
}

#[test]
fn lists_of_the_editors_leave_revisions_out() {
    let list = list(revisions(data!("revisions_of_the_editors")), None);
    assert_eq!(list.completeness, Completeness::Truncated);
    let first = &list.revisions[0];
    assert_eq!((first.time_source, first.claimed_at), (TimeSource::Server, None));
    assert_eq!((first.size_bytes, first.hashes.len()), (None, 0));
}

#[test]
fn users_are_named_as_far_as_they_are_told() {
    let told: Vec<_> = revisions(data!("revisions_by_half_known_users"))
        .into_iter()
        .map(|revision| revision.actor.map(|actor| (actor.details.id, actor.details.name)))
        .collect();
    assert_eq!(
        told,
        [
            Some((Some("16160".into()), Some("Visitor".into()))),
            Some((Some("02020".into()), None)),
            None,
            None,
        ]
    );
}

#[test]
fn a_revision_without_a_time_is_refused() {
    let record = record(data!("revision_without_a_time"));
    let error = revision(&record, &"1Blob".into(), SOURCE).unwrap_err();
    assert_eq!(error.to_string(), "revision 0 has no readable time");
}

#[test]
fn new_members_of_a_revision_are_counted() {
    let record = record(data!("revision_of_a_later_version"));
    assert_eq!(revision(&record, &"1Blob".into(), SOURCE).unwrap().raw.unknown, 1);
}

/// Every recorded payload passes through the parsers; `REVTRAIL_TEST_DATA` names the folder that holds them.
#[test]
fn recorded_payloads_are_read() {
    let Some(root) = std::env::var_os("REVTRAIL_TEST_DATA") else {
        use std::io::Write as _;
        writeln!(std::io::stderr(), "skipped: REVTRAIL_TEST_DATA is not set").unwrap();
        return;
    };
    let folder = std::path::Path::new(&root).join("providers/google-drive/examples");
    let mut seen = (0, 0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        // Version 2 of the interface has another form.
        if !is_json || name.contains("-v2-") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        if name.starts_with("changes-list") {
            let page: wire::ChangeList = serde_json::from_str(&text).unwrap();
            assert!(
                page.next_page_token.is_some() != page.new_start_page_token.is_some(),
                "{name}"
            );
            for record in &page.changes {
                change(record, SOURCE).unwrap();
                seen.0 += 1;
            }
        } else if name.starts_with("files-list") {
            let page: wire::FileList = serde_json::from_str(&text).unwrap();
            for record in &page.files {
                item(record, SOURCE).unwrap();
                seen.1 += 1;
            }
        } else if name.starts_with("files-get") {
            listed(text.trim());
            seen.1 += 1;
        } else if name.starts_with("revisions-list") {
            seen.2 += list(revisions(&text), None).revisions.len();
        }
    }
    assert!(seen.0 > 0 && seen.1 > 0 && seen.2 > 0, "{seen:?}");
}
