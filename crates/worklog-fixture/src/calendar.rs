//! The three years that a fixture covers, without a clock.

use std::fmt;

/// Days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(u32);

/// 2023-01-01.
pub(crate) const FIRST: Day = Day(19_358);
/// 2025-12-31.
pub(crate) const LAST: Day = Day(20_453);

impl Day {
    pub(crate) fn plus(self, days: u32) -> Self {
        Self(self.0 + days)
    }

    /// Never earlier than 1970-01-01.
    pub(crate) fn minus(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days))
    }

    pub(crate) fn days_since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }

    /// 1970-01-01 was a Thursday, three days after a Monday.
    pub(crate) fn is_weekend(self) -> bool {
        (self.0 + 3) % 7 >= 5
    }

    /// Year, month and day of the proleptic Gregorian calendar. Years run from March here, which puts the leap day at
    /// their end and makes the months a linear function.
    fn civil(self) -> (u32, u32, u32) {
        let days = self.0 + 719_468;
        let era_day = days % 146_097;
        let era_year = (era_day - era_day / 1_460 + era_day / 36_524 - era_day / 146_096) / 365;
        let year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
        let march_month = (5 * year_day + 2) / 153;
        let day = year_day - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = days / 146_097 * 400 + era_year + u32::from(month <= 2);
        (year, month, day)
    }
}

/// ISO: `2025-12-31`.
impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(formatter, "{year:04}-{month:02}-{day:02}")
    }
}

/// The days from the first to the last.
pub(crate) fn days() -> impl Iterator<Item = Day> {
    (FIRST.0..=LAST.0).map(Day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_three_whole_years() {
        assert_eq!(FIRST.to_string(), "2023-01-01");
        assert_eq!(LAST.to_string(), "2025-12-31");
        assert_eq!(days().count(), 1096);
    }

    #[test]
    fn knows_the_leap_day_and_the_weekend() {
        assert_eq!(FIRST.plus(365 + 31 + 28).to_string(), "2024-02-29");
        assert!(FIRST.is_weekend(), "2023-01-01 was a Sunday");
        assert!(!FIRST.plus(1).is_weekend());
        assert!(!LAST.is_weekend(), "2025-12-31 was a Wednesday");
    }
}
