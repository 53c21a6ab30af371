//! How the account logs in: exactly one way, whole.

use std::path::{Path, PathBuf};

use super::{AccountFile, AssertionAlgorithm};

/// How the account gets its access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Login {
    /// A shared secret.
    Secret(PathBuf),
    /// Statements signed with the key of a certificate.
    Certificate {
        certificate: PathBuf,
        key: PathBuf,
        algorithm: AssertionAlgorithm,
    },
    /// Statements of an identity provider that the app registration trusts.
    Federated(PathBuf),
    /// A user's lasting grant.
    RefreshToken { file: PathBuf, store: Option<PathBuf> },
}

/// The one way that is given; `None` when a problem was told.
pub(super) fn check(file: &AccountFile, problem: &mut impl FnMut(&'static str, &str)) -> Option<Login> {
    if file.assertion_algorithm.is_some() && file.private_key_file.is_none() {
        problem(
            "assertion_algorithm",
            "belongs to certificate_file and private_key_file",
        );
    }
    if file.refresh_token_store.is_some() && file.refresh_token_file.is_none() {
        problem("refresh_token_store", "belongs to refresh_token_file");
    }
    for (key, path) in paths(file) {
        if path.is_some_and(|path| path.as_os_str().is_empty()) {
            problem(key, "must name a file");
        }
    }
    let certificate = certificate(file, problem);
    let given: Vec<(&'static str, Option<Login>)> = [
        (
            "client_secret_file",
            file.client_secret_file.clone().map(Login::Secret),
        ),
        ("certificate_file", certificate),
        (
            "federated_token_file",
            file.federated_token_file.clone().map(Login::Federated),
        ),
        (
            "refresh_token_file",
            file.refresh_token_file.clone().map(|token| Login::RefreshToken {
                file: token,
                store: file.refresh_token_store.clone(),
            }),
        ),
    ]
    .into_iter()
    .filter(|(_, login)| login.is_some())
    .collect();
    let half = file.certificate_file.is_some() != file.private_key_file.is_some();
    if given.is_empty() && !half {
        problem(
            "client_secret_file",
            "must be given, or else certificate_file and private_key_file, federated_token_file, or refresh_token_file",
        );
    }
    for (key, _) in given.iter().skip(1) {
        problem(key, "cannot stand beside another credential; give exactly one");
    }
    if half && !given.is_empty() {
        let key = if file.certificate_file.is_some() {
            "certificate_file"
        } else {
            "private_key_file"
        };
        problem(key, "cannot stand beside another credential; give exactly one");
    }
    given.into_iter().next().and_then(|(_, login)| login)
}

fn certificate(file: &AccountFile, problem: &mut impl FnMut(&'static str, &str)) -> Option<Login> {
    match (&file.certificate_file, &file.private_key_file) {
        (Some(certificate), Some(key)) => Some(Login::Certificate {
            certificate: certificate.clone(),
            key: key.clone(),
            algorithm: file.assertion_algorithm.unwrap_or(AssertionAlgorithm::Ps256),
        }),
        (Some(_), None) => {
            problem("private_key_file", "must be given beside certificate_file");
            None
        }
        (None, Some(_)) => {
            problem("certificate_file", "must be given beside private_key_file");
            None
        }
        (None, None) => None,
    }
}

fn paths(file: &AccountFile) -> [(&'static str, Option<&Path>); 6] {
    [
        ("client_secret_file", file.client_secret_file.as_deref()),
        ("certificate_file", file.certificate_file.as_deref()),
        ("private_key_file", file.private_key_file.as_deref()),
        ("federated_token_file", file.federated_token_file.as_deref()),
        ("refresh_token_file", file.refresh_token_file.as_deref()),
        ("refresh_token_store", file.refresh_token_store.as_deref()),
    ]
}
