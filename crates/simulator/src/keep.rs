//! How long a provider keeps what was replaced: pruning by number and age, thinning from the middle.

use jiff::Timestamp;

const DAY_SECONDS: i64 = 86_400;
/// OneDrive's automatic limits: everything of 30 days, then one an hour, from 60 days on one a day, from 180 days on one a week.
const THINNING: [(i64, i64); 3] = [(180, 7 * DAY_SECONDS), (60, DAY_SECONDS), (30, 3600)];

/// What a provider keeps of a file's revisions beside the newest, which it always keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// So many at most, the newest ones; `None`: any number.
    pub newest: Option<usize>,
    /// Those of so many days; `None`: however old.
    pub days: Option<i64>,
    /// Whether old ones are thinned out, which leaves holes in the middle.
    pub thinning: Thinning,
}

/// Whether old revisions are thinned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thinning {
    /// No.
    #[default]
    Off,
    /// As OneDrive does with automatic version limits.
    Automatic,
}

impl Keep {
    /// As OneDrive with automatic version limits.
    pub const ONEDRIVE: Self = Self {
        newest: Some(500),
        days: None,
        thinning: Thinning::Automatic,
    };
    /// As Google Drive with files nobody pinned.
    pub const GOOGLE_DRIVE: Self = Self {
        newest: Some(100),
        days: Some(30),
        thinning: Thinning::Off,
    };
    /// As Dropbox on its smallest plans.
    pub const DROPBOX: Self = Self {
        newest: None,
        days: Some(30),
        thinning: Thinning::Off,
    };

    /// Which revisions are still there at `now`; `saved_at` is the time of each, oldest first. Who was pruned never comes back.
    pub fn kept(&self, now: Timestamp, saved_at: &[Timestamp]) -> Vec<bool> {
        let count = saved_at.len();
        let first = self.newest.map_or(0, |newest| count.saturating_sub(newest));
        let keeps = |place: usize| {
            let Some(at) = saved_at.get(place) else {
                return false;
            };
            let age_days = (now.as_second() - at.as_second()) / DAY_SECONDS;
            place + 1 == count
                || (place >= first
                    && self.days.is_none_or(|days| age_days < days)
                    && self.outlives_thinning(age_days, *at, saved_at.get(place + 1)))
        };
        (0..count).map(keeps).collect()
    }

    /// Of those that share an hour, day or week, the newest stays.
    fn outlives_thinning(&self, age_days: i64, at: Timestamp, next: Option<&Timestamp>) -> bool {
        let step = THINNING.iter().find(|(from_days, _)| age_days >= *from_days);
        match (self.thinning, step, next) {
            (Thinning::Automatic, Some((_, span)), Some(next)) => {
                at.as_second().div_euclid(*span) != next.as_second().div_euclid(*span)
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64, second: i64) -> Timestamp {
        Timestamp::from_second(1_767_571_200 + day * DAY_SECONDS + second).unwrap()
    }

    #[test]
    fn the_newest_is_always_kept() {
        let kept = Keep::GOOGLE_DRIVE.kept(day(900, 0), &[day(0, 0), day(1, 0)]);
        assert_eq!(kept, [false, true]);
    }

    #[test]
    fn number_and_age_prune_from_the_oldest_on() {
        let days: Vec<Timestamp> = (0..4).map(|n| day(n, 0)).collect();
        let keep = Keep {
            newest: Some(3),
            days: Some(2),
            ..Keep::default()
        };
        assert_eq!(keep.kept(day(3, 0), &days), [false, false, true, true]);
        assert_eq!(Keep::default().kept(day(900, 0), &days), [true; 4]);
    }

    #[test]
    fn thinning_leaves_the_newest_of_each_span() {
        // Two in one hour, one in the next hour, one on the next day.
        let saves = [day(0, 10), day(0, 20), day(0, 4000), day(1, 0), day(300, 0)];
        let kept = |now| Keep::ONEDRIVE.kept(day(now, 0), &saves);
        assert_eq!(kept(20), [true; 5]);
        assert_eq!(kept(40), [false, true, true, true, true]);
        assert_eq!(kept(100), [false, false, true, true, true]);
    }
}
