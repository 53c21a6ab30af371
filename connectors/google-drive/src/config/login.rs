//! How the account logs in: exactly one way, whole.

use std::path::Path;

use revtrail_connector::settings::Problem;

use super::{AccountFile, Login};

type Found = Vec<(&'static str, &'static str)>;

/// The one way that is given; every problem is added to `problems`, and the answer is `None` when there was one.
pub(super) fn check(file: &AccountFile, problems: &mut Vec<Problem>) -> Option<Login> {
    let mut found = Found::new();
    for (key, path) in [
        ("service_account_file", &file.service_account_file),
        ("client_secret_file", &file.client_secret_file),
        ("refresh_token_file", &file.refresh_token_file),
    ] {
        if path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            found.push((key, "must name a file"));
        }
    }
    let login = match (
        &file.service_account_file,
        &file.service_account,
        &file.refresh_token_file,
    ) {
        (Some(key_file), None, None) => Some(with_key(file, key_file, &mut found)),
        (None, Some(account), None) => Some(attached(file, account, &mut found)),
        (None, None, Some(token_file)) => Some(with_token(file, token_file, &mut found)),
        (None, None, None) => {
            found.push((
                "service_account_file",
                "must be given, or else service_account, or client_id and refresh_token_file",
            ));
            None
        }
        (first, second, third) => {
            // The first that is given stays; the others are too many.
            let others = [
                ("service_account", second.is_some() && first.is_some()),
                ("refresh_token_file", third.is_some()),
            ];
            let why = "cannot stand beside another credential; give exactly one";
            found.extend(
                others
                    .iter()
                    .filter(|(_, is_extra)| *is_extra)
                    .map(|(key, _)| (*key, why)),
            );
            None
        }
    };
    let is_good = found.is_empty();
    problems.extend(found.into_iter().map(|(key, message)| Problem {
        key,
        message: message.to_owned(),
    }));
    login.filter(|_| is_good)
}

fn with_key(file: &AccountFile, key_file: &Path, found: &mut Found) -> Login {
    refuse_client(file, found);
    Login::ServiceAccount {
        key_file: key_file.to_owned(),
        subject: subject(file, found),
    }
}

fn attached(file: &AccountFile, account: &str, found: &mut Found) -> Login {
    refuse_client(file, found);
    let service_account = account.trim().to_owned();
    let subject = subject(file, found);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '-' | '_');
    let is_address = service_account.contains('@');
    if service_account.is_empty() || !service_account.chars().all(plain) {
        found.push(("service_account", "must be an e-mail address, or default"));
    } else if subject.is_some() && !is_address {
        found.push((
            "service_account",
            "must be the e-mail address when it acts for a subject",
        ));
    } else if !is_address && service_account != "default" {
        found.push(("service_account", "must be an e-mail address, or default"));
    }
    Login::Attached {
        service_account,
        subject,
    }
}

fn with_token(file: &AccountFile, token_file: &Path, found: &mut Found) -> Login {
    if file.subject.is_some() {
        found.push((
            "subject",
            "belongs to a service account; a refresh token is its user's",
        ));
    }
    let client_id = file.client_id.as_deref().unwrap_or_default().trim().to_owned();
    if client_id.is_empty() {
        found.push(("client_id", "must be given beside refresh_token_file"));
    }
    Login::RefreshToken {
        client_id,
        client_secret_file: file.client_secret_file.clone(),
        refresh_token_file: token_file.to_owned(),
    }
}

fn refuse_client(file: &AccountFile, found: &mut Found) {
    for (key, is_given) in [
        ("client_id", file.client_id.is_some()),
        ("client_secret_file", file.client_secret_file.is_some()),
    ] {
        if is_given {
            found.push((key, "belongs to a refresh token; a service account has none"));
        }
    }
}

fn subject(file: &AccountFile, found: &mut Found) -> Option<String> {
    let subject = file.subject.as_ref().map(|subject| subject.trim().to_owned());
    if subject.as_ref().is_some_and(|subject| !subject.contains('@')) {
        found.push(("subject", "must be the e-mail address of a user"));
    }
    subject
}
