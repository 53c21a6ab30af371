//! `files/download`: argument and metadata in headers, bytes in the body.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::args::{Args, Takes, Target, is_rev, target};
use super::metadata::is_cloud_document;
use super::problem::Problem;
use super::{Face, admit};
use crate::content::content;
use crate::fault::FaultKind;
use crate::sim::Call;
use crate::world::Save;

const ROUTE: &str = "files/download";

/// A revision to send: its metadata, rev and content.
struct Wanted {
    metadata: Value,
    rev: String,
    save: Save,
}

pub(super) async fn download(
    State(face): State<Arc<Face>>,
    Extension(call): Extension<Call>,
    headers: HeaderMap,
) -> Response {
    let wanted = admit(&face.sim, None, &headers).and_then(|()| find(&face, &call, &headers));
    match wanted {
        Ok(wanted) => send(&wanted, &headers),
        Err(problem) => problem.answer(ROUTE, face.sim.random()),
    }
}

fn find(face: &Face, call: &Call, headers: &HeaderMap) -> Result<Wanted, Problem> {
    // Other characters than printable ASCII must be escaped in the header's JSON.
    let text = headers
        .get("dropbox-api-arg")
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| Problem::Bad("HTTP header \"Dropbox-API-Arg\" is missing or not ASCII".to_owned()))?;
    let mut args = Args::parse(text.as_bytes())?;
    let mut target = target(&args.required_text("path")?, Takes::Rev)?;
    if let Some(rev) = args.text("rev")? {
        if !is_rev(&rev) {
            return Err(Problem::field("rev", "did not match pattern '[0-9a-f]+'"));
        }
        target = Target::Rev(rev);
    }
    args.finish()?;
    let view = face.view();
    let not_found = || Problem::path("not_found");
    let (item, revision) = if let Target::Rev(rev) = &target {
        let (at, revision) = view.by_rev(rev).ok_or_else(not_found)?;
        (at.item, revision)
    } else {
        let seq = view.world.seq();
        let item = match &target {
            Target::Place(key) => view.index.place(key).and_then(|place| place.occupant(seq)),
            Target::Id(id) => view.index.by_id(id).filter(|item| view.world.is_visible(*item)),
            Target::Rev(_) => None,
        };
        let item = item.ok_or_else(not_found)?;
        let revision = view.index.head(item, seq);
        (item, revision.ok_or_else(|| Problem::path("not_file"))?)
    };
    if is_cloud_document(&revision.path) {
        return Err(Problem::tag("unsupported_file"));
    }
    if revision.path.ends_with(".malware") {
        return Err(Problem::path("restricted_content"));
    }
    let mut metadata = view.file(item, revision, &revision.path);
    if view.sim.fires(call, FaultKind::MissingActor).is_some() {
        super::metadata::without_actor(&mut metadata);
    }
    Ok(Wanted {
        metadata,
        rev: revision.number.rev(),
        save: view.save(item, revision).cloned().ok_or_else(not_found)?,
    })
}

fn send(wanted: &Wanted, headers: &HeaderMap) -> Response {
    let tag = format!("W/\"{}\"", wanted.rev);
    let asked = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if asked(header::IF_NONE_MATCH) == Some(&tag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let bytes = content(&wanted.save.content_key, wanted.save.size);
    let length = bytes.len();
    let range = asked(header::RANGE).map(|range| part(range, length));
    let mut answer = match range {
        None => Response::new(Body::from(bytes)),
        Some(Some(part)) => {
            let shown = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            let bytes = bytes.get(part).unwrap_or_default().to_vec();
            let content_range = [(header::CONTENT_RANGE, shown)];
            (StatusCode::PARTIAL_CONTENT, content_range, bytes).into_response()
        }
        Some(None) => {
            let shown = format!("bytes */{length}");
            return (
                StatusCode::RANGE_NOT_SATISFIABLE,
                [(header::CONTENT_RANGE, shown)],
            )
                .into_response();
        }
    };
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, "application/octet-stream");
    set(header::ACCEPT_RANGES, "bytes");
    set(header::ETAG, &tag);
    set(
        HeaderName::from_static("original-content-length"),
        &length.to_string(),
    );
    set(
        HeaderName::from_static("dropbox-api-result"),
        &ascii(&wanted.metadata.to_string()),
    );
    answer
}

/// One range of bytes (RFC 9110 §14.1.2); `None` when it cannot be satisfied.
fn part(range: &str, length: usize) -> Option<Range<usize>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    if first.is_empty() {
        let count: usize = last.parse().ok()?;
        return (count > 0 && length > 0).then(|| length.saturating_sub(count)..length);
    }
    let first: usize = first.parse().ok()?;
    let end = match last {
        "" => length,
        last => last.parse::<usize>().ok()?.saturating_add(1).min(length),
    };
    (first < end).then_some(first..end)
}

/// JSON text with everything but printable ASCII escaped, for a header.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for unit in json.chars() {
        if matches!(unit, ' '..='~') {
            text.push(unit);
        } else {
            for half in unit.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{half:04x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_content() {
        assert_eq!(part("bytes=0-3", 10), Some(0..4));
        assert_eq!(part("bytes=8-99", 10), Some(8..10));
        assert_eq!(part("bytes=-3", 10), Some(7..10));
        assert_eq!(part("bytes=4-", 10), Some(4..10));
        assert_eq!(part("bytes=10-", 10), None);
        assert_eq!(part("lines=1-2", 10), None);
    }

    #[test]
    fn headers_carry_ascii_only() {
        assert_eq!(ascii("é🙂\u{7f}a"), "\\u00e9\\ud83d\\ude42\\u007fa");
    }
}
