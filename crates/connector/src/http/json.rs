//! Reading JSON without letting its content into error messages.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Why a body is not the JSON it should be. The parser's own message may quote values of the body, and those may be names of people
/// and files; only where and what sort of fault it was is kept, and which member was missing, a name of ours.
#[derive(Debug)]
pub(super) struct JsonFailure {
    category: Category,
    line: usize,
    column: usize,
    missing: Option<String>,
}

impl JsonFailure {
    /// Whether the text ends too early.
    pub(super) fn is_cut_off(&self) -> bool {
        self.category == Category::Eof
    }
}

impl fmt::Display for JsonFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.category {
            Category::Io => "JSON could not be read",
            Category::Syntax => "body is not JSON",
            Category::Data => "JSON has an unknown form",
            Category::Eof => "JSON is cut off",
        })?;
        if let Some(missing) = &self.missing {
            write!(f, ", {missing}")?;
        }
        write!(f, ", at line {} column {}", self.line, self.column)
    }
}

impl std::error::Error for JsonFailure {}

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, JsonFailure> {
    serde_json::from_slice(body).map_err(|error| {
        let message = error.to_string();
        let missing = message.starts_with("missing field `").then(|| {
            let end = message.find(" at line ").unwrap_or(message.len());
            message.chars().take(end).collect()
        });
        JsonFailure {
            category: error.classify(),
            line: error.line(),
            column: error.column(),
            missing,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Named {
        #[expect(dead_code, reason = "only its presence matters")]
        size: u64,
    }

    fn failure(body: &str) -> JsonFailure {
        read::<Named>(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn content_stays_out_of_the_message() {
        let failure = failure(r#"{"size":"Q3 forecast.xlsx"}"#);
        assert!(!failure.is_cut_off());
        assert_eq!(
            failure.to_string(),
            "JSON has an unknown form, at line 1 column 26"
        );
    }

    #[test]
    fn a_missing_member_is_named() {
        assert_eq!(
            failure("{}").to_string(),
            "JSON has an unknown form, missing field `size`, at line 1 column 2"
        );
    }

    #[test]
    fn text_that_ends_too_early_is_cut_off() {
        for body in ["", "{", r#"{"si"#, r#"{"size":"#, r#"{"size":1"#] {
            assert!(failure(body).is_cut_off(), "{body}");
        }
        assert!(!failure("<html>").is_cut_off());
    }
}
