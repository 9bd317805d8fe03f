//! The id of an order.

use std::fmt;

use crate::{Error, Result};

/// What identifies an order: text of 1 to 64 bytes, kept as a number where it prints back identically.
///
/// Numbers come before texts; numbers are ordered by value, texts by their bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum OrderId {
    /// Decimal digits without leading zeros, below 2⁶⁴.
    Number(u64),
    /// Anything else.
    Text(Box<str>),
}

impl OrderId {
    /// The greatest length of an id, in bytes.
    const LIMIT: usize = 64;

    /// Reads an id.
    ///
    /// # Errors
    /// [`Error::InvalidOrder`] where the text is empty or has more than 64 bytes.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if !(1..=Self::LIMIT).contains(&text.len()) {
            let reason = format!("an id of {} bytes; it takes 1 to {}", text.len(), Self::LIMIT);
            return Err(Error::order(text, reason));
        }
        let canonical =
            text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        match text.parse() {
            Ok(number) if canonical => Ok(Self::Number(number)),
            _ => Ok(Self::Text(text.into())),
        }
    }

    /// A hash of the id. Filters on disk are made of it, so it never changes: [`mix`] of a number, or of the length
    /// and then each eight bytes of a text, as little-endian numbers, the last filled up with zeros.
    pub(crate) fn hash64(&self) -> u64 {
        match self {
            Self::Number(number) => mix(*number),
            Self::Text(text) => text.as_bytes().chunks(8).fold(mix(!(text.len() as u64)), |hash, chunk| {
                let mut word = [0; 8];
                word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
                mix(hash ^ u64::from_le_bytes(word))
            }),
        }
    }
}

/// One step of the SplitMix64 generator from a state: every bit of the result depends on every bit of it.
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_prints_back_identically_is_a_number() {
        for (text, number) in [("0", 0), ("7", 7), ("18446744073709551615", u64::MAX)] {
            assert_eq!(OrderId::parse(text).unwrap(), OrderId::Number(number));
        }
        for text in
            ["00", "07", "+7", "-7", " 7", "7 ", "٧", "7a", "18446744073709551616", "99999999999999999999999"]
        {
            assert_eq!(OrderId::parse(text).unwrap(), OrderId::Text(text.into()));
        }
    }

    #[test]
    fn an_id_has_1_to_64_bytes() {
        let error = OrderId::parse("").unwrap_err().to_string();
        assert_eq!(error, r#"order "": an id of 0 bytes; it takes 1 to 64"#);
        assert!(OrderId::parse(&"x".repeat(65)).is_err());
        assert!(OrderId::parse(&"9".repeat(64)).is_ok());
    }

    #[test]
    fn numbers_come_first_and_by_value() {
        let mut ids = ["b", "10", "a", "9", "010", "B"].map(|text| OrderId::parse(text).unwrap());
        ids.sort();
        assert_eq!(ids.map(|id| id.to_string()), ["9", "10", "010", "B", "a", "b"]);
    }

    /// Files hold filters made of these: they stay as they are for ever.
    #[test]
    fn the_hash_never_changes() {
        let hash = |text| OrderId::parse(text).unwrap().hash64();
        assert_eq!(hash("0"), 0xE220_A839_7B1D_CDAF);
        assert_eq!(hash("2026030100123"), 0x67D4_FFB1_68BF_BD81);
        assert_eq!(hash("A"), 0x6ED4_8D52_53C1_325F);
        assert_eq!(hash("SR-2026-000123"), 0x908A_8AE9_FAC6_B3D6);
    }

    proptest! {
        #[test]
        fn every_id_prints_back(text in prop_oneof!["[0-9]{1,21}", "[ -~]{1,64}", "\\PC{1,16}"]) {
            prop_assert_eq!(OrderId::parse(&text).unwrap().to_string(), text);
        }
    }
}
