//! ISO 8601 durations, in the form of `PnDTnHnMn.nS`.

/// Reads a duration, in milliseconds (parts of one are cut off). Days count 24 hours; every part
/// may have a sign, and so may the whole. `None` when it is malformed or does not fit.
pub(crate) fn parse_iso_duration_ms(text: &str) -> Option<i64> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let body = unsigned.strip_prefix(['P', 'p'])?;
    let (date, time) = match body.split_once(['T', 't']) {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (body, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let mut total_ms = 0_i64;
    if !date.is_empty() {
        let (days, rest) = split_at_unit(date, 'D')?;
        if !rest.is_empty() {
            return None;
        }
        total_ms = days.parse::<i64>().ok()?.checked_mul(86_400_000)?;
    }
    let mut rest = time;
    for (unit, unit_ms) in [('H', 3_600_000), ('M', 60_000)] {
        if let Some((amount, after)) = split_at_unit(rest, unit) {
            total_ms = total_ms.checked_add(amount.parse::<i64>().ok()?.checked_mul(unit_ms)?)?;
            rest = after;
        }
    }
    if let Some((amount, after)) = split_at_unit(rest, 'S') {
        total_ms = total_ms.checked_add(parse_seconds_ms(amount)?)?;
        rest = after;
    }
    if rest.is_empty() {
        total_ms.checked_mul(sign)
    } else {
        None
    }
}

/// The text before `unit`, in either case, and the text after it.
fn split_at_unit(text: &str, unit: char) -> Option<(&str, &str)> {
    text.split_once([unit, unit.to_ascii_lowercase()])
}

fn parse_seconds_ms(amount: &str) -> Option<i64> {
    let (whole, fraction) = amount.split_once(['.', ',']).unwrap_or((amount, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole_ms = whole.parse::<i64>().ok()?.checked_mul(1000)?;
    let fraction_ms = format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok()?;
    let signed_fraction_ms = if whole.starts_with('-') {
        -fraction_ms
    } else {
        fraction_ms
    };
    whole_ms.checked_add(signed_fraction_ms)
}

#[cfg(test)]
mod tests;
