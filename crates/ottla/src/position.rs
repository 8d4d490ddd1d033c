//! Positions in a log, and times, as people write them.

use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};

/// A position in a partition's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The first record there is.
    Earliest,
    /// Behind the last record there is.
    Latest,
    /// This offset.
    Offset(i64),
    /// This many records before the end.
    FromEnd(i64),
    /// The first record of this time or later, milliseconds since the epoch.
    Time(i64),
    /// The first record that is at most this old, milliseconds.
    Ago(i64),
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let position = match (text, text.strip_prefix('@'), text.strip_prefix('-')) {
            ("earliest", _, _) => Some(Self::Earliest),
            ("latest", _, _) => Some(Self::Latest),
            (_, Some(time), _) => parse_time_ms(time).map(Self::Time),
            (_, _, Some(back)) => match back.parse() {
                Ok(count) => Some(Self::FromEnd(count)),
                Err(_) => parse_duration_ms(back).map(Self::Ago),
            },
            _ => text.parse().ok().map(Self::Offset),
        };
        position.ok_or_else(|| {
            "a position is earliest, latest, an offset, -100 (records before the end), -15m or -2h \
             (time ago), or @ and a time: @2026-01-31T12:00:00Z, @2026-01-31 or @1767225600000"
                .to_owned()
        })
    }
}

/// Milliseconds since the epoch: as such, or a date, with or without a time and a zone (else UTC).
fn parse_time_ms(text: &str) -> Option<i64> {
    if let Ok(time_ms) = text.parse() {
        return Some(time_ms);
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_millisecond());
    }
    let date: DateTime = text.parse().ok()?;
    let zoned = date.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// A duration such as `15m`, `2h30m`, `7d` or `PT15M`, milliseconds. A day has 24 hours.
fn parse_duration_ms(text: &str) -> Option<i64> {
    let span: Span = text.parse().ok()?;
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .ok()?
        .as_millis();
    i64::try_from(duration).ok().filter(|millis| *millis >= 0)
}

/// A time as people read it, in UTC; `-` for no time.
pub fn time_text(time_ms: i64) -> String {
    match Timestamp::from_millisecond(time_ms) {
        Ok(_) if time_ms == -1 => "-".to_owned(),
        Ok(timestamp) => format!("{timestamp:.3}"),
        Err(_) => time_ms.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Position, time_text};

    #[test]
    fn positions() {
        for (text, expected) in [
            ("earliest", Some(Position::Earliest)),
            ("latest", Some(Position::Latest)),
            ("0", Some(Position::Offset(0))),
            ("-1", Some(Position::FromEnd(1))),
            ("-15m", Some(Position::Ago(900_000))),
            ("-2h30m", Some(Position::Ago(9_000_000))),
            ("-7d", Some(Position::Ago(604_800_000))),
            ("-PT1M", Some(Position::Ago(60_000))),
            ("@1700000000000", Some(Position::Time(1_700_000_000_000))),
            (
                "@2026-01-01T00:00:00Z",
                Some(Position::Time(1_767_225_600_000)),
            ),
            (
                "@2026-01-01T01:00:00+01:00",
                Some(Position::Time(1_767_225_600_000)),
            ),
            ("@2026-01-01", Some(Position::Time(1_767_225_600_000))),
            (
                "@2026-01-01 00:00:01.5",
                Some(Position::Time(1_767_225_601_500)),
            ),
            ("@soon", None),
            ("@", None),
            ("-", None),
            ("--15m", None),
            ("first", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Position>().ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(time_text(1_767_225_601_500), "2026-01-01T00:00:01.500Z");
        assert_eq!(time_text(-1), "-");
        assert_eq!(time_text(i64::MAX), "9223372036854775807");
    }
}
