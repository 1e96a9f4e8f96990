//! [`Timestamp`]: a moment, in milliseconds.

use crate::{Field, FieldError, Kind, Value};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    ops::{Add, Sub},
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A moment: milliseconds since 1970-01-01 00:00 UTC, negative before. Stored as that integer.
///
/// As text it is RFC 3339 in UTC. Conversions to and from `jiff`, `chrono` and `time` come with the features of these
/// names.
///
/// ```
/// use debros_core::Timestamp;
///
/// let moment = Timestamp::from_millis(1_357_034_400_000);
/// assert_eq!(moment.to_string(), "2013-01-01T10:00:00Z");
/// assert_eq!("2013-01-01T05:00:00-05:00".parse::<Timestamp>().unwrap(), moment);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

const DAY: i64 = 86_400_000;

impl Timestamp {
    /// The moment this many milliseconds after 1970-01-01 00:00 UTC.
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis)
    }

    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Now, by this machine's clock.
    pub fn now() -> Timestamp {
        SystemTime::now().into()
    }
}

impl From<SystemTime> for Timestamp {
    /// Milliseconds are rounded down; what does not fit is the nearest that does.
    fn from(time: SystemTime) -> Timestamp {
        Timestamp(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1_000_000)).map_or(i64::MIN, |ms| -ms),
        })
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;
    /// Stays at the last moment there is, if it is passed.
    fn add(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}
impl Sub<Duration> for Timestamp {
    type Output = Timestamp;
    /// Stays at the first moment there is, if it is passed.
    fn sub(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, and back: Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms".
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, millis) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = date_of(days);
        let (hour, minute, second) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
        let sign = if year < 0 { "-" } else { "" };
        write!(f, "{sign}{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", year.abs())?;
        if millis % 1000 != 0 {
            write!(f, ".{:03}", millis % 1000)?;
        }
        f.write_str("Z")
    }
}

/// A text that is no [`Timestamp`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no moment: expected RFC 3339, such as 2013-01-01T10:00:00Z or 2013-01-01T05:00:00-05:00")]
pub struct NotATimestamp(pub String);

impl FromStr for Timestamp {
    type Err = NotATimestamp;

    fn from_str(text: &str) -> Result<Timestamp, NotATimestamp> {
        parse(text).ok_or_else(|| NotATimestamp(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (date, rest) = rest.split_once(['T', 't', ' '])?;
    let number = |text: &str, digits: usize| -> Option<i64> {
        (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let mut parts = date.splitn(3, '-');
    let year = parts.next()?;
    // beyond 275,000 years the milliseconds do not fit anyway
    let year = if (4..=9).contains(&year.len()) { number(year, year.len())? } else { return None };
    let (month, day) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let (time, offset) = match rest.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => {
            let at = rest.rfind(['+', '-'])?;
            let (hours, minutes) = rest[at + 1..].split_once(':')?;
            let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (&rest[..at], (hours * 60 + minutes) * 60_000 * if rest[at..].starts_with('-') { -1 } else { 1 })
        }
    };
    let (time, fraction) = time.split_once('.').map_or((time, None), |(time, fraction)| (time, Some(fraction)));
    let mut parts = time.splitn(3, ':');
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let second = number(parts.next()?, 2)?;
    let millis = match fraction {
        None => 0,
        Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{digits:0<3}").get(..3)?.parse().ok()?
        }
        Some(_) => return None,
    };
    let year = if negative { -year } else { year };
    let days = days_of(year, month, day);
    if hour > 23 || minute > 59 || second > 59 || date_of(days) != (year, month, day) {
        return None;
    }
    let millis = ((hour * 60 + minute) * 60 + second) * 1000 + millis - offset;
    Some(Timestamp(days.checked_mul(DAY)?.checked_add(millis)?))
}

impl Field for Timestamp {
    const KIND: Kind = Kind::Timestamp;

    fn encode(&self) -> Result<Value, FieldError> {
        Ok(Value::from(self.0))
    }
    fn decode(value: &Value) -> Result<Timestamp, FieldError> {
        i64::decode(value).map(Timestamp)
    }
}

/// A moment of another crate that [`Timestamp`] cannot express, or the reverse.
#[cfg(any(feature = "jiff", feature = "chrono", feature = "time"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this moment is outside the range of the other type")]
pub struct OutOfRange;

#[cfg(feature = "jiff")]
mod with_jiff {
    use super::{OutOfRange, Timestamp};

    impl From<jiff::Timestamp> for Timestamp {
        fn from(moment: jiff::Timestamp) -> Timestamp {
            // jiff rounds towards zero, so a moment before 1970 with a fraction would move forward
            Timestamp((moment.as_nanosecond().div_euclid(1_000_000)) as i64)
        }
    }
    impl TryFrom<Timestamp> for jiff::Timestamp {
        type Error = OutOfRange;
        fn try_from(moment: Timestamp) -> Result<jiff::Timestamp, OutOfRange> {
            jiff::Timestamp::from_millisecond(moment.0).map_err(|_| OutOfRange)
        }
    }
}

#[cfg(feature = "chrono")]
mod with_chrono {
    use super::{OutOfRange, Timestamp};

    impl<Z: chrono::TimeZone> From<chrono::DateTime<Z>> for Timestamp {
        fn from(moment: chrono::DateTime<Z>) -> Timestamp {
            Timestamp(moment.timestamp_millis())
        }
    }
    impl TryFrom<Timestamp> for chrono::DateTime<chrono::Utc> {
        type Error = OutOfRange;
        fn try_from(moment: Timestamp) -> Result<chrono::DateTime<chrono::Utc>, OutOfRange> {
            chrono::DateTime::from_timestamp_millis(moment.0).ok_or(OutOfRange)
        }
    }
}

#[cfg(feature = "time")]
mod with_time {
    use super::{OutOfRange, Timestamp};

    impl From<time::OffsetDateTime> for Timestamp {
        fn from(moment: time::OffsetDateTime) -> Timestamp {
            Timestamp((moment.unix_timestamp_nanos().div_euclid(1_000_000)) as i64)
        }
    }
    impl TryFrom<Timestamp> for time::OffsetDateTime {
        type Error = OutOfRange;
        fn try_from(moment: Timestamp) -> Result<time::OffsetDateTime, OutOfRange> {
            time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(moment.0) * 1_000_000).map_err(|_| OutOfRange)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_text_reads_back(millis in any::<i64>()) {
            let moment = Timestamp(millis);
            prop_assert_eq!(moment.to_string().parse(), Ok(moment));
        }
        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9TZ:. ]{0,40}") {
            let _ = text.parse::<Timestamp>();
        }
    }

    #[test]
    fn texts_that_are_no_moments_are_refused() {
        for text in [
            "",
            "2013-02-29T00:00:00Z",
            "2013-01-01",
            "2013-01-01T24:00:00Z",
            "2013-01-01T00:00:00",
            "2013-1-1T00:00:00Z",
            "2013-01-01T00:00:00.Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
        assert_eq!("1969-12-31T23:59:59.999Z".parse(), Ok(Timestamp(-1)));
        assert_eq!("2012-02-29T00:00:00.1234Z".parse(), Ok(Timestamp(1_330_473_600_123)));
    }
}
