//! What the account sections of the configuration share.

use std::{fmt, net::IpAddr};

use url::{Host, Url};

/// One thing wrong with an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct Problem {
    /// Key within the account.
    pub key: &'static str,
    /// What is wrong with it.
    pub message: String,
}

/// Everything wrong with an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

/// An `https` address, or `http` on this very machine, without a slash at the end.
pub fn endpoint(text: &str) -> Result<Url, &'static str> {
    let mut url = Url::parse(text.trim().trim_end_matches('/')).map_err(|_| "is not a URL")?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => return Err("must name a host"),
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        return Err("must use https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not have a query or fragment");
    }
    if url.path() == "/" {
        url.set_path("");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://api.example", "must use https")]
    #[case("https://u:p@api.example", "must not hold a user name or password")]
    #[case("https://api.example?x=1", "must not have a query or fragment")]
    #[case("api.example", "is not a URL")]
    fn refuses_unsafe_addresses(#[case] text: &str, #[case] why: &str) {
        assert_eq!(endpoint(text).unwrap_err(), why);
    }

    #[test]
    fn keeps_a_path_and_drops_the_last_slash() {
        assert_eq!(
            endpoint("https://graph.example/v1.0/").unwrap().as_str(),
            "https://graph.example/v1.0"
        );
        assert_eq!(endpoint("http://127.0.0.1:8080").unwrap().port(), Some(8080));
    }
}
