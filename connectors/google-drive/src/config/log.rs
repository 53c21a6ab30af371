//! Which logs are read, where they are, and in whose name.

use revtrail_connector::settings::endpoint;
use url::Url;

use super::{AccountFile, Audit, Login};

const REPORTS_URL: &str = "https://admin.googleapis.com";
const ACTIVITY_URL: &str = "https://driveactivity.googleapis.com";

/// One of the logs, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogPlace {
    pub(crate) kind: LogKind,
    pub(crate) root: Url,
    /// In whose name it is read; absent for the account itself.
    pub(crate) subject: Option<String>,
}

/// The logs there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogKind {
    Reports,
    Activity,
}

/// The log to be read, and the one to be asked about what that leaves open.
pub(super) fn places(
    file: &AccountFile,
    login: Option<&Login>,
    problem: &mut impl FnMut(&'static str, &str),
) -> [Option<LogPlace>; 2] {
    let kinds = match file.audit {
        None => [None, None],
        Some(Audit::Reports) => [Some(LogKind::Reports), None],
        Some(Audit::Activity) => [Some(LogKind::Activity), None],
        Some(Audit::Both) => [Some(LogKind::Reports), Some(LogKind::Activity)],
    };
    let address = file.audit_url.as_deref().map(endpoint).transpose();
    if let Err(message) = &address
        && file.audit.is_some()
    {
        problem("audit_url", message);
    }
    let configured = address.ok().flatten();
    let first = subject(file, login, problem);
    // Whoever may read the customer's log need not see the folders.
    let second = login.and_then(Login::subject).map(str::to_owned);
    let place = |kind: Option<LogKind>, subject| {
        let kind = kind?;
        let default = match kind {
            LogKind::Reports => REPORTS_URL,
            LogKind::Activity => ACTIVITY_URL,
        };
        let root = configured.clone().or_else(|| Url::parse(default).ok())?;
        Some(LogPlace { kind, root, subject })
    };
    [place(kinds[0], first), place(kinds[1], second)]
}

/// In whose name the log is read.
fn subject(
    file: &AccountFile,
    login: Option<&Login>,
    problem: &mut impl FnMut(&'static str, &str),
) -> Option<String> {
    let told = file.audit_subject.as_deref().map(str::trim);
    if told.is_some_and(|subject| !subject.contains('@')) {
        problem("audit_subject", "must be the e-mail address of a user");
    }
    if let Some(Login::Attached { service_account, .. }) = login
        && told.is_some()
        && !service_account.contains('@')
    {
        problem(
            "service_account",
            "must be the e-mail address when it acts for an audit_subject",
        );
    }
    match login {
        Some(Login::ServiceAccount { subject, .. } | Login::Attached { subject, .. }) => {
            told.map(str::to_owned).or_else(|| subject.clone())
        }
        Some(Login::RefreshToken { .. }) => {
            if told.is_some() {
                problem(
                    "audit_subject",
                    "belongs to a service account; a refresh token is its user's",
                );
            }
            None
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{keys, read};

    #[test]
    fn each_log_has_its_host_and_may_be_read_in_an_administrators_name() {
        let key = |more: &str| {
            read(&format!(
                r#"{{"service_account_file":"/k","subject":"a@x"{more}}}"#
            ))
        };
        let logs = |more: &str| {
            let account = key(more).unwrap();
            let told = account.logs().iter().flatten().map(|log| {
                let subject = log.subject.as_deref().unwrap();
                format!("{:?} {} {subject}", log.kind, log.root)
            });
            told.collect::<Vec<_>>()
        };
        let reports = "Reports https://admin.googleapis.com/ admin@x";
        let activity = "Activity https://driveactivity.googleapis.com/ a@x";
        assert_eq!(logs(""), Vec::<String>::new());
        let admin = r#","audit_subject":"admin@x""#;
        assert_eq!(logs(&format!(r#","audit":"reports"{admin}"#)), [reports]);
        assert_eq!(logs(r#","audit":"activity""#), [activity]);
        assert_eq!(logs(&format!(r#","audit":"both"{admin}"#)), [reports, activity]);
        let elsewhere = r#","audit":"both","audit_url":"https://y.example""#;
        assert_eq!(
            logs(elsewhere),
            [
                "Reports https://y.example/ a@x",
                "Activity https://y.example/ a@x"
            ]
        );
        assert_eq!(
            keys(
                r#"{"client_id":"c","refresh_token_file":"/t","audit":"activity","audit_subject":"a@x","audit_url":"http://y.example"}"#
            ),
            ["audit_url", "audit_subject"]
        );
    }
}
