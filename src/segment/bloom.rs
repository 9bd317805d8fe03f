//! A split-block Bloom filter: says of a hash that it is certainly not in a set, or that it may be.
//!
//! A filter is blocks of 32 bytes, eight lanes of 32 bits each. The high half of a hash picks the block, and the low
//! half one bit of every lane. So a look-up touches one cache line; with ten bits per member, about one in
//! a hundred that are not in the set passes.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

/// Bytes per block.
pub(super) const BLOCK: usize = 32;

/// The blocks that a set of this size wants.
pub(super) fn blocks(members: usize) -> u32 {
    const BITS_PER_MEMBER: usize = 10;
    members.saturating_mul(BITS_PER_MEMBER).div_ceil(BLOCK * 8) as u32
}

/// Odd numbers, one per lane, that spread the low half of a hash. They are part of the format.
const SALTS: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

/// The bits of a hash within its block.
fn mask(hash: u64) -> [u8; BLOCK] {
    let mut mask = [0; BLOCK];
    for (lane, salt) in mask.as_chunks_mut::<4>().0.iter_mut().zip(SALTS) {
        *lane = (1_u32 << ((hash as u32).wrapping_mul(salt) >> 27)).to_le_bytes();
    }
    mask
}

/// The number of a hash's block.
fn block(hash: u64, blocks: usize) -> usize {
    ((hash >> 32).wrapping_mul(blocks as u64) >> 32) as usize
}

/// The filter of a set, in so many blocks.
pub(super) fn build(hashes: impl IntoIterator<Item = u64>, blocks: u32) -> Vec<u8> {
    let mut filter = vec![0; (blocks as usize).saturating_mul(BLOCK)];
    for hash in hashes {
        let place = filter.as_chunks_mut::<BLOCK>().0.get_mut(block(hash, blocks as usize));
        place.into_iter().flatten().zip(mask(hash)).for_each(|(byte, bits)| *byte |= bits);
    }
    filter
}

/// Whether a hash may be in the set. A filter without blocks knows nothing.
pub(super) fn may_contain(filter: &[u8], hash: u64) -> bool {
    let blocks = filter.as_chunks::<BLOCK>().0;
    let Some(block) = blocks.get(block(hash, blocks.len())) else { return true };
    block.iter().zip(mask(hash)).all(|(byte, bits)| byte & bits == bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order_id::OrderId;

    #[test]
    fn members_pass_and_one_in_a_hundred_others() {
        let hash = |number| OrderId::Number(number).hash64();
        let filter = build((0..20_000).map(hash), blocks(20_000));
        assert_eq!(filter.len(), 782 * BLOCK);
        assert!((0..20_000).all(|number| may_contain(&filter, hash(number))));
        let passed = (20_000..40_000).filter(|number| may_contain(&filter, hash(*number))).count();
        assert!((100..400).contains(&passed), "{passed}");
    }

    #[test]
    fn the_bits_are_pinned() {
        let filter = build([0x0123_4567_89ab_cdef], 1);
        let set: Vec<usize> = (0..256).filter(|bit| filter[bit / 8] >> (bit % 8) & 1 == 1).collect();
        assert_eq!(set, [18, 51, 94, 119, 132, 176, 204, 248]);
        assert_eq!(block(u64::MAX, 7), 6);
        assert_eq!(block(1 << 63, 7), 3);
    }

    #[test]
    fn a_filter_without_blocks_lets_all_pass() {
        assert!(build([1, 2], 0).is_empty() && may_contain(&[], 3));
        assert_eq!(blocks(0), 0);
    }
}
