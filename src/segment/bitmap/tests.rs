use super::*;
use proptest::prelude::*;

/// A part of a set: single values, a run, or a pattern dense enough for a container of bits.
#[derive(Clone, Debug)]
enum Part {
    Values(Vec<u32>),
    Run(u32, u32),
    Every { start: u32, step: u32, count: u32 },
}

/// A value in one of a few containers, so that parts and sets meet; the first and the last one among them.
fn value() -> impl Strategy<Value = u32> {
    let key = prop_oneof![8 => 0_u32..6, 1 => Just(0xffff), 1 => any::<u16>().prop_map(u32::from)];
    let low =
        prop_oneof![4 => 0_u32..0x1_0000, 1 => 0_u32..40, 1 => 0xffd0_u32..0x1_0000, 1 => 4000_u32..9000];
    (key, low).prop_map(|(key, low)| key << 16 | low)
}

fn set() -> impl Strategy<Value = RoaringBitmap> {
    let part = prop_oneof![
        prop::collection::vec(value(), 0..60).prop_map(Part::Values),
        (value(), 1_u32..100_000).prop_map(|(start, length)| Part::Run(start, length)),
        (value(), 1_u32..20, 1_u32..20_000).prop_map(|(start, step, count)| Part::Every {
            start,
            step,
            count
        }),
    ];
    (prop::collection::vec(part, 0..6), any::<bool>()).prop_map(|(parts, optimize)| {
        let mut set = RoaringBitmap::new();
        for part in parts {
            match part {
                Part::Values(values) => set.extend(values),
                Part::Run(start, length) => drop(set.insert_range(start..=start.saturating_add(length))),
                Part::Every { start, step, count } => {
                    set.extend((0..count).filter_map(|index| start.checked_add(index * step)));
                }
            }
        }
        if optimize {
            set.optimize();
        } else {
            set.remove_run_compression();
        }
        set
    })
}

fn optimized(mut set: RoaringBitmap) -> Vec<u8> {
    set.optimize();
    serialize(&set)
}

fn serialize(set: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(set, &mut bytes);
    bytes
}

fn roaring_count(set: &RoaringBitmap, range: Range<u32>) -> u64 {
    if range.is_empty() { 0 } else { set.range_cardinality(range) }
}

/// Does everything a hot function does, to see that it returns.
fn exercise(bitmap: &Bitmap<'_>, other: &Bitmap<'_>) {
    let limit = 200_000;
    bitmap.len();
    for (start, end) in [(0, u32::MAX), (5, 70_000), (65_535, 65_536), (70_000, 5), (u32::MAX, u32::MAX)] {
        bitmap.contains(start);
        bitmap.count(start..end);
        bitmap.iter_range(start..end).take(limit).for_each(drop);
    }
    bitmap.iter().take(limit).for_each(drop);
    bitmap.counts([0, 3, 3, 80, 65_536, 65_537, 1 << 20, u32::MAX], |_| ());
    bitmap.and_count(other);
    other.and_count(bitmap);
    bitmap.insert_into(&mut RowMask::new(100_000));
    drop(bitmap.to_roaring());
}

#[test]
fn every_kind_of_container_and_header_is_met() {
    let array: RoaringBitmap = (0..4096).map(|index| index * 2).collect();
    let bits: RoaringBitmap = (0..4097).map(|index| index * 2).collect();
    let run: RoaringBitmap = (0..70_000).collect();
    let runs_with_offsets: RoaringBitmap = (0..300_000).collect();
    for (set, runs) in [(array, 0), (bits, 0), (run, 0b11), (runs_with_offsets, 0b1_1111)] {
        let bytes = optimized(set.clone());
        let bitmap = Bitmap::open(&bytes).unwrap();
        assert_eq!(bitmap.run_flags.first().copied().unwrap_or(0), runs);
        assert_eq!(bitmap.check(), Ok(bytes.len()));
        assert!(bitmap.iter().eq(&set));
    }
    let empty = optimized(RoaringBitmap::new());
    assert_eq!(Bitmap::open(&empty).unwrap().check(), Ok(empty.len()));
}

#[test]
fn overlapping_runs_give_no_value_twice() {
    // One container of three runs: 5..=9, 0..=65535 and 7..=8.
    let bytes = [0x3b, 0x30, 0, 0, 1, 0, 0, 8, 0, 3, 0, 5, 0, 4, 0, 0, 0, 255, 255, 7, 0, 1, 0];
    let bitmap = Bitmap::open(&bytes).unwrap();
    assert!(bitmap.check().is_err());
    let mut next = bitmap.iter();
    let stepped: Vec<u32> = std::iter::from_fn(|| next.next()).collect();
    let mut folded = Vec::new();
    bitmap.iter().for_each(|value| folded.push(value));
    assert!(stepped.iter().copied().eq(5..65_536));
    assert_eq!(stepped, folded);
}

proptest! {
    #[test]
    fn questions_have_roarings_answers(
        a in set(), b in set(), bounds in prop::collection::vec(prop_oneof![value(), Just(0), Just(u32::MAX)], 0..40),
        trailing in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let (mut a_bytes, b_bytes) = (serialize(&a), optimized(b.clone()));
        let size = a_bytes.len();
        a_bytes.extend(trailing);
        let (left, right) = (Bitmap::open(&a_bytes).unwrap(), Bitmap::open(&b_bytes).unwrap());
        prop_assert_eq!(left.check(), Ok(size));
        prop_assert_eq!(left.len(), a.len());
        prop_assert!(left.iter().eq(&a));
        let mut folded = Vec::new();
        left.iter().for_each(|value| folded.push(value));
        prop_assert!(folded.iter().copied().eq(&a));
        prop_assert_eq!(&left.to_roaring().unwrap(), &a);
        prop_assert_eq!(left.and_count(&right), a.intersection_len(&b));
        prop_assert_eq!(right.and_count(&left), a.intersection_len(&b));

        for &bound in &bounds { prop_assert_eq!(left.contains(bound), a.contains(bound)); }
        for pair in bounds.chunks_exact(2) {
            let range = pair[0]..pair[1];
            prop_assert_eq!(left.count(range.clone()), roaring_count(&a, range.clone()));
            if !range.is_empty() {
                prop_assert!(left.iter_range(range.clone()).eq(a.range(range.clone())));
                let (mut sum, mut expected) = (0_u64, 0_u64);
                left.iter_range(range.clone()).for_each(|value| sum += u64::from(value));
                a.range(range).for_each(|value| expected += u64::from(value));
                prop_assert_eq!(sum, expected);
            }
        }

        let mut ascending = bounds;
        ascending.sort_unstable();
        let mut counts = Vec::new();
        left.counts(ascending.iter().copied(), |count| counts.push(count));
        let expected: Vec<u64> = ascending.windows(2).map(|pair| roaring_count(&a, pair[0]..pair[1])).collect();
        prop_assert_eq!(counts, expected);
    }

    #[test]
    fn masks_take_the_rows_that_exist(a in set(), b in set(), rows in 0_u32..400_000) {
        let (a_bytes, b_bytes) = (optimized(a.clone()), optimized(b.clone()));
        let mut mask = RowMask::new(rows);
        Bitmap::open(&a_bytes).unwrap().insert_into(&mut mask);
        Bitmap::open(&b_bytes).unwrap().insert_into(&mut mask);
        prop_assert!(mask.iter(0..rows).eq((a | b).range(..rows)));
    }

    #[test]
    fn damage_never_panics_and_a_passed_check_means_roaring_agrees(
        a in set(), b in set(), at in any::<prop::sample::Index>(), near in 0_usize..60, flip in 1_u8.., head in any::<bool>(), cut in 0_usize..3,
    ) {
        let (mut bytes, other) = (serialize(&a), serialize(&b));
        let at = if head { near % bytes.len() } else { at.index(bytes.len()) };
        bytes[at] ^= flip;
        bytes.truncate(bytes.len() - cut);
        if let Ok(bitmap) = Bitmap::open(&bytes) {
            exercise(&bitmap, &Bitmap::open(&other).unwrap());
            if bitmap.check().is_ok() {
                let decoded = RoaringBitmap::deserialize_from(bytes.as_slice()).unwrap();
                prop_assert_eq!(bitmap.len(), decoded.len());
                prop_assert!(bitmap.iter().eq(&decoded));
            }
        }
    }

    #[test]
    fn any_bytes_open_or_fail(
        bytes in prop::collection::vec(prop_oneof![Just(0), 0_u8..4, any::<u8>()], 0..200),
        cookie in prop_oneof![Just([0x3a, 0x30, 0, 0]), (0_u8..9).prop_map(|count| [0x3b, 0x30, count, 0])],
    ) {
        let bytes = [&cookie, bytes.as_slice()].concat();
        if let Ok(bitmap) = Bitmap::open(&bytes) {
            exercise(&bitmap, &bitmap);
            if bitmap.check().is_ok() {
                let decoded = RoaringBitmap::deserialize_from(bytes.as_slice()).unwrap();
                prop_assert!(bitmap.iter().eq(&decoded));
            }
        }
    }
}
