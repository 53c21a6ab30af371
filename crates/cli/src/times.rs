//! Times on the command line.

use revtrail_model::time::{
    self, Timestamp,
    jiff::{civil::Date, tz::TimeZone},
};

use crate::exit::Failure;

/// A moment: RFC 3339, or a date, which is its start in UTC.
pub(crate) fn moment(text: &str) -> Result<Timestamp, Failure> {
    time::moment(text).map_err(|error| {
        Failure::usage(
            error,
            "write a time like 2026-11-20T23:14:05Z, or a date like 2026-11-20",
        )
    })
}

/// An optional moment.
pub(crate) fn optional(text: Option<&String>) -> Result<Option<Timestamp>, Failure> {
    text.map(|text| moment(text)).transpose()
}

/// A date.
pub(crate) fn date(text: &str) -> Result<Date, Failure> {
    text.parse()
        .map_err(|_| Failure::usage(format!("{text:?} is not a date"), "write a date like 2026-11-20"))
}

/// The UTC date of a moment.
pub(crate) fn date_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
