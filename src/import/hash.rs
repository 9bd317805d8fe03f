//! The keyed hash that turns a caller's text into a 64-bit identity: SipHash-2-4 (Aumasson and Bernstein,
//! 2012).
//!
//! Identities are stored, so the function may never change. The standard library's hashers promise no such
//! thing, and what is needed here is small.

use std::fmt;

/// The key of a hash.
#[derive(Clone, Copy)]
pub(super) struct Secret {
    k0: u64,
    k1: u64,
}

/// Says nothing: what is logged is read by others.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The key made from a secret text: the text hashed under the keys (0, 0) and (0, 1).
    pub(super) fn new(text: &str) -> Self {
        let half = |k1| Self { k0: 0, k1 }.hash(text.as_bytes());
        Self { k0: half(0), k1: half(1) }
    }

    /// The identity of a text. Never 2⁶³, which stands for *missing* in a store.
    pub(super) fn identity(&self, text: &str) -> u64 {
        const MISSING: u64 = 1 << 63;
        let hash = self.hash(text.as_bytes());
        if hash == MISSING { hash + 1 } else { hash }
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        let mut state = State([
            self.k0 ^ 0x736f_6d65_7073_6575,
            self.k1 ^ 0x646f_7261_6e64_6f6d,
            self.k0 ^ 0x6c79_6765_6e65_7261,
            self.k1 ^ 0x7465_6462_7974_6573,
        ]);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            state.absorb(u64::from_le_bytes(*word));
        }
        // The last word: what is left of the bytes, and their number in the top byte.
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        last[7] = bytes.len() as u8; // modulo 256, as the paper says
        state.absorb(u64::from_le_bytes(last));
        state.finish()
    }
}

struct State([u64; 4]);

impl State {
    fn absorb(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.round();
        self.0[0] ^= word;
    }

    fn finish(mut self) -> u64 {
        self.0[2] ^= 0xff;
        (0..4).for_each(|_| self.round());
        self.0.iter().fold(0, |hash, word| hash ^ word)
    }

    fn round(&mut self) {
        let [mut v0, mut v1, mut v2, mut v3] = self.0;
        v0 = v0.wrapping_add(v1);
        v1 = v1.rotate_left(13) ^ v0;
        v0 = v0.rotate_left(32);
        v2 = v2.wrapping_add(v3);
        v3 = v3.rotate_left(16) ^ v2;
        v0 = v0.wrapping_add(v3);
        v3 = v3.rotate_left(21) ^ v0;
        v2 = v2.wrapping_add(v1);
        v1 = v1.rotate_left(17) ^ v2;
        v2 = v2.rotate_left(32);
        self.0 = [v0, v1, v2, v3];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors that come with the reference implementation: the key 00 01 … 0f, the bytes 00 01 02 ….
    #[test]
    fn it_is_siphash_2_4() {
        let key = Secret { k0: 0x0706_0504_0302_0100, k1: 0x0f0e_0d0c_0b0a_0908 };
        let bytes: Vec<u8> = (0..64).collect();
        assert_eq!(key.hash(&bytes[..0]), 0x726f_db47_dd0e_0e31);
        assert_eq!(key.hash(&bytes[..1]), 0x74f8_39c5_93dc_67fd);
        assert_eq!(key.hash(&bytes[..7]), 0xab02_00f5_8b01_d137);
        assert_eq!(key.hash(&bytes[..8]), 0x93f5_f579_9a93_2462);
        assert_eq!(key.hash(&bytes[..15]), 0xa129_ca61_49be_45e5);
    }

    /// Stored identities have to stay what they are.
    #[test]
    fn identities_stay() {
        let (open, secret) = (Secret::new(""), Secret::new("a city's secret"));
        assert_eq!(open.identity("13800000000"), 0x9d0b_17e4_bb24_b541);
        assert_eq!(secret.identity("13800000000"), 0x4cc4_b653_2e0a_5287);
        assert_ne!(secret.identity("13800000000"), secret.identity("13800000001"));
    }
}
