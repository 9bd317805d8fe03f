//! One column that a mapping reads: what is missing in it, and how its texts are cleaned.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A column, known by its place among all columns that the mapping reads.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) slot: usize,
    pub(super) missing: Vec<String>,
    pub(super) clean: Clean,
}

/// What is done to a text, in this order.
#[derive(Debug, Clone, Default)]
pub(super) struct Clean {
    pub(super) strip_prefix: Option<String>,
    pub(super) integer: bool,
    pub(super) values: BTreeMap<String, String>,
    pub(super) range: Option<RangeInclusive<i64>>,
}

/// Why a field has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The field is empty, or holds one of the spellings of *missing*.
    Missing,
    /// The value makes no sense for what it is to be.
    Unreadable,
    /// The value lies outside the range that the mapping gives.
    OutOfRange,
}

impl Column {
    /// The text of a field, trimmed and cleaned.
    pub(crate) fn text<'a>(&self, field: &'a str) -> Result<Cow<'a, str>, Fault> {
        let text = field.trim();
        if self.is_missing(text) {
            return Err(Fault::Missing);
        }
        // What stands for bytes that the file's encoding does not know.
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(Fault::Unreadable);
        }
        let text = self.clean.apply(text)?;
        if self.is_missing(&text) { Err(Fault::Missing) } else { Ok(text) }
    }

    /// The whole number in a field.
    pub(crate) fn number(&self, field: &str) -> Result<i64, Fault> {
        let number = self.text(field)?.parse().map_err(|_| Fault::Unreadable)?;
        // The number that stands for a missing measure.
        if number == i64::MIN { Err(Fault::OutOfRange) } else { Ok(number) }
    }

    fn is_missing(&self, text: &str) -> bool {
        text.is_empty() || self.missing.iter().any(|missing| missing == text)
    }
}

impl Clean {
    fn apply<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, Fault> {
        let prefix = self.strip_prefix.as_deref().unwrap_or("");
        let mut text = Cow::Borrowed(text.strip_prefix(prefix).unwrap_or(text).trim_start());
        if self.integer && !text.is_empty() {
            text = integer(&text).ok_or(Fault::Unreadable)?;
        }
        if let Some(value) = self.values.get(text.as_ref()) {
            text = Cow::Owned(value.trim().to_owned());
        }
        match &self.range {
            Some(range) if !text.is_empty() => {
                let number = text.parse().map_err(|_| Fault::Unreadable)?;
                if range.contains(&number) { Ok(text) } else { Err(Fault::OutOfRange) }
            }
            _ => Ok(text),
        }
    }
}

/// A whole number in its shortest form: `9` for `09`, `17` for `17.0`; none for anything else.
fn integer(text: &str) -> Option<Cow<'static, str>> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |text: &str, allowed: fn(u8) -> bool| !text.is_empty() && text.bytes().all(allowed);
    if !all(whole, |byte| byte.is_ascii_digit()) || !all(fraction, |byte| byte == b'0') {
        return None;
    }
    Some(match whole.trim_start_matches('0') {
        "" => Cow::Borrowed("0"),
        whole => Cow::Owned(format!("{sign}{whole}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(clean: Clean) -> Column {
        Column { slot: 0, missing: vec!["-".to_owned(), "不详".to_owned()], clean }
    }

    #[test]
    fn texts_are_trimmed_and_spellings_of_missing_are_missing() {
        let column = column(Clean::default());
        assert_eq!(column.text(" Mass/Cass\u{3000}").unwrap(), "Mass/Cass");
        for missing in ["", " ", "-", " - ", "不详", "\u{3000}"] {
            assert_eq!(column.text(missing), Err(Fault::Missing), "{missing:?}");
        }
        assert_eq!(column.text("a\u{fffd}"), Err(Fault::Unreadable));
    }

    #[test]
    fn forty_four_spellings_of_wards_are_twenty_two() {
        let clean = Clean { strip_prefix: Some("Ward".to_owned()), integer: true, ..Clean::default() };
        let column = column(clean);
        for (spelt, ward) in [("Ward 18", "18"), ("18", "18"), ("09", "9"), ("Ward 9", "9"), ("17.0", "17")] {
            assert_eq!(column.text(spelt).unwrap(), ward, "{spelt:?}");
        }
        for (spelt, fault) in [
            ("Ward ", Fault::Missing),
            ("Ward x", Fault::Unreadable),
            ("17.5", Fault::Unreadable),
            ("1.", Fault::Unreadable),
            (".0", Fault::Unreadable),
            ("-", Fault::Missing),
            ("--1", Fault::Unreadable),
        ] {
            assert_eq!(column.text(spelt), Err(fault), "{spelt:?}");
        }
        assert_eq!(column.text("-07").unwrap(), "-7");
        assert_eq!(column.text("-0.00").unwrap(), "0");
    }

    #[test]
    fn values_come_after_the_prefix_and_before_the_range() {
        let values = [("VII", "7"), ("none", "")].map(|(from, to)| (from.to_owned(), to.to_owned()));
        let clean = Clean {
            strip_prefix: Some("No. ".to_owned()),
            values: values.into(),
            range: Some(1..=22),
            ..Clean::default()
        };
        let column = column(clean);
        assert_eq!(column.text("No. VII").unwrap(), "7");
        assert_eq!(column.text("none"), Err(Fault::Missing));
        assert_eq!(column.text("23"), Err(Fault::OutOfRange));
        assert_eq!(column.text("x"), Err(Fault::Unreadable));
    }

    #[test]
    fn numbers_are_whole() {
        let column = column(Clean::default());
        assert_eq!(column.number("-12"), Ok(-12));
        assert_eq!(column.number("1.5"), Err(Fault::Unreadable));
        assert_eq!(column.number("9223372036854775808"), Err(Fault::Unreadable));
        assert_eq!(column.number("-9223372036854775808"), Err(Fault::OutOfRange));
        assert_eq!(column.number("-"), Err(Fault::Missing));
    }
}
