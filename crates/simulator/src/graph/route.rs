//! Which resource a path names.

use super::text::decoded;

/// A resource of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// `/{tenant}/oauth2/v2.0/token`
    Token,
    /// Target of the redirects of content requests.
    Download,
    /// `/v1.0/$batch`
    Batch,
    /// `/v1.0/users/{name}/drive`
    UserDrive(String),
    /// `/v1.0/drives/{drive}`
    Drive(String),
    /// Another way to the drive.
    Way(Way),
    /// Something in a drive.
    Item { drive: String, at: Place, part: Part },
    /// `/api/v1.0/{tenant}/activity/feed/...`, the audit log.
    Audit(Feed),
    /// Nothing; the segment that leads nowhere.
    Unknown(String),
}

/// A way to the drive that does not name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// `/v1.0/me/drive`
    Mine,
    /// `/v1.0/sites/{host}:/{path}`
    Site(String, Vec<String>),
    /// `/v1.0/sites/{site}/drive`
    Library(String),
    /// `/v1.0/sites/{site}/drives`
    Libraries(String),
    /// `/v1.0/shares/{token}/driveItem`
    Shared(String),
}

/// A resource of the audit log, which is another service with its own host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Feed {
    pub(super) tenant: String,
    pub(super) what: Of,
}

/// What of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Of {
    /// `subscriptions/start`
    Start,
    /// `subscriptions/list`
    Subscriptions,
    /// `subscriptions/content`
    Content,
    /// `audit/{content id}`
    Blob(String),
}

/// An item: from the root or an item id, then along names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// `None`: the root.
    pub(super) id: Option<String>,
    pub(super) names: Vec<String>,
}

/// What of the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Itself,
    Children,
    /// With the token, if it is given as a function argument.
    Delta(Option<String>),
    Content,
    Versions,
    Version(String),
    VersionContent(String),
}

/// Path of download links; the query says of what.
pub(crate) const DOWNLOAD: &str = "/_layouts/15/download.aspx";

impl Route {
    pub(super) fn of(path: &str) -> Self {
        let segments: Vec<String> = path.split('/').skip(1).map(decoded).collect();
        let words: Vec<&str> = segments.iter().map(String::as_str).collect();
        match words.as_slice() {
            [_, "oauth2", "v2.0", "token"] => Self::Token,
            ["v1.0", rest @ ..] => Self::within(rest),
            ["api", "v1.0", tenant, "activity", "feed", rest @ ..] => Self::feed(tenant, rest),
            _ if path == DOWNLOAD => Self::Download,
            _ => Self::unknown(&words),
        }
    }

    fn feed(tenant: &str, words: &[&str]) -> Self {
        let what = match words {
            ["subscriptions", "start"] => Of::Start,
            ["subscriptions", "list"] => Of::Subscriptions,
            ["subscriptions", "content"] => Of::Content,
            ["audit", id] => Of::Blob((*id).to_owned()),
            _ => return Self::unknown(words),
        };
        Self::Audit(Feed {
            tenant: tenant.to_owned(),
            what,
        })
    }

    /// A path below `/v1.0`.
    fn within(words: &[&str]) -> Self {
        match words {
            ["$batch"] => Self::Batch,
            ["users", name, "drive"] => Self::UserDrive((*name).to_owned()),
            ["me", "drive"] => Self::Way(Way::Mine),
            ["sites", site, "drive"] => Self::Way(Way::Library((*site).to_owned())),
            ["sites", site, "drives"] => Self::Way(Way::Libraries((*site).to_owned())),
            ["sites", host, path @ ..] if host.ends_with(':') => {
                let path = path.iter().map(|name| (*name).to_owned()).collect();
                Self::Way(Way::Site(host.trim_end_matches(':').to_owned(), path))
            }
            ["shares", token, "driveItem"] => Self::Way(Way::Shared((*token).to_owned())),
            ["drives", drive] => Self::Drive((*drive).to_owned()),
            ["drives", drive, rest @ ..] => item(drive, rest).unwrap_or_else(|| Self::unknown(rest)),
            _ => Self::unknown(words),
        }
    }

    fn unknown(words: &[&str]) -> Self {
        Self::Unknown(words.last().copied().unwrap_or_default().to_owned())
    }

    /// The word in counters and fault plans.
    pub(super) fn operation(&self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Batch => "batch",
            Self::Download => "content",
            Self::Drive(_) | Self::UserDrive(_) | Self::Way(Way::Mine) => "drive",
            Self::Way(Way::Shared(_)) => "item",
            Self::Way(Way::Site(..) | Way::Library(_) | Way::Libraries(_)) => "site",
            Self::Audit(Feed { what, .. }) => match what {
                Of::Start => "audit_start",
                Of::Subscriptions => "audit_subscriptions",
                Of::Content => "audit_content",
                Of::Blob(_) => "audit_blob",
            },
            Self::Unknown(_) => "other",
            Self::Item { part, .. } => match part {
                Part::Itself => "item",
                Part::Children => "children",
                Part::Delta(_) => "delta",
                Part::Content | Part::VersionContent(_) => "content",
                Part::Versions => "versions",
                Part::Version(_) => "version",
            },
        }
    }
}

fn item(drive: &str, words: &[&str]) -> Option<Route> {
    let (first, rest) = match words {
        ["items", id, rest @ ..] => (*id, rest),
        [root @ ("root" | "root:"), rest @ ..] => (*root, rest),
        _ => return None,
    };
    let (id, by_path) = match first.strip_suffix(':') {
        Some(id) => (id, true),
        None => (first, false),
    };
    let (names, rest) = if by_path { names(rest) } else { (Vec::new(), rest) };
    Some(Route::Item {
        drive: drive.to_owned(),
        at: Place {
            id: (id != "root").then(|| id.to_owned()),
            names,
        },
        part: part(rest)?,
    })
}

/// Names up to one that ends in `:`, which closes the path (it cannot be part of a name), and what follows.
fn names<'a, 'b>(words: &'a [&'b str]) -> (Vec<String>, &'a [&'b str]) {
    let mut names = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let (name, closed) = match word.strip_suffix(':') {
            Some(name) => (name, true),
            None => (*word, false),
        };
        if !name.is_empty() {
            names.push(name.to_owned());
        }
        if closed {
            return (names, words.get(place + 1..).unwrap_or_default());
        }
    }
    (names, &[])
}

fn part(words: &[&str]) -> Option<Part> {
    Some(match words {
        [] | [""] => Part::Itself,
        ["children"] => Part::Children,
        ["content"] => Part::Content,
        ["versions"] => Part::Versions,
        ["versions", version] => Part::Version((*version).to_owned()),
        ["versions", version, "content"] => Part::VersionContent((*version).to_owned()),
        ["delta" | "delta()" | "microsoft.graph.delta" | "microsoft.graph.delta()"] => Part::Delta(None),
        [function] => {
            let argument = function.strip_prefix("delta(token='")?.strip_suffix("')")?;
            Part::Delta(Some(argument.to_owned()))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str) -> (Option<String>, String, Part) {
        match Route::of(path) {
            Route::Item { drive, at, part } => {
                assert_eq!(drive, "b!x");
                (at.id, at.names.join("/"), part)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn items_are_named_by_id_and_by_path() {
        let id = || Some("01A".to_owned());
        let cases = [
            ("/root", None, "", Part::Itself),
            ("/root:/A%20b/c.txt", None, "A b/c.txt", Part::Itself),
            ("/root:/A/%C3%A9:", None, "A/é", Part::Itself),
            ("/root:/A:/children", None, "A", Part::Children),
            ("/items/01A", id(), "", Part::Itself),
            ("/items/01A:/n:/versions", id(), "n", Part::Versions),
            (
                "/items/01A/versions/current",
                id(),
                "",
                Part::Version("current".to_owned()),
            ),
            (
                "/items/01A/versions/2.0/content",
                id(),
                "",
                Part::VersionContent("2.0".to_owned()),
            ),
            ("/root/delta", None, "", Part::Delta(None)),
            (
                "/root/delta(token='x%3A1')",
                None,
                "",
                Part::Delta(Some("x:1".to_owned())),
            ),
        ];
        for (path, id, names, part) in cases {
            assert_eq!(
                place(&format!("/v1.0/drives/b%21x{path}")),
                (id, names.to_owned(), part),
                "{path}"
            );
        }
        assert_eq!(Route::of("/contoso/oauth2/v2.0/token"), Route::Token);
        assert_eq!(Route::of("/v1.0/$batch"), Route::Batch);
        assert_eq!(Route::of("/v1.0/drives/d/root/nothing").operation(), "other");
    }
}
