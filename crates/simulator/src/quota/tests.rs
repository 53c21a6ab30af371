use super::*;
use crate::sim::{Options, Sim};
use crate::source::WorldSource;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ledger(onedrive_per_minute: u64, onedrive_per_day: u64) -> Ledger {
    Ledger::new(Some(Quota {
        onedrive_per_minute,
        onedrive_per_day,
        ..Quota::PUBLISHED
    }))
}

#[test]
fn a_minute_is_spent_and_the_next_begins_with_the_next_request() {
    let ledger = ledger(10, 1000);
    let charge = |at, units| ledger.charge_at(at, Provider::OneDrive, units);
    assert_eq!(charge(seconds(5), 8), None);
    assert_eq!(charge(seconds(6), 2), None);
    assert_eq!(charge(Duration::from_millis(34_500), 1), Some(31));
    assert_eq!(charge(seconds(65), 10), None);
    assert_eq!(charge(seconds(66), 1), Some(59));
    assert_eq!(charge(seconds(124), 1), Some(1));
    assert_eq!(charge(seconds(300), 11), Some(60));
    let used = ledger.used()[&Provider::OneDrive];
    assert_eq!((used.units, used.refused), (34, 4));
}

#[test]
fn the_narrowest_window_says_how_long() {
    let ledger = ledger(10, 15);
    assert_eq!(ledger.charge_at(seconds(0), Provider::OneDrive, 10), None);
    assert_eq!(
        ledger.charge_at(seconds(60), Provider::OneDrive, 10),
        Some(86_340)
    );
    assert_eq!(
        ledger.charge_at(seconds(60), Provider::GoogleDrive, 325_000),
        None
    );
    assert_eq!(ledger.charge_at(seconds(61), Provider::GoogleDrive, 5), Some(59));
}

#[test]
fn what_all_apps_and_all_users_share_binds_too() {
    let ledger = Ledger::new(Some(Quota {
        onedrive_tenant_per_five_minutes: 1000,
        google_drive_project_per_minute: 900,
        ..Quota::PUBLISHED
    }));
    let onedrive = |at, units| ledger.charge_at(seconds(at), Provider::OneDrive, units);
    assert_eq!(onedrive(0, 600), None);
    assert_eq!(onedrive(70, 401), Some(230));
    assert_eq!(onedrive(300, 600), None);
    let google = |at, units| ledger.charge_at(seconds(at), Provider::GoogleDrive, units);
    assert_eq!(google(0, 900), None);
    assert_eq!(google(1, 5), Some(59));
    assert_eq!(google(60, 900), None);
}

#[test]
fn four_fifths_are_announced() {
    let ledger = ledger(1250, 1_200_000);
    let announced = |at| ledger.announced_at(at, Provider::OneDrive);
    assert_eq!(announced(seconds(0)), None);
    assert_eq!(ledger.charge_at(seconds(0), Provider::OneDrive, 999), None);
    assert_eq!(announced(seconds(30)), None);
    assert_eq!(ledger.charge_at(seconds(30), Provider::OneDrive, 1), None);
    assert_eq!(announced(seconds(30)), Some((1250, 250, 30)));
    assert_eq!(ledger.charge_at(seconds(40), Provider::OneDrive, 400), Some(20));
    assert_eq!(announced(seconds(41)), Some((1250, 0, 19)));
    assert_eq!(announced(seconds(60)), None);
}

#[test]
fn without_a_quota_units_are_counted_all_the_same() {
    let ledger = Ledger::new(None);
    assert_eq!(ledger.charge_at(seconds(0), Provider::Dropbox, 1_000_000), None);
    ledger.count(Provider::Dropbox);
    assert_eq!(
        ledger.used()[&Provider::Dropbox],
        Use {
            requests: 1,
            units: 1_000_000,
            refused: 0
        }
    );
    ledger.reset();
    assert_eq!(ledger.used()[&Provider::Dropbox], Use::default());
}

#[test]
fn a_quota_grows_by_a_factor() {
    let quota = Quota::PUBLISHED.times(20);
    assert_eq!(
        (quota.onedrive_per_minute, quota.dropbox_per_minute),
        (25_000, 10_000)
    );
    assert_eq!(
        (quota.onedrive_per_day, quota.google_drive_per_minute),
        (24_000_000, 6_500_000)
    );
}

#[test]
fn requests_cost_what_the_tables_say() {
    let sim = Sim::new(WorldSource::from_edits(Vec::new()), Options::default());
    let units = |provider, operation, target| cost(&sim.begin(provider, operation), target);
    let onedrive = |operation, target| units(Provider::OneDrive, operation, target);
    for (operation, target, expected) in [
        ("token", "/t/oauth2/v2.0/token", 0),
        ("batch", "/v1.0/$batch", 0),
        ("item", "/v1.0/drives/d/items/1", 1),
        ("item", "/v1.0/drives/d/items/1?$expand=permissions", 5),
        ("children", "/v1.0/drives/d/items/1/children", 2),
        ("versions", "drives/d/items/1/versions?$select=id", 2),
        ("delta", "/v1.0/drives/d/root/delta?$top=1000", 2),
        ("delta", "/v1.0/drives/d/root/delta(token='x')?$top=1000", 1),
        ("delta", "/v1.0/drives/d/root/delta?token=latest", 1),
        ("site", "/v1.0/sites/s/drives?$select=id", 2),
        ("site", "/v1.0/sites/s/drive", 1),
        ("content", "/v1.0/drives/d/items/1/content", 1),
        ("content", "/_layouts/15/download.aspx?x=1", 0),
    ] {
        assert_eq!(onedrive(operation, target), expected, "{operation} {target}");
    }
    let google = |operation, target| units(Provider::GoogleDrive, operation, target);
    for (operation, target, expected) in [
        ("token", "/token", 0),
        ("batch", "/batch/drive/v3", 0),
        ("about", "/drive/v3/about", 5),
        ("file", "/drive/v3/files/1", 5),
        ("files", "/drive/v3/files?q=x", 100),
        ("changes", "/drive/v3/changes", 100),
        ("revisions", "/drive/v3/files/1/revisions", 100),
        ("drives", "/drive/v3/drives?pageSize=1", 100),
        ("drives", "/drive/v3/drives/0A", 5),
        ("content", "/drive/v3/files/1?alt=media", 200),
    ] {
        assert_eq!(google(operation, target), expected, "{operation} {target}");
    }
    let dropbox = |operation| units(Provider::Dropbox, operation, "");
    assert_eq!((dropbox("list_folder"), dropbox("token")), (1, 0));
}
