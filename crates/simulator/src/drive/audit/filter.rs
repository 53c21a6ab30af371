//! The filter of Drive Activity: conditions on time and kind of action, joined by AND.

use jiff::Timestamp;

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    /// `time`, an operator, epoch milliseconds or a quoted moment; the milliseconds.
    Time(Compare, i64),
    /// `detail.action_detail_case:X` or `:(X Y)`; whether it is turned round, and the words.
    Case(Wants, Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Above,
    AtLeast,
    Below,
    AtMost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    These,
    Others,
}

/// All conditions of a filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter(Vec<Condition>);

/// All kinds of actions of the specification.
const CASES: [&str; 12] = [
    "CREATE",
    "EDIT",
    "MOVE",
    "RENAME",
    "DELETE",
    "RESTORE",
    "PERMISSION_CHANGE",
    "COMMENT",
    "DLP_CHANGE",
    "REFERENCE",
    "SETTINGS_CHANGE",
    "APPLIED_LABEL_CHANGE",
];

impl Filter {
    /// `None` for what cannot be understood.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Self::default());
        }
        text.split(" AND ")
            .map(|part| condition(part.trim()))
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }

    pub(super) fn takes(&self, at: Timestamp, case: &str) -> bool {
        let millis = at.as_millisecond();
        self.0.iter().all(|condition| match condition {
            Condition::Time(Compare::Above, bound) => millis > *bound,
            Condition::Time(Compare::AtLeast, bound) => millis >= *bound,
            Condition::Time(Compare::Below, bound) => millis < *bound,
            Condition::Time(Compare::AtMost, bound) => millis <= *bound,
            Condition::Case(wants, words) => {
                (*wants == Wants::These) == words.iter().any(|word| word == case)
            }
        })
    }
}

fn condition(part: &str) -> Option<Condition> {
    if let Some(rest) = part.strip_prefix("time") {
        let rest = rest.trim_start();
        let (compare, value) = [
            (">=", Compare::AtLeast),
            ("<=", Compare::AtMost),
            (">", Compare::Above),
            ("<", Compare::Below),
        ]
        .into_iter()
        .find_map(|(sign, compare)| Some((compare, rest.strip_prefix(sign)?.trim())))?;
        let quoted = value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
        let millis = match quoted {
            Some(moment) => moment.parse::<Timestamp>().ok()?.as_millisecond(),
            None => value.parse().ok()?,
        };
        return Some(Condition::Time(compare, millis));
    }
    let (wants, rest) = match part.strip_prefix('-') {
        Some(rest) => (Wants::Others, rest),
        None => (Wants::These, part),
    };
    let value = rest
        .strip_prefix("detail.action_detail_case")?
        .trim_start()
        .strip_prefix(':')?;
    let value = value.trim();
    let inner = value.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
    let words: Vec<String> = inner
        .unwrap_or(value)
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let known = !words.is_empty() && words.iter().all(|word| CASES.contains(&word.as_str()));
    known.then_some(Condition::Case(wants, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_joined_and_turned_round() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let filter = |text| Filter::parse(text).unwrap();
        let both = filter(
            "time >= 1000 AND time < \"1970-01-01T00:00:03Z\" AND detail.action_detail_case:(MOVE RENAME)",
        );
        assert!(both.takes(at(1), "MOVE") && both.takes(at(2), "RENAME"));
        assert!(!both.takes(at(3), "MOVE") && !both.takes(at(0), "MOVE") && !both.takes(at(1), "EDIT"));
        let others = filter("-detail.action_detail_case:EDIT");
        assert!(others.takes(at(1), "MOVE") && !others.takes(at(1), "EDIT"));
        for wrong in [
            "time = 1",
            "time > soon",
            "detail.action_detail_case:BEAM",
            "title:x",
            "time > 1 OR time < 2",
        ] {
            assert_eq!(Filter::parse(wrong), None, "{wrong}");
        }
    }
}
