use rstest::rstest;

use super::*;

fn file() -> AccountFile {
    AccountFile {
        tenant: "9F4B7C1E-2d5a-4c8e-8f0b-6a1d3e5c7b90".into(),
        client_id: "app".into(),
        client_secret_file: Some("/secret".into()),
        ..AccountFile::default()
    }
}

#[test]
fn defaults_point_to_the_global_cloud() {
    let account = Account::try_from(file()).unwrap();
    assert_eq!(account.tenant(), "9f4b7c1e-2d5a-4c8e-8f0b-6a1d3e5c7b90");
    assert_eq!(account.api_url().as_str(), "https://graph.microsoft.com/v1.0");
    assert_eq!(
        account.token_url().as_str(),
        "https://login.microsoftonline.com/9f4b7c1e-2d5a-4c8e-8f0b-6a1d3e5c7b90/oauth2/v2.0/token"
    );
    assert_eq!(account.scopes(), ["https://graph.microsoft.com/.default"]);
    assert_eq!(account.download_hosts()[0], "sharepoint.com");
    assert_eq!(account.retry_base(), Duration::from_millis(500));
}

#[test]
fn the_audit_log_has_a_host_and_a_scope_of_its_own() {
    assert_eq!(Account::try_from(file()).unwrap().audit_url(), None);
    let audited = AccountFile {
        audit: true,
        ..file()
    };
    let account = Account::try_from(audited.clone()).unwrap();
    assert_eq!(
        account.audit_url().unwrap().as_str(),
        "https://manage.office.com/"
    );
    assert_eq!(account.audit_scopes(), ["https://manage.office.com/.default"]);
    let keys = |file: AccountFile| -> Vec<&'static str> {
        let problems = Account::try_from(file).unwrap_err();
        problems.0.iter().map(|problem| problem.key).collect()
    };
    let by_name = AccountFile {
        tenant: "contoso.example".into(),
        ..audited.clone()
    };
    assert_eq!(keys(by_name), ["audit"]);
    let china = AccountFile {
        cloud: Some(Cloud::China),
        ..audited.clone()
    };
    assert_eq!(keys(china), ["audit_url"]);
    let insecure = AccountFile {
        audit_url: Some("http://manage.example".into()),
        ..audited
    };
    assert_eq!(keys(insecure), ["audit_url"]);
}

#[rstest]
#[case::gcc_high(
    Cloud::GccHigh,
    "https://login.microsoftonline.us",
    "https://graph.microsoft.us"
)]
#[case::dod(
    Cloud::Dod,
    "https://login.microsoftonline.us",
    "https://dod-graph.microsoft.us"
)]
#[case::china(
    Cloud::China,
    "https://login.chinacloudapi.cn",
    "https://microsoftgraph.chinacloudapi.cn"
)]
fn a_national_cloud_has_hosts_and_a_scope_of_its_own(
    #[case] cloud: Cloud,
    #[case] authority: &str,
    #[case] graph: &str,
) {
    let account = Account::try_from(AccountFile {
        cloud: Some(cloud),
        ..file()
    })
    .unwrap();
    assert_eq!(account.scopes(), [format!("{graph}/.default")]);
    assert_eq!(account.api_url().as_str(), format!("{graph}/v1.0"));
    assert!(account.token_url().as_str().starts_with(authority));
}

#[test]
fn an_address_wins_over_the_cloud() {
    let account = Account::try_from(AccountFile {
        cloud: Some(Cloud::China),
        api_url: Some("https://graph.microsoft.us/v1.0/".into()),
        ..file()
    })
    .unwrap();
    assert_eq!(account.scopes(), ["https://graph.microsoft.us/.default"]);
    assert_eq!(account.api_url().path(), "/v1.0");
}

#[test]
fn a_personal_drive_is_read_for_its_user() {
    let personal = AccountFile {
        tenant: "consumers".into(),
        client_secret_file: None,
        refresh_token_file: Some("/refresh".into()),
        refresh_token_store: Some("/state/refresh".into()),
        ..file()
    };
    let account = Account::try_from(personal).unwrap();
    assert_eq!(account.scopes(), ["Files.Read", "offline_access"]);
    assert_eq!(
        account.token_url().as_str(),
        "https://login.microsoftonline.com/consumers/oauth2/v2.0/token"
    );
}

fn keys(file: AccountFile) -> Vec<&'static str> {
    let problems = Account::try_from(file).unwrap_err();
    problems.0.iter().map(|problem| problem.key).collect()
}

#[rstest]
#[case::none(&[], &["client_secret_file"])]
#[case::certificate_alone(&["certificate_file"], &["private_key_file"])]
#[case::key_alone(&["private_key_file"], &["certificate_file"])]
#[case::secret_and_certificate(
    &["client_secret_file", "certificate_file", "private_key_file"],
    &["certificate_file"]
)]
#[case::all(
    &["client_secret_file", "certificate_file", "private_key_file", "federated_token_file", "refresh_token_file"],
    &["certificate_file", "federated_token_file", "refresh_token_file"]
)]
#[case::store_without_token(&["client_secret_file", "refresh_token_store"], &["refresh_token_store"])]
#[case::secret_and_half_a_certificate(
    &["client_secret_file", "private_key_file"],
    &["certificate_file", "private_key_file"]
)]
fn exactly_one_credential_is_given_whole(#[case] given: &[&str], #[case] expected: &[&str]) {
    let members: Vec<String> = given.iter().map(|key| format!(r#""{key}":"/{key}""#)).collect();
    let text = format!(
        r#"{{"tenant":"t","client_id":"c"{}{}}}"#,
        if given.is_empty() { "" } else { "," },
        members.join(",")
    );
    assert_eq!(keys(serde_json::from_str(&text).unwrap()), expected);
}

#[test]
fn an_application_has_no_personal_drive() {
    let problems = Account::try_from(AccountFile {
        tenant: "consumers".into(),
        ..file()
    })
    .unwrap_err();
    assert!(
        problems
            .to_string()
            .starts_with("tenant: personal accounts are read with"),
        "{problems}"
    );
}

#[test]
fn every_problem_is_reported() {
    let problems = Account::try_from(AccountFile {
        tenant: "common".into(),
        client_id: " ".into(),
        client_secret_file: Some(PathBuf::new()),
        assertion_algorithm: Some(AssertionAlgorithm::Rs256),
        organization: Some("a|b".into()),
        api_url: Some("http://graph.example/v1.0".into()),
        token_url: Some("token".into()),
        download_hosts: Some(vec!["https://acme.sharepoint.com".into()]),
        retry_base_ms: Some(0),
        requests_per_second: Some(f64::NAN),
        ..AccountFile::default()
    })
    .unwrap_err();
    let keys: Vec<_> = problems.0.iter().map(|problem| problem.key).collect();
    assert_eq!(
        keys,
        [
            "tenant",
            "client_id",
            "assertion_algorithm",
            "client_secret_file",
            "organization",
            "api_url",
            "token_url",
            "download_hosts",
            "retry_base_ms",
            "requests_per_second"
        ]
    );
    assert!(problems.to_string().starts_with("tenant: must name one tenant"));
}

#[rstest]
#[case::plain_http("http://graph.example", "must use https")]
#[case::credentials("https://a:b@graph.example", "must not hold a user name or password")]
#[case::query("https://graph.example?x=1", "must not have a query or fragment")]
#[case::file("file:///etc", "must name a host")]
#[case::not_a_url("graph", "is not a URL")]
fn refuses_an_endpoint(#[case] text: &str, #[case] message: &str) {
    assert_eq!(endpoint(text), Err(message));
}

#[rstest]
#[case("http://127.0.0.1:8080")]
#[case("http://localhost:8080/v1.0")]
#[case("http://[::1]:8080")]
fn this_machine_may_be_reached_without_tls(#[case] text: &str) {
    assert!(endpoint(text).is_ok(), "{text}");
}

#[test]
fn unknown_keys_are_refused() {
    let text = r#"{"tenant":"t","client_id":"c","client_secret_file":"s","secret":"x"}"#;
    let error = serde_json::from_str::<AccountFile>(text).unwrap_err();
    assert!(error.to_string().contains("unknown field `secret`"), "{error}");
}
