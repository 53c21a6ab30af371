//! Text in URLs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Parameters of a query, by decoded name; `$` before a system option is optional, as in the service.
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    pub(super) fn of(text: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(text.unwrap_or_default().as_bytes());
        let bare = |name: &str| name.strip_prefix('$').unwrap_or(name).to_owned();
        Self(
            pairs
                .map(|(name, value)| (bare(&name), value.into_owned()))
                .collect(),
        )
    }

    /// The value of `name`, written without `$`.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Wished entries per page.
    pub(super) fn top(&self) -> Option<usize> {
        self.get("top")?.parse().ok()
    }
}

/// A path segment without its percent escapes; what is no UTF-8 becomes U+FFFD.
pub(super) fn decoded(segment: &str) -> String {
    let mut out = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let escape = || {
            let mut ahead = bytes.clone();
            let high = char::from(ahead.next()?).to_digit(16)?;
            let low = char::from(ahead.next()?).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        };
        match escape().filter(|_| byte == b'%') {
            Some(value) => {
                out.push(value);
                bytes.nth(1);
            }
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A path with everything but unreserved characters and `/` escaped (RFC 3986 §2.3).
pub(super) fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
