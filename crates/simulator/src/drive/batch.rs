//! `POST /batch/drive/v3`: up to 100 requests in one `multipart/mixed` body, done in any order.

use axum::http::{HeaderMap, StatusCode, Uri, header};

use super::problem::{Answer, Problem};
use super::{Ask, admit, answer, operation_of};
use crate::fault::FaultKind;
use crate::oauth::{self, Form};
use crate::sim::{Provider, Sim};

/// Parts in one batch.
const PARTS: usize = 100;
/// Characters of the address of a part.
const URL_LENGTH: usize = 8000;

/// One request of a batch.
struct Part {
    content_id: Option<String>,
    method: String,
    target: String,
    bearer: Option<String>,
}

/// Answers every part; the whole is refused only when it cannot be read or its own token is bad.
pub(super) fn run(sim: &Sim, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Problem> {
    let outer = oauth::bearer(headers);
    if outer.is_some() {
        admit(sim, outer)?;
    }
    let boundary = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .and_then(boundary)
        .ok_or_else(|| Problem::bad("Missing boundary of multipart/mixed."))?;
    let body = std::str::from_utf8(body).map_err(|_| Problem::bad("The batch is not text."))?;
    let mut parts = split(body, &boundary)
        .map(|text| read(text).ok_or_else(|| Problem::bad("Failed to parse batch request.")))
        .collect::<Result<Vec<Part>, Problem>>()?;
    if parts.is_empty() || parts.len() > PARTS {
        return Err(Problem::bad("A batch holds 1 to 100 calls."));
    }
    shuffle(sim, &mut parts);
    let mark = format!("batch_{:016x}", sim.random());
    let mut text = String::new();
    for part in &parts {
        let inner = answer_part(sim, part, outer);
        text.push_str(&written(&mark, part, &inner));
    }
    text.push_str("--");
    text.push_str(&mark);
    text.push_str("--\r\n");
    Ok(Answer {
        status: StatusCode::OK,
        kind: format!("multipart/mixed; boundary={mark}"),
        body: text.into_bytes(),
    })
}

fn boundary(kind: &str) -> Option<String> {
    let mut pieces = kind.split(';').map(str::trim);
    if !pieces.next()?.eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    pieces
        .filter_map(|piece| piece.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| value.trim_matches('"').to_owned())
        .filter(|value| !value.is_empty())
}

/// The texts between the boundary lines.
fn split<'b>(body: &'b str, boundary: &str) -> impl Iterator<Item = &'b str> {
    let mark = format!("--{boundary}");
    let pieces: Vec<&str> = body.split(mark.as_str()).skip(1).collect();
    pieces.into_iter().take_while(|piece| !piece.starts_with("--"))
}

fn read(text: &str) -> Option<Part> {
    let mut lines = text.trim_start().lines().map(str::trim_end);
    let outer = headers(&mut lines);
    let application_http = |(name, value): &(String, String)| {
        name == "content-type" && value.to_ascii_lowercase().starts_with("application/http")
    };
    outer.iter().find(|header| application_http(header))?;
    let request = lines.find(|line| !line.is_empty())?;
    let mut words = request.split_ascii_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let inner = headers(&mut lines);
    let field = |from: &[(String, String)], wanted: &str| {
        from.iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone())
    };
    Some(Part {
        content_id: field(&outer, "content-id"),
        method,
        target,
        bearer: field(&inner, "authorization")
            .and_then(|value| value.split_once(' ').map(|(_, token)| token.trim().to_owned())),
    })
}

/// Header lines up to the empty line, names in lower case.
fn headers<'l>(lines: &mut impl Iterator<Item = &'l str>) -> Vec<(String, String)> {
    lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect()
}

/// Fisher-Yates by the seeded sequence.
fn shuffle(sim: &Sim, parts: &mut [Part]) {
    for last in (1..parts.len()).rev() {
        let other = (sim.random() % (last as u64 + 1)) as usize;
        parts.swap(last, other);
    }
}

fn answer_part(sim: &Sim, part: &Part, outer: Option<&str>) -> Answer {
    // A part may name the host; only path and query matter.
    let Ok(uri) = part.target.parse::<Uri>() else {
        return Problem::bad("Invalid request line.").into();
    };
    let params: Form = oauth::form(uri.query().unwrap_or_default().as_bytes());
    let call = sim.begin(
        Provider::GoogleDrive,
        operation_of(uri.path(), uri.query().unwrap_or_default()),
    );
    let beyond = sim.charge(&call, &part.target).is_some();
    if beyond || sim.fires(&call, FaultKind::BatchInner429).is_some() {
        let choice = sim.random();
        let status = if choice.is_multiple_of(2) {
            StatusCode::TOO_MANY_REQUESTS
        } else {
            StatusCode::FORBIDDEN
        };
        return Problem::throttled(status, choice / 2).into();
    }
    let ask = Ask {
        sim,
        call: &call,
        params: &params,
    };
    let checked = admit(sim, part.bearer.as_deref().or(outer)).and_then(|()| {
        if part.method != "GET" {
            Err(Problem::read_only())
        } else if part.target.len() > URL_LENGTH || ask.wants_media() {
            Err(Problem::bad("This call cannot be part of a batch."))
        } else {
            answer(&ask, uri.path())
        }
    });
    checked.unwrap_or_else(Answer::from)
}

fn written(mark: &str, part: &Part, inner: &Answer) -> String {
    let id = part.content_id.as_deref().map_or_else(String::new, |id| {
        let bare = id.trim_start_matches('<');
        let open = if bare.len() < id.len() { "<" } else { "" };
        format!("Content-ID: {open}response-{bare}\r\n")
    });
    let body = String::from_utf8_lossy(&inner.body);
    format!(
        "--{mark}\r\nContent-Type: application/http\r\n{id}\r\nHTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{body}\r\n",
        inner.status,
        inner.kind,
        inner.body.len(),
    )
}
