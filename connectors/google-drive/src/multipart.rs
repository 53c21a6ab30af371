//! The batch endpoint's body form: `multipart/mixed` whose parts are whole HTTP messages.

use std::fmt::Write as _;

/// Separates the parts of a request. No part can hold it: addresses are percent-encoded.
pub(crate) const BOUNDARY: &str = "revtrail-part";

/// A request body that asks for each of `targets` (path and query), named by its number.
pub(crate) fn request<'t>(targets: impl IntoIterator<Item = (usize, &'t str)>) -> String {
    let mut body = String::new();
    for (number, target) in targets {
        // Writing to a string cannot fail.
        let _infallible = write!(
            body,
            "--{BOUNDARY}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\
             Content-ID: <{number}>\r\n\r\nGET {target} HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n"
        );
    }
    body.push_str("--");
    body.push_str(BOUNDARY);
    body.push_str("--\r\n");
    body
}

/// One part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part<'b> {
    /// Number of the request it answers.
    pub(crate) number: usize,
    /// HTTP status.
    pub(crate) status: u16,
    /// `Retry-After`, as sent.
    pub(crate) retry_after: Option<&'b str>,
    /// The body.
    pub(crate) body: &'b str,
}

/// The boundary that a `Content-Type` header names.
pub(crate) fn boundary(content_type: &str) -> Option<&str> {
    let mut parameters = content_type.split(';').map(str::trim);
    let media_type = parameters.next()?;
    if !media_type.to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim())
    })?;
    Some(value.trim_matches('"')).filter(|value| !value.is_empty())
}

/// The parts of an answer that can be read. One that is cut off or names no request is left out, as if it had not been sent.
pub(crate) fn answer<'b>(body: &'b str, boundary: &str) -> Vec<Part<'b>> {
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut start = None;
    let mut position = 0;
    for line in body.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix(&delimiter) {
            if let Some(text) = start.and_then(|start| body.get(start..position)) {
                parts.extend(part(text));
            }
            start = (!rest.starts_with("--")).then_some(position + line.len());
        }
        position += line.len();
    }
    parts
}

fn part(text: &str) -> Option<Part<'_>> {
    let (envelope, message) = head_and_body(text)?;
    let number = header(envelope, "content-id")?;
    let number = number.trim_matches(['<', '>', ' ']);
    let number = number.strip_prefix("response-").unwrap_or(number).parse().ok()?;
    let (head, body) = head_and_body(message)?;
    let status = head.lines().next()?.split_ascii_whitespace().nth(1)?;
    Some(Part {
        number,
        status: status.parse().ok()?,
        retry_after: header(head, "retry-after"),
        body: body.trim(),
    })
}

/// Splits at the first empty line.
fn head_and_body(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(['\r', '\n']);
    let windows = text.find("\r\n\r\n").map(|at| (at, 4));
    let unix = text.find("\n\n").map(|at| (at, 2));
    let (at, width) = [windows, unix].into_iter().flatten().min()?;
    Some((text.get(..at)?, text.get(at + width..)?))
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_request_asks_for_each_target_under_its_number() {
        let body = request([(0, "/drive/v3/files/a/revisions?x=1"), (7, "/b")]);
        assert_eq!(
            body,
            "--revtrail-part\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\
             Content-ID: <0>\r\n\r\nGET /drive/v3/files/a/revisions?x=1 HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n\
             --revtrail-part\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\
             Content-ID: <7>\r\n\r\nGET /b HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n--revtrail-part--\r\n"
        );
    }

    #[rstest]
    #[case("multipart/mixed; boundary=batch_x", Some("batch_x"))]
    #[case("Multipart/Mixed; charset=UTF-8; Boundary=\"a=b\"", Some("a=b"))]
    #[case("multipart/mixed", None)]
    #[case("multipart/mixed; boundary=", None)]
    #[case("application/json; boundary=x", None)]
    fn finds_the_boundary(#[case] content_type: &str, #[case] expected: Option<&str>) {
        assert_eq!(boundary(content_type), expected);
    }

    #[test]
    fn parts_come_in_any_order_with_a_status_each() {
        let body = include_str!("../tests/data/batch-answer.txt");
        assert_eq!(
            answer(body, "batch_e"),
            [
                Part {
                    number: 1,
                    status: 403,
                    retry_after: Some("2"),
                    body: "{\"error\":\n {\"code\":403}\n}",
                },
                Part {
                    number: 0,
                    status: 200,
                    retry_after: None,
                    body: "{\"revisions\":[]}",
                },
            ]
        );
    }

    #[test]
    fn line_ends_may_be_of_either_kind() {
        let unix = include_str!("../tests/data/batch-answer.txt").replace("\r\n", "\n");
        let windows = unix.replace('\n', "\r\n");
        for body in [unix, windows] {
            let numbers: Vec<_> = answer(&body, "batch_e").iter().map(|part| part.number).collect();
            assert_eq!(numbers, [1, 0]);
        }
    }

    #[test]
    fn a_part_cut_off_is_left_out() {
        let body = "--b\nContent-ID: <response-0>\n\nHTTP/1.1 200 OK\n\n{}\n--b\nContent-ID: <response-1>\n\nHTTP/1.1 200 OK\n\n{\"re";
        let numbers: Vec<_> = answer(body, "b").iter().map(|part| part.number).collect();
        assert_eq!(numbers, [0]);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::no_parts("--b--")]
    #[case::no_number("--b\n\nHTTP/1.1 200 OK\n\n{}\n--b--")]
    #[case::no_status("--b\nContent-ID: 1\n\nHTTP/1.1\n\n{}\n--b--")]
    #[case::no_message("--b\nContent-ID: 1\n--b--")]
    #[case::other_boundary("--c\nContent-ID: 1\n\nHTTP/1.1 200 OK\n\n{}\n--c--")]
    fn unreadable_parts_are_left_out(#[case] body: &str) {
        assert_eq!(answer(body, "b"), []);
    }
}
