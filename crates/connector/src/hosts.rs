//! Which hosts may be spoken to.

use url::{Origin, Url};

/// The origins (scheme, host and port) an account may be read from. Links and redirects to any other are refused, because an answer
/// that could send us elsewhere could also send the access token there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(Vec<Origin>);

impl Hosts {
    /// The origins of these addresses; their paths do not matter.
    pub fn new<'u>(urls: impl IntoIterator<Item = &'u Url>) -> Self {
        Self(urls.into_iter().map(Url::origin).collect())
    }

    /// Whether `url` has one of these origins. An address without a host has none.
    pub fn allow(&self, url: &Url) -> bool {
        url.has_host() && self.0.contains(&url.origin())
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
    fn an_address_without_a_host_allows_nothing() {
        let hosts = Hosts::new([&url("file:///srv"), &url("data:text/plain,x")]);
        assert!(!hosts.allow(&url("file:///srv")));
        assert!(!hosts.allow(&url("data:text/plain,x")));
    }
}
