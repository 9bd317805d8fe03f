//! Sorting by numbers that lie close together: each item finds its place by counting, and none is compared.

/// Sorts items by a key, equal ones as they came. There are fewer than 2³².
pub(crate) fn sort<T: Copy>(mut items: Vec<T>, key: impl Fn(&T) -> u64) -> Vec<T> {
    /// With more keys than so many an item, counting them takes longer than comparing.
    const SPARSE: u64 = 8;
    let bounds = |(least, most): (u64, u64), key: u64| (least.min(key), most.max(key));
    let (least, most) = items.iter().map(&key).fold((u64::MAX, 0), bounds);
    let span = most.saturating_sub(least);
    if span / SPARSE >= items.len() as u64 {
        items.sort_by_key(key);
        return items;
    }
    let number = |item: &T| (key(item) - least) as usize;
    let mut places = vec![0_u32; span as usize + 1];
    items.iter().for_each(|item| places[number(item)] += 1);
    let mut before = 0;
    for place in &mut places {
        before += std::mem::replace(place, before);
    }
    let mut sorted = items.clone();
    for item in items {
        let place = &mut places[number(&item)];
        sorted[*place as usize] = item;
        *place += 1;
    }
    sorted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        /// Dense keys and sparse ones, close to either end of what a key can be.
        #[test]
        fn it_is_a_stable_sort(keys in prop::collection::vec(0_u64..50, 0..60), stride in prop::sample::select(vec![1, 7, 1 << 40]), top: bool) {
            let key = |at: u64| if top { u64::MAX - at * stride } else { at * stride };
            let items: Vec<(u64, usize)> = keys.into_iter().map(key).zip(0..).collect();
            let mut expected = items.clone();
            expected.sort();
            prop_assert_eq!(super::sort(items, |item| item.0), expected);
        }
    }
}
