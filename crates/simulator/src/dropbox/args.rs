//! Strict reading of arguments: a field of the wrong type or name is a 400, as at the real service.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::ids::NAMESPACE;
use super::index::key_of;
use super::metadata::time;
use super::problem::Problem;

/// The fields of an argument; taking a field removes it, and [`Args::finish`] refuses what is left.
#[derive(Debug)]
pub(super) struct Args {
    fields: Map<String, Value>,
}

impl Args {
    pub(super) fn parse(text: &[u8]) -> Result<Self, Problem> {
        match serde_json::from_slice(text) {
            Ok(Value::Object(fields)) => Ok(Self { fields }),
            Ok(_) => Err(Problem::Bad("request body: expected object".to_owned())),
            Err(_) => Err(Problem::Bad(
                "request body: could not decode input as JSON".to_owned(),
            )),
        }
    }

    /// A field that may be null, which is the same as absent.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(Problem::field(
                name,
                format!("expected string, got {}", kind(&other)),
            )),
        }
    }

    pub(super) fn required_text(&mut self, name: &str) -> Result<String, Problem> {
        self.text(name)?
            .ok_or_else(|| Problem::Bad(format!("request body: missing required field '{name}'")))
    }

    /// A flag that cannot be null.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        match self.fields.remove(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(Problem::field(
                name,
                format!("expected boolean, got {}", kind(&other)),
            )),
        }
    }

    pub(super) fn number(&mut self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Problem> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let number = value
            .as_u64()
            .ok_or_else(|| Problem::field(name, format!("expected integer, got {}", kind(&value))))?;
        if number > *range.end() {
            let limit = range.end();
            return Err(Problem::field(
                name,
                format!("{number} is greater than maximum {limit}"),
            ));
        }
        if number < *range.start() {
            let limit = range.start();
            return Err(Problem::field(
                name,
                format!("{number} is less than minimum {limit}"),
            ));
        }
        Ok(Some(number))
    }

    /// A union whose members have no value: a bare word, or an object with the tag alone.
    pub(super) fn word(
        &mut self,
        name: &str,
        words: &[&'static str],
    ) -> Result<Option<&'static str>, Problem> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let tag = match &value {
            Value::String(tag) => Some(tag.as_str()),
            Value::Object(fields) if fields.len() == 1 => fields.get(".tag").and_then(Value::as_str),
            _ => None,
        };
        words
            .iter()
            .find(|word| Some(**word) == tag)
            .copied()
            .map(Some)
            .ok_or_else(|| Problem::field(name, format!("invalid union value {value}")))
    }

    /// A struct within; finish it as well.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self { fields })),
            Some(other) => Err(Problem::field(
                name,
                format!("expected object, got {}", kind(&other)),
            )),
        }
    }

    /// A moment in the only form there is: whole seconds, UTC.
    pub(super) fn time(&mut self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        text.parse()
            .ok()
            .filter(|moment| time(*moment) == text)
            .map(Some)
            .ok_or_else(|| {
                let why = format!("time data '{text}' does not match format '%Y-%m-%dT%H:%M:%SZ'");
                Problem::field(name, why)
            })
    }

    /// Refuses fields nobody took.
    pub(super) fn finish(self) -> Result<(), Problem> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(name) => Err(Problem::Bad(format!("request body: unknown field '{name}'"))),
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What a path argument names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A place by its key; `""` is the root.
    Place(String),
    /// An item, by its id with `id:`.
    Id(String),
    /// A revision, without `rev:`.
    Rev(String),
}

/// Which forms a route takes besides `/…`, `id:…` and `ns:…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// `""` (spec `PathROrId`).
    Root,
    /// `rev:…` (spec `ReadPath`).
    Rev,
    /// Nothing more (spec `PathOrId`).
    Plain,
}

impl Takes {
    fn pattern(self) -> &'static str {
        match self {
            Self::Root => r"(/(.|[\\r\\n])*)?|id:.*|(ns:[0-9]+(/.*)?)",
            Self::Rev => r"(/(.|[\\r\\n])*|id:.*)|(rev:[0-9a-f]{9,})|(ns:[0-9]+(/.*)?)",
            Self::Plain => r"/(.|[\\r\\n])*|id:.*|(ns:[0-9]+(/.*)?)",
        }
    }
}

/// Reads a path argument: 400 when it has none of the forms, 409 when it cannot be a path.
pub(super) fn target(path: &str, takes: Takes) -> Result<Target, Problem> {
    if path == "/" {
        let why = if takes == Takes::Root {
            "Specify the root folder as an empty string rather than as \"/\"."
        } else {
            "The root folder is unsupported."
        };
        return Err(Problem::field("path", why));
    }
    let found = if path.is_empty() && takes == Takes::Root {
        Some(Ok(Target::Place(String::new())))
    } else if path.starts_with('/') {
        Some(place(path))
    } else if path.starts_with("id:") {
        Some(Ok(Target::Id(path.to_owned())))
    } else if let Some(rest) = path.strip_prefix("ns:") {
        in_namespace(rest)
    } else {
        path.strip_prefix("rev:")
            .filter(|rev| takes == Takes::Rev && is_rev(rev))
            .map(|rev| Ok(Target::Rev(rev.to_owned())))
    };
    found.unwrap_or_else(|| {
        let pattern = takes.pattern();
        Err(Problem::field(
            "path",
            format!("'{path}' did not match pattern '{pattern}'"),
        ))
    })
}

/// At least nine lower-case hex digits (spec `Rev`).
pub(super) fn is_rev(rev: &str) -> bool {
    rev.len() >= 9 && rev.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn place(path: &str) -> Result<Target, Problem> {
    let plain = path
        .split('/')
        .skip(1)
        .all(|name| !matches!(name, "" | "." | ".."));
    if plain {
        Ok(Target::Place(key_of(path)))
    } else {
        Err(Problem::path("malformed_path"))
    }
}

/// `digits` or `digits/path`; `None` when it is neither.
fn in_namespace(rest: &str) -> Option<Result<Target, Problem>> {
    let (digits, path) = match rest.split_once('/') {
        Some((digits, path)) => (digits, format!("/{path}")),
        None => (rest, String::new()),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if digits.parse() != Ok(NAMESPACE) {
        return Some(Err(Problem::path("not_found")));
    }
    Some(if path.is_empty() {
        Ok(Target::Place(path))
    } else {
        place(&path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_the_patterns_of_the_specification_say() {
        let read = |path: &str| target(path, Takes::Plain);
        assert_eq!(read("/A/b"), Ok(Target::Place("/a/b".to_owned())));
        assert_eq!(
            read(&format!("ns:{NAMESPACE}/A")),
            Ok(Target::Place("/a".to_owned()))
        );
        assert_eq!(read("ns:1/A"), Err(Problem::path("not_found")));
        assert_eq!(read("/a/../b"), Err(Problem::path("malformed_path")));
        assert!(matches!(read("a"), Err(Problem::Bad(_))));
        assert!(matches!(read(""), Err(Problem::Bad(_))));
        assert!(matches!(read("rev:0123456789"), Err(Problem::Bad(_))));
        assert_eq!(target("", Takes::Root), Ok(Target::Place(String::new())));
        assert_eq!(
            target("rev:0123456789", Takes::Rev),
            Ok(Target::Rev("0123456789".to_owned()))
        );
        assert!(matches!(target("rev:012", Takes::Rev), Err(Problem::Bad(_))));
    }

    #[test]
    fn fields_are_strict() {
        let mut args =
            Args::parse(br#"{"limit": 101, "mode": {".tag": "id"}, "flag": null, "x": 1}"#).unwrap();
        assert_eq!(
            args.number("limit", 1..=100),
            Err(Problem::field("limit", "101 is greater than maximum 100"))
        );
        assert_eq!(args.word("mode", &["path", "id"]), Ok(Some("id")));
        assert_eq!(
            args.flag("flag"),
            Err(Problem::field("flag", "expected boolean, got null"))
        );
        assert_eq!(
            args.finish(),
            Err(Problem::Bad("request body: unknown field 'x'".to_owned()))
        );
    }
}
