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

/// Reads the bytes as far as they go, to see that this returns.
fn exercise(bitmap: &Bitmap<'_>) {
    bitmap.len();
    bitmap.insert_into(&mut RowMask::new(100_000));
    drop(bitmap.check(100_000));
}

/// How many rows the masks of the tests have: those of the first few containers.
const ROWS: u32 = 500_000;

fn rows_of(bitmap: &Bitmap<'_>) -> RowMask {
    let mut mask = RowMask::new(ROWS);
    bitmap.insert_into(&mut mask);
    mask
}

fn mask_of(set: &RoaringBitmap) -> RowMask {
    let mut mask = RowMask::new(ROWS);
    set.range(..ROWS).for_each(|row| mask.insert(row));
    mask
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
        assert_eq!(bitmap.check(ROWS), Ok(bytes.len()));
        assert_eq!(rows_of(&bitmap), mask_of(&set));
    }
    let empty = optimized(RoaringBitmap::new());
    assert_eq!(Bitmap::open(&empty).unwrap().check(0), Ok(empty.len()));
}

#[test]
fn overlapping_and_overlong_runs_are_read_and_found() {
    // One container of three runs: 5..=9, 0..=65535 and 7..=8.
    let bytes = [0x3b, 0x30, 0, 0, 1, 0, 0, 8, 0, 3, 0, 5, 0, 4, 0, 0, 0, 255, 255, 7, 0, 1, 0];
    let bitmap = Bitmap::open(&bytes).unwrap();
    assert!(bitmap.check(ROWS).is_err());
    assert_eq!(rows_of(&bitmap), mask_of(&(0..65_536).collect()));
    // One run from 65,535 on, with one value more than the container has room for.
    let bytes = [0x3b, 0x30, 0, 0, 1, 0, 0, 1, 0, 1, 0, 255, 255, 1, 0];
    let bitmap = Bitmap::open(&bytes).unwrap();
    assert!(bitmap.check(ROWS).is_err());
    assert_eq!(rows_of(&bitmap), mask_of(&(65_535..65_536).collect()));
}

proptest! {
    #[test]
    fn bitmaps_are_what_roaring_decodes(a in set(), trailing in prop::collection::vec(any::<u8>(), 0..9)) {
        let mut bytes = serialize(&a);
        let size = bytes.len();
        bytes.extend(trailing);
        let bitmap = Bitmap::open(&bytes).unwrap();
        let decoded = RoaringBitmap::deserialize_from(bytes.as_slice()).unwrap();
        prop_assert_eq!(&decoded, &a);
        prop_assert_eq!(bitmap.len(), decoded.len());
        prop_assert!(rows_of(&bitmap) == mask_of(&decoded));
        // The last value is a row of the segment, or it is not.
        let last = decoded.max();
        prop_assert_eq!(bitmap.check(u32::MAX).ok(), (last != Some(u32::MAX)).then_some(size));
        if let Some(last) = last {
            prop_assert_eq!(bitmap.check(last.saturating_add(1)).ok(), (last != u32::MAX).then_some(size));
            prop_assert!(bitmap.check(last).is_err());
        }
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
        a in set(), at in any::<prop::sample::Index>(), near in 0_usize..60, flip in 1_u8.., head in any::<bool>(), cut in 0_usize..3,
    ) {
        let mut bytes = serialize(&a);
        let at = if head { near % bytes.len() } else { at.index(bytes.len()) };
        bytes[at] ^= flip;
        bytes.truncate(bytes.len() - cut);
        if let Ok(bitmap) = Bitmap::open(&bytes) {
            exercise(&bitmap);
            if bitmap.check(u32::MAX).is_ok() {
                let decoded = RoaringBitmap::deserialize_from(bytes.as_slice()).unwrap();
                prop_assert_eq!(bitmap.len(), decoded.len());
                prop_assert!(rows_of(&bitmap) == mask_of(&decoded));
                // No flip goes unnoticed, but for one that gives another set.
                prop_assert!(decoded != a);
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
            exercise(&bitmap);
            if bitmap.check(u32::MAX).is_ok() {
                let decoded = RoaringBitmap::deserialize_from(bytes.as_slice()).unwrap();
                prop_assert!(rows_of(&bitmap) == mask_of(&decoded));
            }
        }
    }
}
