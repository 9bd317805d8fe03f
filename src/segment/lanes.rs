//! Codes that have a whole byte each, or two: a condition is decided for 64 of them with the compiler's vectors.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

/// A code, or the high bits of one, as it lies.
pub(super) trait Lane: Copy {
    /// Whether it is one of `first` and the `further` ones behind it.
    fn is_within(self, first: u16, further: u16) -> bool;
}

impl Lane for u8 {
    #[inline]
    fn is_within(self, first: u16, further: u16) -> bool {
        self.wrapping_sub(first as u8) <= further as u8
    }
}

/// Two bytes, the low one first.
impl Lane for [u8; 2] {
    #[inline]
    fn is_within(self, first: u16, further: u16) -> bool {
        u16::from_le_bytes(self).wrapping_sub(first) <= further
    }
}

/// Which of the 64 lanes from 64 × `index` on are one of `first` and the `further` ones behind it, which must be no more than a
/// lane can be; none where not all of them are there.
#[inline]
pub(super) fn within<L: Lane>(lanes: &[L], index: usize, first: u16, further: u16) -> Option<u64> {
    let lanes = lanes.get(index.checked_mul(64)?..)?.first_chunk::<64>()?;
    let mut within = [0u8; 64];
    for (within, lane) in within.iter_mut().zip(lanes) {
        *within = u8::from(lane.is_within(first, further));
    }
    let eights = within.as_chunks::<8>().0.iter().rev();
    Some(eights.fold(0, |word, eight| word << 8 | gather(u64::from_le_bytes(*eight))))
}

/// Whether any of the 64 lanes from 64 × `index` on is one of two; not where not all of them are there.
#[inline]
pub(super) fn is_either(lanes: &[[u8; 2]], index: usize, one: u16, other: u16) -> bool {
    let lanes = lanes.get(index.wrapping_mul(64)..).and_then(<[_]>::first_chunk::<64>);
    let is_either = |lane: &[u8; 2]| {
        let lane = u16::from_le_bytes(*lane);
        u16::from(lane == one) | u16::from(lane == other)
    };
    // No way out on the first found: so all are compared at once.
    lanes.is_some_and(|lanes| lanes.iter().fold(0, |found, lane| found | is_either(lane)) != 0)
}

/// The lowest bits of eight bytes side by side, the first byte's lowest; the bytes are 0 or 1.
#[inline]
fn gather(bytes: u64) -> u64 {
    // The n-th byte's bit stands at 8 n and is to stand at 56 + n: 56 − 7 n further up.
    bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lanes_within_are_found(seeds in prop::collection::vec(any::<u16>(), 0..200), a in any::<u16>(), b in any::<u16>()) {
            let near = |seed: u16| if seeds.is_empty() || seed.is_multiple_of(3) { seed } else { seeds[usize::from(seed) % seeds.len()] };
            let (first, last) = (near(a).min(near(b)), near(a).max(near(b)));
            let halves: Vec<[u8; 2]> = seeds.iter().map(|lane| lane.to_le_bytes()).collect();
            let (low, high) = ((first as u8).min(last as u8), (first as u8).max(last as u8));
            let bytes: Vec<u8> = seeds.iter().map(|lane| *lane as u8).collect();
            for index in 0..5 {
                let all_there = (index + 1) * 64 <= seeds.len();
                let found = within(&halves, index, first, last - first);
                let of_bytes = within(&bytes, index, low.into(), (high - low).into());
                prop_assert_eq!((found.is_some(), of_bytes.is_some()), (all_there, all_there));
                let edge = seeds.iter().skip(index * 64).take(64).any(|lane| *lane == first || *lane == last);
                prop_assert_eq!(is_either(&halves, index, first, last), all_there && edge);
                for (at, lane) in seeds.iter().skip(index * 64).take(64).enumerate().filter(|_| all_there) {
                    prop_assert_eq!(found.unwrap() >> at & 1 == 1, (first..=last).contains(lane));
                    prop_assert_eq!(of_bytes.unwrap() >> at & 1 == 1, (low..=high).contains(&(*lane as u8)));
                }
            }
        }
    }
}
