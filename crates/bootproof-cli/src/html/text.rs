//! Figures and prose as people read them.

use bootproof::Milliseconds;
pub(super) use bootproof::figure::{bytes, count, grouped};
use maud::{Markup, html};

/// `0.034 ms`, `0.61 ms`, `1.6 ms`, `114 ms`, `8.6 s`, `2 min 5 s`: two digits that mean something, or three.
pub(super) fn time(time: Milliseconds) -> String {
    match time.0 {
        ms if ms < 0.0995 => format!("{ms:.3} ms"),
        ms if ms < 0.995 => format!("{ms:.2} ms"),
        ms if ms < 99.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 59_950.0 => format!("{:.1} s", ms / 1e3),
        ms => {
            let seconds = whole(ms / 1e3);
            format!("{} min {} s", grouped(seconds / 60), seconds % 60)
        }
    }
}

/// A share of the whole: `12%`, `3.4%`, `<0.1%`.
pub(super) fn share(part: f64, whole: f64) -> String {
    match part / whole * 100.0 {
        percent if !percent.is_finite() || percent <= 0.0 => "0%".to_owned(),
        percent if percent < 0.1 => "<0.1%".to_owned(),
        percent if percent < 9.95 => format!("{percent:.1}%"),
        percent => format!("{percent:.0}%"),
    }
}

/// By how much a figure fell or rose: `−99%`. Nothing where one of them is zero.
pub(super) fn change(before: f64, after: f64) -> Option<String> {
    let percent = (after / before - 1.0) * 100.0;
    if before <= 0.0 || after <= 0.0 || !percent.is_finite() {
        return None;
    }
    Some(match percent {
        // `−100%` would say that nothing is left.
        fall if fall <= -99.5 => format!("−{:.1}%", (-fall).min(99.9)),
        fall if fall <= -0.5 => format!("−{:.0}%", -fall),
        rise if rise >= 0.5 => format!("+{rise:.0}%"),
        _ => "±0%".to_owned(),
    })
}

/// How many times as fast: `71×`, `1.6×`, `0.82×`; two digits that mean something.
pub(super) fn factor(before: f64, after: f64) -> Option<String> {
    let factor = before / after;
    if before <= 0.0 || after <= 0.0 || !factor.is_finite() {
        return None;
    }
    Some(match factor {
        large if large >= 9.95 => format!("{}×", grouped(whole(large))),
        medium if medium >= 0.995 => format!("{medium:.1}×"),
        small => format!("{small:.2}×"),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturating")]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// Prose as the engine writes it, with names between backticks.
pub(super) fn prose(text: &str) -> Markup {
    let mut pieces: Vec<_> = text.split('`').collect();
    // A backtick without its partner is a backtick.
    let unpaired = if pieces.len().is_multiple_of(2) { pieces.pop() } else { None };
    html! {
        @for (position, piece) in pieces.iter().enumerate() {
            @if position % 2 == 1 { (name(piece)) } @else { (piece) }
        }
        @if let Some(rest) = unpaired { "`" (rest) }
    }
}

/// The same, beginning with a capital: messages begin with a small letter, because they follow `error:`.
pub(super) fn sentence(text: &str) -> Markup {
    let mut characters = text.chars();
    let capital: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    prose(&(capital + characters.as_str()))
}

/// A name or path, which may be broken after every part of it where it is too long for its place.
pub(super) fn name(name: &str) -> Markup {
    let parts = name.split_inclusive(['_', '/', '\\', '.', '-']);
    html! {
        code { @for (position, part) in parts.enumerate() { @if position > 0 { wbr; } (part) } }
    }
}

/// Shows what would act on the text around it rather than be seen: controls, which a terminal's colours are made of, and
/// the marks that turn the direction of writing, with which a name can pass itself off as another.
///
/// Done to the finished page, so that no string can be forgotten; its own markup has none of them.
pub(super) fn without_controls(page: &str) -> String {
    page.chars()
        .map(|character| match character {
            '\n' | '\t' => character,
            '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'),
            '\x7f' => '\u{2421}',
            '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                '\u{fffd}'
            }
            _ => character,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_at_a_glance() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 999, 41_234_567].map(bytes), ["0 B", "999 B", "41.2 MB"]);
        let times = [0.0, 0.0342, 0.61, 1.64, 19.0, 114.2, 999.7, 8_647.0, 125_400.0];
        let told = ["0.000 ms", "0.034 ms", "0.61 ms", "1.6 ms", "19.0 ms", "114 ms", "1.0 s", "8.6 s", "2 min 5 s"];
        assert_eq!(times.map(|ms| time(Milliseconds(ms))), told);
        assert_eq!([count(1, "row", "rows"), count(0, "row", "rows")], ["1 row", "0 rows"]);
        assert_eq!([0.0, 0.01, 3.42, 99.0].map(|part| share(part, 100.0)), ["0%", "<0.1%", "3.4%", "99%"]);
        assert_eq!(share(1.0, 0.0), "0%");
    }

    #[test]
    fn a_change_is_told_in_both_directions_and_never_as_nothing_left() {
        let told = |before, after| change(before, after).zip(factor(before, after));
        let pair = |percent: &str, factor: &str| Some((percent.to_owned(), factor.to_owned()));
        assert_eq!(told(114.0, 1.6), pair("−99%", "71×"));
        assert_eq!(told(1_000.0, 0.05), pair("−99.9%", "20,000×"));
        assert_eq!(told(1.0, 1.22), pair("+22%", "0.82×"));
        assert_eq!(told(1.0, 1.001), pair("±0%", "1.0×"));
        assert_eq!(told(0.0, 1.0), None);
        assert_eq!(told(1.0, f64::NAN), None);
    }

    #[test]
    fn names_between_backticks_are_code() {
        assert_eq!(prose("a `b_c` d").into_string(), "a <code>b_<wbr>c</code> d");
        assert_eq!(prose("`a` ` <b>").into_string(), "<code>a</code> ` &lt;b&gt;");
        assert_eq!(sentence("äh").into_string(), "Äh");
        assert_eq!(sentence("").into_string(), "");
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(without_controls("a\n\u{1b}[31m\0\r\u{202e}z\u{7f}"), "a\n␛[31m␀␍\u{fffd}z␡");
    }
}
