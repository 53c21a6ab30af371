//! Every way to log in, from the configuration file to the first revisions, against a simulator that checks signatures, lives,
//! audiences and rights; and nothing of what is secret in any log or error.
#![expect(clippy::unwrap_used, reason = "tests")]

mod stage;

use std::fs;

use revtrail_connector::ErrorKind;
use revtrail_simulator::{Credentials, Fault, FaultPlan, Provider};
use rstest::rstest;
use stage::{ADMIN, MEMBER, SERVICE_ACCOUNT, SUBJECT, Stage, TEAM, credentials, public, read, team};

const CERTIFICATE: &str = "certificate_file = \"DIR/certificate-made-for-tests.pem\"\nprivate_key_file = \"DIR/private-key-made-for-tests.pem\"";
const PERSONAL: &str = "tenant = \"consumers\"\nrefresh_token_file = \"DIR/refresh\"";
const KEY: &str = "service_account_file = \"DIR/service-account.json\"";

fn acting(credential: &str) -> String {
    format!("{credential}\nsubject = \"{SUBJECT}\"")
}

fn keyless() -> String {
    acting(&format!("service_account = \"{SERVICE_ACCOUNT}\""))
}

fn team_link(header: &str, id: &str) -> String {
    format!("client_secret_file = \"DIR/secret\"\nrefresh_token_file = \"DIR/refresh\"\n{header} = \"{id}\"")
}

#[rstest]
#[case::secret(Provider::OneDrive, credentials(), "client_secret_file = \"DIR/secret\"".into())]
#[case::certificate(Provider::OneDrive, credentials(), CERTIFICATE.into())]
#[case::certificate_signed_the_older_way(
    Provider::OneDrive,
    credentials(),
    format!("{CERTIFICATE}\nassertion_algorithm = \"RS256\"")
)]
#[case::federated(Provider::OneDrive, credentials(), "federated_token_file = \"DIR/federated\"".into())]
#[case::personal(Provider::OneDrive, public(), PERSONAL.into())]
#[case::service_account(Provider::GoogleDrive, credentials(), KEY.into())]
#[case::delegated(Provider::GoogleDrive, credentials(), acting(KEY))]
#[case::machine(Provider::GoogleDrive, credentials(), "service_account = \"default\"".into())]
#[case::keyless(Provider::GoogleDrive, credentials(), keyless())]
#[case::google_user(
    Provider::GoogleDrive,
    credentials(),
    "client_secret_file = \"DIR/secret\"\nrefresh_token_file = \"DIR/refresh\"".into()
)]
#[case::dropbox_app(
    Provider::Dropbox,
    credentials(),
    "client_secret_file = \"DIR/secret\"\nrefresh_token_file = \"DIR/refresh\"".into()
)]
#[case::dropbox_without_a_secret(Provider::Dropbox, public(), "refresh_token_file = \"DIR/refresh\"".into())]
#[case::team_member(Provider::Dropbox, team(), team_link("select_user", MEMBER))]
#[case::team_admin(Provider::Dropbox, team(), team_link("select_admin", ADMIN))]
#[tokio::test]
async fn a_credential_opens_the_folder_and_stays_out_of_the_logs(
    #[case] provider: Provider,
    #[case] credentials: Credentials,
    #[case] credential: String,
) {
    let stage = Stage::new(credentials).await;
    // A token that runs out on the way is replaced by a new one.
    let expiry = FaultPlan {
        first: 2,
        provider: Some(provider),
        ..FaultPlan::once(Fault::ExpiredToken)
    };
    stage.running.sim().plan_faults(vec![expiry]);
    let (connector, place) = stage
        .connector(provider, &credential, &stage.folder(provider))
        .unwrap();
    let (tenant, files, revisions) = read(connector.as_ref(), &place).await.unwrap();
    assert_eq!((files, revisions), (2, 2));
    assert_eq!(stage.running.sim().faults_fired().values().sum::<u64>(), 1);
    assert!(!tenant.is_empty());
    let log = stage.log.text();
    assert!(log.contains("request"), "nothing was logged:\n{log}");
    stage.assert_no_secret(&log);
}

#[rstest]
#[case::wrong_secret(
    Provider::OneDrive,
    credentials(),
    "client_secret_file = \"DIR/wrong\"".into(),
    ErrorKind::Unauthorized
)]
#[case::certificate_not_uploaded(
    Provider::OneDrive,
    Credentials::default(),
    CERTIFICATE.into(),
    ErrorKind::Unauthorized
)]
#[case::certificate_of_another_key(
    Provider::OneDrive,
    credentials(),
    "certificate_file = \"DIR/certificate-of-another-key.pem\"\nprivate_key_file = \"DIR/private-key-made-for-tests.pem\"".into(),
    ErrorKind::Config
)]
#[case::federated_token_of_yesterday(
    Provider::OneDrive,
    credentials(),
    "federated_token_file = \"DIR/wrong\"".into(),
    ErrorKind::Unauthorized
)]
#[case::no_such_file(
    Provider::OneDrive,
    credentials(),
    "federated_token_file = \"DIR/nothing\"".into(),
    ErrorKind::Config
)]
#[case::revoked(
    Provider::OneDrive,
    public(),
    "tenant = \"consumers\"\nrefresh_token_file = \"DIR/wrong\"".into(),
    ErrorKind::Unauthorized
)]
#[case::not_delegated(
    Provider::GoogleDrive,
    credentials(),
    format!("{KEY}\nsubject = \"somebody@acme.example\""),
    ErrorKind::Unauthorized
)]
#[case::keyless_for_somebody_else(
    Provider::GoogleDrive,
    credentials(),
    format!("service_account = \"{SERVICE_ACCOUNT}\"\nsubject = \"somebody@acme.example\""),
    ErrorKind::Unauthorized
)]
#[case::machine_with_another_name(
    Provider::GoogleDrive,
    credentials(),
    "service_account = \"other@acme.iam.gserviceaccount.com\"".into(),
    ErrorKind::Config
)]
#[case::team_without_a_member(
    Provider::Dropbox,
    team(),
    "client_secret_file = \"DIR/secret\"\nrefresh_token_file = \"DIR/refresh\"".into(),
    ErrorKind::Config
)]
#[case::no_such_member(
    Provider::Dropbox,
    team(),
    team_link("select_user", "dbmid:AAnobody"),
    ErrorKind::Config
)]
#[case::secret_of_an_app_that_has_none(
    Provider::Dropbox,
    public(),
    "client_secret_file = \"DIR/secret\"\nrefresh_token_file = \"DIR/refresh\"".into(),
    ErrorKind::Unauthorized
)]
#[tokio::test]
async fn a_refused_credential_says_what_is_wrong_and_nothing_secret(
    #[case] provider: Provider,
    #[case] credentials: Credentials,
    #[case] credential: String,
    #[case] expected: ErrorKind,
) {
    let stage = Stage::new(credentials).await;
    stage.put("wrong", "another-s3cret");
    let (connector, place) = stage
        .connector(provider, &credential, &stage.folder(provider))
        .unwrap();
    let error = read(connector.as_ref(), &place).await.unwrap_err();
    assert_eq!(error.kind, expected, "{error:?}");
    let told = format!("{error} {error:?} {}", stage.log.text());
    stage.assert_no_secret(&told);
    assert!(!told.contains("another-s3cret"), "{told}");
}

#[tokio::test]
async fn a_federated_token_is_read_anew_for_each_request() {
    let stage = Stage::new(credentials()).await;
    let (connector, _) = stage
        .connector(
            Provider::OneDrive,
            "federated_token_file = \"DIR/federated\"",
            &stage.folder(Provider::OneDrive),
        )
        .unwrap();
    connector.preflight().await.unwrap();
    stage.put("federated", "federated-token-of-the-second-hour\n");
    let sim = stage.running.sim();
    sim.set_federated_token("federated-token-of-the-second-hour");
    for token in sim.access_tokens() {
        sim.expire_token(&token);
    }
    let place = revtrail_connector::Place {
        drive: revtrail_connector::DrivePlace::Id(stage.running.onedrive_drive().as_str().into()),
        within: revtrail_connector::Within::Path("/Handbook".into()),
    };
    connector.resolve(&place).await.unwrap();
    assert_eq!(connector.usage().requests["token"], 2);
}

#[tokio::test]
async fn a_replaced_refresh_token_is_kept_in_the_store() {
    let stage = Stage::new(public()).await;
    let credential = format!("{PERSONAL}\nrefresh_token_store = \"DIR/store\"");
    let folder = stage.folder(Provider::OneDrive);
    let connect = || {
        stage
            .connector(Provider::OneDrive, &credential, &folder)
            .unwrap()
            .0
    };
    connect().preflight().await.unwrap();
    let sim = stage.running.sim();
    let first = sim.replaced_refresh_tokens();
    assert_eq!(first.len(), 1);
    assert!(
        fs::read_to_string(stage.path("store"))
            .unwrap()
            .contains(&first[0])
    );
    // The configured one may die: what took its place goes on, run after run.
    sim.revoke_refresh_token(&sim.options().refresh_token);
    connect().preflight().await.unwrap();
    connect().preflight().await.unwrap();
    let all = sim.replaced_refresh_tokens();
    assert_eq!(all.len(), 3);
    assert!(fs::read_to_string(stage.path("store")).unwrap().contains(&all[2]));
    stage.assert_no_secret(&stage.log.text());
}

#[tokio::test]
async fn a_new_token_in_the_configured_file_wins_over_the_store() {
    let stage = Stage::new(public()).await;
    let credential = format!("{PERSONAL}\nrefresh_token_store = \"DIR/store\"");
    let folder = stage.folder(Provider::OneDrive);
    let connect = || {
        stage
            .connector(Provider::OneDrive, &credential, &folder)
            .unwrap()
            .0
    };
    connect().preflight().await.unwrap();
    // Somewhere else consent is given anew, which begins another chain; the old one is revoked.
    let (elsewhere, _) = stage.connector(Provider::OneDrive, PERSONAL, &folder).unwrap();
    elsewhere.preflight().await.unwrap();
    let sim = stage.running.sim();
    let chains = sim.replaced_refresh_tokens();
    sim.revoke_refresh_token(&chains[0]);
    sim.revoke_refresh_token(&sim.options().refresh_token);
    let error = connect().preflight().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    let log = stage.log.text();
    assert!(log.contains("the kept refresh token is refused"), "{log}");
    stage.put("refresh", &chains[1]);
    connect().preflight().await.unwrap();
}

#[tokio::test]
async fn without_a_store_the_loss_is_told_once() {
    let stage = Stage::new(public()).await;
    let (connector, place) = stage
        .connector(Provider::OneDrive, PERSONAL, &stage.folder(Provider::OneDrive))
        .unwrap();
    read(connector.as_ref(), &place).await.unwrap();
    let sim = stage.running.sim();
    for token in sim.access_tokens() {
        sim.expire_token(&token);
    }
    read(connector.as_ref(), &place).await.unwrap();
    assert_eq!(sim.replaced_refresh_tokens().len(), 2);
    let log = stage.log.text();
    assert_eq!(log.matches("there is no refresh_token_store").count(), 1, "{log}");
}

#[tokio::test]
async fn a_team_link_is_named_by_its_team() {
    let stage = Stage::new(team()).await;
    for (header, id) in [("select_user", MEMBER), ("select_admin", ADMIN)] {
        let (connector, _) = stage
            .connector(
                Provider::Dropbox,
                &team_link(header, id),
                &stage.folder(Provider::Dropbox),
            )
            .unwrap();
        assert_eq!(connector.preflight().await.unwrap().tenant.as_str(), TEAM);
    }
}

#[rstest]
#[case::library_by_the_name_in_its_address(
    "site = \"handbook-my.sharepoint.com/personal/drive_owner\"\nlibrary = \"documents\"\npath = \"/Handbook\""
)]
#[case::library_by_the_name_on_the_page(
    "site = \"https://handbook-my.sharepoint.com/personal/drive_owner\"\nlibrary = \"OneDrive\"\npath = \"/handbook\""
)]
#[case::first_library("site = \"handbook-my.sharepoint.com/personal/drive_owner\"\npath = \"/Handbook\"")]
#[case::sharing_link(
    "link = \"https://handbook-my.sharepoint.com/personal/drive_owner/Documents/Handbook?web=1\""
)]
#[tokio::test]
async fn a_microsoft_folder_is_found_in_the_words_people_have(#[case] folder: &str) {
    let stage = Stage::new(credentials()).await;
    let secret = "client_secret_file = \"DIR/secret\"";
    let (connector, place) = stage.connector(Provider::OneDrive, secret, folder).unwrap();
    let (_, by_id) = stage
        .connector(Provider::OneDrive, secret, &stage.folder(Provider::OneDrive))
        .unwrap();
    let found = connector.resolve(&place).await.unwrap();
    assert_eq!(found, connector.resolve(&by_id).await.unwrap());
    assert_eq!(read(connector.as_ref(), &place).await.unwrap().1, 2);
}

#[tokio::test]
async fn a_user_has_a_drive_of_their_own() {
    let stage = Stage::new(public()).await;
    let (connector, place) = stage
        .connector(Provider::OneDrive, PERSONAL, "path = \"/Handbook\"")
        .unwrap();
    assert_eq!(read(connector.as_ref(), &place).await.unwrap().1, 2);
}

#[rstest]
#[case::no_library(
    "site = \"handbook-my.sharepoint.com/personal/drive_owner\"\nlibrary = \"Contracts\"\npath = \"/\"",
    ErrorKind::NotFound
)]
#[case::no_site(
    "site = \"handbook-my.sharepoint.com/sites/nothing\"\npath = \"/\"",
    ErrorKind::NotFound
)]
#[case::site_without_host("site = \"finance\"\npath = \"/\"", ErrorKind::Config)]
#[case::link_elsewhere("link = \"https://elsewhere.sharepoint.com/x\"", ErrorKind::NotFound)]
#[case::link_to_a_file(
    "link = \"https://handbook-my.sharepoint.com/personal/drive_owner/Documents/Handbook/a.txt\"",
    ErrorKind::NotFound
)]
#[case::drive_of_a_program("path = \"/Handbook\"", ErrorKind::Config)]
#[tokio::test]
async fn a_microsoft_folder_that_is_not_there_is_told(#[case] folder: &str, #[case] expected: ErrorKind) {
    let stage = Stage::new(credentials()).await;
    let (connector, place) = stage
        .connector(Provider::OneDrive, "client_secret_file = \"DIR/secret\"", folder)
        .unwrap();
    assert_eq!(connector.resolve(&place).await.unwrap_err().kind, expected);
}
