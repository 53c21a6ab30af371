//! Which hosts may be spoken to.

use url::{Origin, Url};

/// The origins (scheme, host and port) an account may be read from. Links and redirects to any other are refused, because an answer
/// that could send us elsewhere could also send the access token there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    origins: Vec<Origin>,
    downloads: Vec<String>,
}

impl Hosts {
    /// The origins of these addresses; their paths do not matter.
    pub fn new<'u>(urls: impl IntoIterator<Item = &'u Url>) -> Self {
        Self {
            origins: urls.into_iter().map(Url::origin).collect(),
            downloads: Vec::new(),
        }
    }

    /// Adds names of hosts that contents may be fetched from, when an answer leads there: each stands for itself and everything below it,
    /// over `https` at the usual port. No token ever goes there.
    #[must_use]
    pub fn with_downloads(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.downloads
            .extend(names.into_iter().map(|name| name.to_ascii_lowercase()));
        self
    }

    /// Whether contents may be fetched from `url`: from an allowed origin, or from a host that serves downloads.
    pub fn allow_download(&self, url: &Url) -> bool {
        let serves = |host: &str| {
            self.downloads.iter().any(|name| {
                host.strip_suffix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
        };
        let plain = url.scheme() == "https" && url.port().is_none() && url.username().is_empty();
        self.allow(url) || (plain && url.host_str().is_some_and(serves))
    }

    /// Whether `url` has one of these origins. An address without a host has none.
    pub fn allow(&self, url: &Url) -> bool {
        url.has_host() && self.origins.contains(&url.origin())
    }
}

/// What an error says about an address that is not allowed: its origin, for a path may hold names.
pub(crate) fn foreign(url: &Url) -> String {
    url.origin().ascii_serialization().chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn scheme_host_and_port_must_agree() {
        let hosts = Hosts::new([&url("https://api.example/v1.0/"), &url("http://127.0.0.1:8080")]);
        assert!(hosts.allow(&url("https://api.example/other?x=1")));
        assert!(hosts.allow(&url("https://API.example:443/")));
        assert!(hosts.allow(&url("http://127.0.0.1:8080/x")));
        for foreign in [
            "http://api.example/v1.0/",
            "https://api.example:8443/",
            "https://api.example.evil/",
            "https://api.example@evil.example/",
            "https://evil.example/?https://api.example/",
            "http://127.0.0.1:8081/x",
            "data:text/plain,x",
            "file:///etc/passwd",
        ] {
            assert!(!hosts.allow(&url(foreign)), "{foreign}");
        }
    }

    #[test]
    fn downloads_come_from_named_hosts_and_what_is_below_them() {
        let hosts =
            Hosts::new([&url("https://api.example")]).with_downloads(["SharePoint.example".to_owned()]);
        for good in [
            "https://api.example/x",
            "https://sharepoint.example/a?tempauth=1",
            "https://acme-my.sharepoint.example/a",
        ] {
            assert!(hosts.allow_download(&url(good)), "{good}");
        }
        for foreign in [
            "http://acme.sharepoint.example/a",
            "https://acme.sharepoint.example:8443/a",
            "https://u@acme.sharepoint.example/a",
            "https://evilsharepoint.example/a",
            "https://sharepoint.example.evil/a",
            "https://127.0.0.1/sharepoint.example",
            "data:text/plain,x",
        ] {
            assert!(!hosts.allow_download(&url(foreign)), "{foreign}");
        }
        assert!(!hosts.allow(&url("https://acme.sharepoint.example/a")));
    }

    #[test]
    fn an_address_without_a_host_allows_nothing() {
        let hosts = Hosts::new([&url("file:///srv"), &url("data:text/plain,x")]);
        assert!(!hosts.allow(&url("file:///srv")));
        assert!(!hosts.allow(&url("data:text/plain,x")));
    }
}
