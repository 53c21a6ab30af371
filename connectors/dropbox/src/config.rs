//! The account in the configuration: file form and checked form.

use std::path::PathBuf;

use revtrail_connector::settings::{Problem, Problems, endpoint};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

const API_URL: &str = "https://api.dropboxapi.com";
const CONTENT_URL: &str = "https://content.dropboxapi.com";

/// A Dropbox account as written in the configuration file.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountFile {
    /// App key of the Dropbox app. No default. A wrong one makes every token request fail.
    pub client_id: String,
    /// File with the app secret, read at each token request; surrounding white space is ignored. Left out for an app that was
    /// linked with PKCE, which has none. Whoever reads the file and the refresh token can read the account.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// File with the refresh token of the link, read at each token request; surrounding white space is ignored. No default.
    /// Whoever reads it (and the app secret, if there is one) can read the account until the link is revoked.
    pub refresh_token_file: PathBuf,
    /// Where the API is. Default: `https://api.dropboxapi.com`. Access tokens are sent there, so a wrong one gives them away.
    #[serde(default)]
    pub api_url: Option<String>,
    /// Where contents are fetched. Default: `https://content.dropboxapi.com`, or `api_url` where that is given. Access tokens are sent
    /// there, so a wrong one gives them away.
    #[serde(default)]
    pub content_url: Option<String>,
    /// Where access tokens are requested. Default: `/oauth2/token` at `api_url`. Refresh token and secret are sent there, so a
    /// wrong one gives them away.
    #[serde(default)]
    pub token_url: Option<String>,
    /// Namespace that folder paths start from, decimal digits. Default: the root namespace of the account (for a member of a team
    /// space: the team's root, with the member's own files below the member folder). A wrong one makes folders unfindable.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Member of the team (`dbmid:…`) to act as, for the token of a team link. Default: none, for the link of one account. At most one of
    /// this and `select_admin`; a team's token works with neither left out. A wrong one sees another member's files, or is refused.
    #[serde(default)]
    pub select_user: Option<String>,
    /// Team administrator (`dbmid:…`) to act as, for the token of a team link: reads any folder of the team, private ones of members
    /// included. Give `namespace` or the folder's `drive` with it; folders mounted inside are then left to their own namespaces.
    #[serde(default)]
    pub select_admin: Option<String>,
    /// Whether the team's log is read for who deleted, moved, renamed and restored files, and who saved what names nobody. Default:
    /// false. Takes the token of a team link with the scope `events.read`, on a plan that records file events. Without it such events
    /// have no actor where revisions name none. With it, what members do to files outside the designated folders passes through the
    /// harvest; nothing of that is kept.
    #[serde(default)]
    pub audit: bool,
    /// First wait before a failed request is repeated, milliseconds; it doubles with each further try. Default: 500. A small
    /// value provokes refusals, a large one makes runs slow.
    #[serde(default)]
    pub retry_base_ms: Option<u64>,
    /// Requests per second, on average. Default: 8. Dropbox publishes no limit; too high a value leads to pauses of minutes.
    #[serde(default)]
    pub requests_per_second: Option<f64>,
}

/// A Dropbox account, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub(crate) client_id: String,
    pub(crate) client_secret_file: Option<PathBuf>,
    pub(crate) refresh_token_file: PathBuf,
    pub(crate) api_url: Url,
    pub(crate) content_url: Url,
    pub(crate) token_url: Url,
    pub(crate) namespace: Option<String>,
    pub(crate) acting: Acting,
    pub(crate) team_log: TeamLog,
    pub(crate) retry_base_ms: u64,
    pub(crate) requests_per_second: f64,
}

/// Whether the team's log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TeamLog {
    /// It is.
    Read,
    /// It is not.
    LeftOut,
}

/// As whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Acting {
    /// The account that was linked.
    Itself,
    /// A member of the linked team.
    Member(String),
    /// An administrator of the linked team.
    Admin(String),
}

impl Account {
    /// Where the API is.
    pub fn api_url(&self) -> &Url {
        &self.api_url
    }
}

impl TryFrom<AccountFile> for Account {
    type Error = Problems;

    fn try_from(file: AccountFile) -> Result<Self, Self::Error> {
        let mut problems = Vec::new();
        let mut wrong = |key, message: &str| {
            problems.push(Problem {
                key,
                message: message.to_owned(),
            });
        };
        check_client(&file, &mut wrong);
        if file.namespace.as_deref().is_some_and(|id| !is_namespace(id)) {
            wrong("namespace", "is no namespace id; give decimal digits");
        }
        let acting = acting(&file, &mut wrong);
        let team_log = if file.audit {
            TeamLog::Read
        } else {
            TeamLog::LeftOut
        };
        check_team_log(team_log, &acting, &mut wrong);
        let retry_base_ms = file.retry_base_ms.unwrap_or(500);
        if !(1..=60_000).contains(&retry_base_ms) {
            wrong("retry_base_ms", "is outside 1 to 60000 milliseconds");
        }
        let requests_per_second = file.requests_per_second.unwrap_or(8.0);
        if !(requests_per_second.is_finite() && requests_per_second > 0.0) {
            wrong("requests_per_second", "is not a number above 0");
        }
        let api_url = endpoint(file.api_url.as_deref().unwrap_or(API_URL))
            .map_err(|message| wrong("api_url", message))
            .ok();
        let token_url = match &file.token_url {
            Some(text) => endpoint(text).map_err(|message| wrong("token_url", message)).ok(),
            None => api_url.as_ref().map(|api| below(api, "/oauth2/token")),
        };
        let content_url = file.content_url.as_ref().or(file.api_url.as_ref());
        // A wrong `api_url` is told under its own key.
        let content_url = endpoint(content_url.map_or(CONTENT_URL, String::as_str))
            .map_err(|message| {
                if file.content_url.is_some() {
                    wrong("content_url", message);
                }
            })
            .ok();
        match (api_url, token_url.zip(content_url)) {
            (Some(api_url), Some((token_url, content_url))) if problems.is_empty() => Ok(Self {
                client_id: file.client_id,
                client_secret_file: file.client_secret_file,
                refresh_token_file: file.refresh_token_file,
                api_url,
                content_url,
                token_url,
                namespace: file.namespace,
                acting,
                team_log,
                retry_base_ms,
                requests_per_second,
            }),
            _ => Err(Problems(problems)),
        }
    }
}

/// The files of the link.
fn check_client(file: &AccountFile, wrong: &mut impl FnMut(&'static str, &str)) {
    if file.client_id.trim().is_empty() {
        wrong("client_id", "is empty; give the app key of the Dropbox app");
    }
    if file.refresh_token_file.as_os_str().is_empty() {
        wrong("refresh_token_file", "is empty; give the path of a file");
    }
    if file
        .client_secret_file
        .as_ref()
        .is_some_and(|path| path.as_os_str().is_empty())
    {
        wrong(
            "client_secret_file",
            "is empty; give the path of a file, or leave it out",
        );
    }
}

/// As whom; at most one way.
fn acting(file: &AccountFile, wrong: &mut impl FnMut(&'static str, &str)) -> Acting {
    for (key, id) in [
        ("select_user", &file.select_user),
        ("select_admin", &file.select_admin),
    ] {
        if id.as_deref().is_some_and(|id| !is_member(id)) {
            wrong(key, "is no member id; give dbmid: and what follows it");
        }
    }
    match (&file.select_user, &file.select_admin) {
        (Some(_), Some(_)) => {
            wrong(
                "select_admin",
                "cannot stand beside select_user; give one of them",
            );
            Acting::Itself
        }
        (Some(member), None) => Acting::Member(member.clone()),
        (None, Some(admin)) => Acting::Admin(admin.clone()),
        (None, None) => Acting::Itself,
    }
}

/// The log is the team's: the link of one account cannot read it.
fn check_team_log(team_log: TeamLog, acting: &Acting, wrong: &mut impl FnMut(&'static str, &str)) {
    if (team_log, acting) == (TeamLog::Read, &Acting::Itself) {
        wrong(
            "audit",
            "takes the token of a team link; give select_user or select_admin, or leave it out",
        );
    }
}

fn is_namespace(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_member(id: &str) -> bool {
    id.strip_prefix("dbmid:").is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

/// The address of a route (with leading `/`) below `api`, which may have a path of its own.
pub(crate) fn below(api: &Url, route: &str) -> Url {
    let mut url = api.clone();
    url.set_path(&format!("{}{route}", api.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Account, Problems> {
        Account::try_from(serde_json::from_str::<AccountFile>(json).unwrap())
    }

    #[test]
    fn defaults_point_to_dropbox() {
        let account = read(r#"{"client_id":"k","refresh_token_file":"/t"}"#).unwrap();
        assert_eq!(account.api_url.as_str(), "https://api.dropboxapi.com/");
        assert_eq!(
            account.token_url.as_str(),
            "https://api.dropboxapi.com/oauth2/token"
        );
        assert_eq!(account.content_url.as_str(), "https://content.dropboxapi.com/");
        assert_eq!((account.retry_base_ms, account.requests_per_second), (500, 8.0));
        assert_eq!((account.client_secret_file, account.namespace), (None, None));
    }

    #[test]
    fn the_token_address_follows_the_api_address() {
        let account =
            read(r#"{"client_id":"k","refresh_token_file":"/t","api_url":"http://127.0.0.1:8080/"}"#)
                .unwrap();
        assert_eq!(account.token_url.as_str(), "http://127.0.0.1:8080/oauth2/token");
        assert_eq!(account.content_url.as_str(), "http://127.0.0.1:8080/");
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let problems = read(
            r#"{"client_id":" ","refresh_token_file":"","client_secret_file":"","namespace":"12a","retry_base_ms":0,
                "requests_per_second":0,"api_url":"http://dropbox.example","token_url":"ftp://x","content_url":"y"}"#,
        )
        .unwrap_err();
        let keys: Vec<_> = problems.0.iter().map(|problem| problem.key).collect();
        assert_eq!(
            keys,
            [
                "client_id",
                "refresh_token_file",
                "client_secret_file",
                "namespace",
                "retry_base_ms",
                "requests_per_second",
                "api_url",
                "token_url",
                "content_url"
            ]
        );
    }

    #[test]
    fn a_team_link_acts_as_one_member() {
        let account = |json: &str| {
            read(&format!(
                r#"{{"client_id":"k","refresh_token_file":"/t",{json}}}"#
            ))
        };
        assert_eq!(
            account(r#""select_user":"dbmid:AAa_1-b""#).unwrap().acting,
            Acting::Member("dbmid:AAa_1-b".into())
        );
        assert_eq!(
            account(r#""select_admin":"dbmid:AAa""#).unwrap().acting,
            Acting::Admin("dbmid:AAa".into())
        );
        for (json, key) in [
            (
                r#""select_user":"dbmid:a","select_admin":"dbmid:b""#,
                "select_admin",
            ),
            (r#""select_user":"dbid:a""#, "select_user"),
            (r#""select_admin":"dbmid:a\r\nx""#, "select_admin"),
        ] {
            let problems = account(json).unwrap_err();
            assert_eq!(
                problems.0.iter().map(|problem| problem.key).collect::<Vec<_>>(),
                [key]
            );
        }
    }

    #[test]
    fn the_log_of_a_team_takes_the_link_of_a_team() {
        let account = |json: &str| read(&format!(r#"{{"client_id":"k","refresh_token_file":"/t"{json}}}"#));
        assert_eq!(account("").unwrap().team_log, TeamLog::LeftOut);
        let team = r#","audit":true,"select_admin":"dbmid:AAa""#;
        assert_eq!(account(team).unwrap().team_log, TeamLog::Read);
        let problems = account(r#","audit":true"#).unwrap_err();
        assert_eq!(problems.0.len(), 1);
        assert_eq!(problems.0[0].key, "audit");
    }

    #[test]
    fn unknown_keys_are_refused() {
        let text = r#"{"client_id":"k","refresh_token_file":"/t","client_secret":"s"}"#;
        let error = serde_json::from_str::<AccountFile>(text).unwrap_err();
        assert!(error.to_string().contains("client_secret"), "{error}");
    }
}
