//! Audit logs, from the simulator's log to the answer of a question: who deleted, renamed, moved and saved.
#![expect(clippy::unwrap_used, reason = "tests")]

mod saves;

use std::collections::BTreeMap;

use revtrail_e2e::{
    Bench, FOLDER, Place,
    verifiers::{Case, auditor, script},
};
use revtrail_simulator::{
    Audit, AuditAccess, Credentials, Edit, Fault, FaultPlan, Lag, Options, Provider, Team, Timestamp,
    WorldSource, truth::audit::told,
};
use rstest::rstest;
use serde_json::Value;

const OWNER: &str = "owner@handbook.example";
const ALICE: &str = "alice@handbook.example";
const BOB: &str = "bob@handbook.example";
const CAROL: &str = "carol@handbook.example";

fn at(day: u32, hour: u32, minute: u32) -> Timestamp {
    format!("2026-10-{day:02}T{hour:02}:{minute:02}:00Z")
        .parse()
        .unwrap()
}

/// Before the look of the 2nd the owner sets up; on the 3rd others delete, rename and move.
fn world() -> Vec<Edit> {
    let set_up = ["a/f1.txt", "a/f2.txt", "b/f3.txt", "b/f4.txt", "f5.txt", "f6.txt"];
    let mut edits: Vec<Edit> = set_up
        .iter()
        .zip(1..)
        .map(|(path, n)| Edit::created(at(1, 8, n), &format!("Handbook/{path}"), u64::from(n)).by(OWNER))
        .collect();
    edits.extend([
        Edit::deleted(at(3, 8, 1), "Handbook/f5.txt").by(ALICE),
        Edit::deleted(at(3, 9, 1), "Handbook/a").by(BOB),
        Edit::renamed(at(3, 10, 1), "Handbook/b", "Handbook/c").by(CAROL),
        Edit::deleted(at(3, 11, 1), "Handbook/c/f4.txt").by(ALICE),
    ]);
    edits
}

/// Who did what to which path, and whether the log says it of the item itself.
fn expected(log: Log) -> BTreeMap<(String, String), (String, String)> {
    let gone = match log.provider() {
        Provider::GoogleDrive => "trashed",
        Provider::OneDrive | Provider::Dropbox => "deleted",
    };
    // Graph tells deletions first, without a path: of the new name of the folder nothing is known then.
    let last = if log == Log::Microsoft {
        "b/f4.txt"
    } else {
        "c/f4.txt"
    };
    let facts = [
        (gone, "f5.txt", ALICE, "reported"),
        (gone, "a", BOB, "reported"),
        (gone, "a/f1.txt", BOB, "derived"),
        (gone, "a/f2.txt", BOB, "derived"),
        ("renamed", "c", CAROL, "reported"),
        (gone, last, ALICE, "reported"),
    ];
    facts
        .iter()
        .map(|(action, path, who, basis)| {
            (
                ((*action).to_owned(), (*path).to_owned()),
                ((*who).to_owned(), (*basis).to_owned()),
            )
        })
        .collect()
}

/// The logs that an account can be told to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Log {
    DropboxTeam,
    Microsoft,
    GoogleReports,
    DriveActivity,
    GoogleBoth,
}

impl Log {
    const fn provider(self) -> Provider {
        match self {
            Self::DropboxTeam => Provider::Dropbox,
            Self::Microsoft => Provider::OneDrive,
            Self::GoogleReports | Self::DriveActivity | Self::GoogleBoth => Provider::GoogleDrive,
        }
    }

    /// The configuration with the log switched on.
    fn switched_on(self, config: &str) -> String {
        let (provider, more) = match self {
            Self::DropboxTeam => (
                "dropbox",
                "select_admin = \"dbmid:AAadmin\"\naudit = true\n".to_owned(),
            ),
            Self::Microsoft => (
                "onedrive",
                format!("audit = true\naudit_url = \"{}\"\n", api(config, "onedrive")),
            ),
            Self::GoogleReports => ("google_drive", google(config, "reports")),
            Self::DriveActivity => ("google_drive", google(config, "activity")),
            Self::GoogleBoth => ("google_drive", google(config, "both")),
        };
        let head = format!("provider = \"{provider}\"\n");
        config.replace(&head, &format!("{head}{more}"))
    }
}

fn google(config: &str, audit: &str) -> String {
    format!(
        "audit = \"{audit}\"\naudit_url = \"{}\"\n",
        api(config, "google_drive")
    )
}

/// Where the simulator's face of a provider is.
fn api<'a>(config: &'a str, account: &str) -> &'a str {
    let (_, rest) = config.split_once(&format!("[accounts.{account}]")).unwrap();
    let (_, rest) = rest.split_once("api_url = \"").unwrap();
    let (url, _) = rest.split_once('"').unwrap();
    url.trim_end_matches("/v1.0")
}

struct Stage(Bench);

/// A simulator with an audit log.
fn options(audit: Audit, page_size: Option<usize>) -> Options {
    Options {
        audit,
        page_size,
        credentials: Credentials {
            team: Some(Team {
                id: "dbtid:AAteam".into(),
                member: "dbmid:AAmember".into(),
                admin: "dbmid:AAadmin".into(),
            }),
            ..Credentials::default()
        },
        ..Options::default()
    }
}

impl Stage {
    fn new(audit: Audit, page_size: Option<usize>) -> Self {
        Self::of(Log::DropboxTeam, audit, page_size)
    }

    fn of(log: Log, audit: Audit, page_size: Option<usize>) -> Self {
        Self::with(log, world(), options(audit, page_size))
    }

    fn with(log: Log, edits: Vec<Edit>, options: Options) -> Self {
        let place = Place {
            name: "handbook",
            provider: log.provider(),
            path: FOLDER,
        };
        let bench = Bench::new(WorldSource::from_edits(edits), options, &[place]);
        bench.write("revtrail.toml", &log.switched_on(&bench.config()));
        bench.init();
        Self(bench)
    }

    fn visible_at_once() -> Self {
        let audit = Audit {
            lag: Lag::NONE,
            ..Audit::default()
        };
        Self::new(audit, None)
    }

    fn plan(&self, plan: FaultPlan) {
        self.0.sim().plan_faults(vec![plan]);
    }

    /// Looks at a moment; gives what is said on standard error.
    fn look(&self, moment: Timestamp) -> String {
        self.0.advance(moment);
        self.0.call(&["harvest"]).exits(0).stderr
    }

    /// All verifiers find nothing wrong.
    fn verify(&self) {
        self.0.verify();
        let (copy, key) = (
            self.0.dir().join("archive/main"),
            self.0.dir().join("key.pub.pem"),
        );
        let case = Case {
            copy: &copy,
            key: &key,
            origin: "evidence.example/main",
            as_of: "2026-10-01T00:00:00Z",
        };
        for said in std::iter::once(auditor(case)).chain(script(case)) {
            let report = said.exits(0).json();
            assert_eq!(
                (&report["verdict"], &report["findings"]),
                (&"sound".into(), &Value::Array(Vec::new()))
            );
        }
    }

    /// The address of an account, which Drive Activity names by its number alone.
    fn address_of(&self, id: &str) -> String {
        let facts = told(self.0.sim(), Provider::GoogleDrive, FOLDER);
        let actor = facts
            .into_iter()
            .filter_map(|fact| fact.actor)
            .find(|actor| actor.id.as_deref() == Some(id));
        actor.unwrap().email.unwrap()
    }

    /// What the log told of events that name nobody, by action and path; each must have been told once.
    fn told(&self) -> BTreeMap<(String, String), (String, String)> {
        let mut told = BTreeMap::new();
        for event in self.0.events() {
            let Some(annotations) = event["annotations"].as_array() else {
                continue;
            };
            assert_eq!(event["actor_kind"], "unknown", "{event}");
            assert_eq!(annotations.len(), 1, "{event}");
            let annotation = &annotations[0];
            assert_eq!(annotation["outcome"], "attributed", "{event}");
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let who = match annotation["actor_email"].as_str() {
                Some(email) => email.to_owned(),
                None => self.address_of(annotation["actor_id"].as_str().unwrap()),
            };
            told.insert(
                (text(&event["action"]), text(&event["path"])),
                (who, text(&annotation["basis"])),
            );
        }
        told
    }
}

#[rstest]
#[case::microsoft(Log::Microsoft)]
#[case::google_reports(Log::GoogleReports)]
#[case::drive_activity(Log::DriveActivity)]
fn every_log_names_who_did_it(#[case] log: Log) {
    let audit = Audit {
        lag: Lag::NONE,
        ..Audit::default()
    };
    let stage = Stage::of(log, audit, None);
    stage.look(at(2, 8, 0));
    let said = stage.look(at(4, 8, 0));
    assert!(
        said.contains("6 attributed, 0 ambiguous, 0 unattributed"),
        "{said}"
    );
    assert_eq!(stage.told(), expected(log));
    stage.verify();
}

/// The customer's log is silent, or cannot be read. Drive Activity is asked once records of the acts are overdue, and not before.
#[rstest]
#[case::silent(Fault::AuditLate { minutes: 60 * 24 * 100 }, 1)]
#[case::unreadable(Fault::Unavailable503 { retry_after: None }, 6)]
fn what_the_customers_log_leaves_open_drive_activity_tells(#[case] fault: Fault, #[case] left: usize) {
    let audit = Audit {
        lag: Lag::NONE,
        ..Audit::default()
    };
    let stage = Stage::of(Log::GoogleBoth, audit, None);
    stage.look(at(2, 8, 0));
    stage.plan(FaultPlan {
        times: u64::MAX,
        ..FaultPlan::once(fault).on("reports")
    });
    let asked = || {
        let counts = stage.0.sim().counts();
        counts[&Provider::GoogleDrive]
            .get("activity")
            .copied()
            .unwrap_or(0)
    };
    stage.look(at(4, 8, 0));
    stage.look(at(6, 7, 0));
    assert_eq!(asked(), 0);
    let said = stage.look(at(6, 9, 0));
    assert!(
        said.contains(&format!("{left} attributed, 0 ambiguous, 0 unattributed")),
        "{said}"
    );
    assert_eq!(asked(), 1);
    assert_eq!(stage.told(), expected(Log::DriveActivity));
    stage.verify();
}

#[test]
fn the_log_names_who_deleted_and_renamed() {
    let stage = Stage::visible_at_once();
    stage.look(at(2, 8, 0));
    let said = stage.look(at(4, 8, 0));
    assert!(
        said.contains("6 attributed, 0 ambiguous, 0 unattributed"),
        "{said}"
    );
    assert_eq!(stage.told(), expected(Log::DropboxTeam));
    stage.verify();

    let log = stage
        .0
        .call(&["actor", ALICE, "--output", "json"])
        .exits(0)
        .json();
    let events = log["events"].as_array().unwrap();
    let paths: Vec<&str> = events
        .iter()
        .map(|event| event["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["f5.txt", "c/f4.txt"]);
    let annotation = &events[0]["annotations"][0];
    assert_eq!(annotation["occurred_at"], "2026-10-03T08:01:00Z");
    assert!(
        annotation["client_address"]
            .as_str()
            .unwrap()
            .starts_with("198.51.100."),
        "{annotation}"
    );
    let table = stage.0.call(&["log", "--path", "f5.txt"]).exits(0).stdout;
    assert!(table.contains(ALICE) && table.contains("(audit"), "{table}");
}

/// Records that appear hours late, out of order, in small pages, some twice, with a cursor that is lost on the way, say the same, once.
#[test]
fn late_shuffled_and_repeated_records_are_told_once() {
    let stage = Stage::new(Audit::default(), Some(2));
    stage.look(at(2, 8, 0));
    stage.plan(FaultPlan {
        times: u64::MAX,
        ..FaultPlan::once(Fault::DuplicateItems).on("team_events_continue")
    });
    stage.look(at(3, 12, 0));
    stage.look(at(3, 16, 0));
    stage.plan(FaultPlan::once(Fault::LostCursor).on("team_events_continue"));
    for hour in [18, 20, 22] {
        stage.look(at(3, hour, 0));
    }
    stage.look(at(4, 14, 0));
    stage.look(at(4, 20, 0));
    assert_eq!(stage.told(), expected(Log::DropboxTeam));
    stage.verify();
}

#[test]
fn records_that_name_places_alone_are_matched_by_place() {
    let stage = Stage::visible_at_once();
    stage.look(at(2, 8, 0));
    stage.plan(FaultPlan {
        times: u64::MAX,
        ..FaultPlan::once(Fault::UnnamedItem).on("team_events_continue")
    });
    stage.look(at(4, 8, 0));
    assert_eq!(stage.told(), expected(Log::DropboxTeam));
    assert_eq!(stage.0.sim().faults_fired().values().sum::<u64>(), 1);
    stage.verify();
}

/// `doctor` tries every log that is to be read, and says what to do about one that may not be.
#[rstest]
fn the_doctor_tries_the_logs(
    #[values(
        Log::DropboxTeam,
        Log::Microsoft,
        Log::GoogleReports,
        Log::DriveActivity,
        Log::GoogleBoth
    )]
    log: Log,
    #[values(AuditAccess::Granted, AuditAccess::NotGranted)] access: AuditAccess,
) {
    let granted = access == AuditAccess::Granted;
    let audit = Audit {
        access,
        ..Audit::default()
    };
    let stage = Stage::of(log, audit, None);
    stage.0.advance(at(4, 8, 0));
    let answer = stage.0.call(&["doctor", "--output", "json"]).json();
    let checks = answer["checks"].as_array().unwrap().iter();
    let of_logs: Vec<&Value> = checks
        .filter(|check| check["check"].as_str().unwrap().ends_with("audit log"))
        .collect();
    let names: Vec<&Value> = of_logs.iter().map(|check| &check["check"]).collect();
    match log {
        Log::GoogleBoth => assert_eq!(names, ["audit log", "second audit log"]),
        _ => assert_eq!(names, ["audit log"]),
    }
    for check in of_logs {
        assert_eq!(check["result"], if granted { "pass" } else { "fail" }, "{check}");
        let hint = check["hint"].as_str().unwrap_or_default();
        assert_eq!(hint.contains("or leave audit out"), !granted, "{check}");
    }
}

#[test]
fn a_log_that_may_not_be_read_leaves_the_harvest_complete_and_is_told() {
    let audit = Audit {
        access: AuditAccess::NotGranted,
        ..Audit::default()
    };
    let stage = Stage::new(audit, None);
    stage.look(at(2, 8, 0));
    let said = stage.look(at(4, 8, 0));
    assert!(
        said.contains("audit log of account dropbox: could not be read: permission denied"),
        "{said}"
    );
    assert_eq!(stage.told(), BTreeMap::new());
    let log = stage.0.call(&["log", "--output", "json"]).exits(0).json();
    let gaps = log["gaps"].to_string();
    assert!(
        gaps.contains("the audit log of account dropbox could not be read"),
        "{gaps}"
    );
    stage.verify();
}

#[test]
fn a_plan_without_file_events_is_told_as_such() {
    let audit = Audit {
        access: AuditAccess::NotInPlan,
        ..Audit::default()
    };
    let stage = Stage::new(audit, None);
    let said = stage.look(at(2, 8, 0));
    assert!(said.contains("could not be read: not supported"), "{said}");
}

/// What the log never tells is given up, with the reason, once records are overdue.
#[test]
fn events_without_a_record_are_given_up_when_records_are_overdue() {
    let stage = Stage::visible_at_once();
    stage.look(at(2, 8, 0));
    stage.plan(FaultPlan {
        times: u64::MAX,
        ..FaultPlan::once(Fault::AuditLate {
            minutes: 60 * 24 * 30,
        })
    });
    stage.look(at(4, 8, 0));
    // The fault holds back the first record of an answer.
    let mut told = expected(Log::DropboxTeam);
    told.remove(&("deleted".to_owned(), "f5.txt".to_owned()));
    assert_eq!(stage.told(), told);
    let said = stage.look(at(7, 9, 0));
    assert!(
        said.contains("0 attributed, 0 ambiguous, 1 unattributed"),
        "{said}"
    );
    let events = stage.0.events();
    let given_up: Vec<(&Value, &Value)> = events
        .iter()
        .filter_map(|event| Some((event, event["annotations"].as_array()?.first()?)))
        .filter(|(_, annotation)| annotation["outcome"] == "unattributed")
        .map(|(event, annotation)| (&event["path"], &annotation["reason"]))
        .collect();
    assert_eq!(given_up, [(&"f5.txt".into(), &"no_record".into())]);
    stage.verify();
}
