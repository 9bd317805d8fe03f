//! A position in borrowed bytes: how every decoder takes its fields from the front, in bounds and little-endian.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::Corruption;

/// The bytes that are not taken yet, and where they begin.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    /// How many bytes were taken.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// The bytes that were not taken.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `length` bytes.
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Corruption> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            return Err(self.short(length));
        };
        self.advance(rest);
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Corruption> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.short(N));
        };
        self.advance(rest);
        Ok(*taken)
    }

    fn advance(&mut self, rest: &'a [u8]) {
        let taken = self.rest.len().saturating_sub(rest.len());
        self.offset = self.offset.saturating_add(taken);
        self.rest = rest;
    }

    fn short(&self, wanted: usize) -> Corruption {
        Corruption::new(
            self.offset,
            format!("{wanted} bytes belong here, {} are left: it is truncated", self.rest.len()),
        )
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Corruption> {
        self.array::<1>().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Corruption> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Corruption> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Corruption> {
        self.array().map(u64::from_le_bytes)
    }

    /// Damage at the bytes that come next.
    pub(crate) fn corrupt(&self, reason: impl Into<String>) -> Corruption {
        Corruption::new(self.offset, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_in_order_and_little_endian() {
        let bytes = [1, 2, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9, 9];
        let mut cursor = Cursor::new(&bytes);
        assert_eq!(cursor.u8().unwrap(), 1);
        assert_eq!(cursor.u16().unwrap(), 2);
        assert_eq!(cursor.u32().unwrap(), 3);
        assert_eq!(cursor.u64().unwrap(), 4);
        assert_eq!(cursor.take(1).unwrap(), [9]);
        assert_eq!((cursor.offset(), cursor.rest()), (16, &[9][..]));
    }

    #[test]
    fn a_field_that_does_not_fit_takes_nothing() {
        let mut cursor = Cursor::new(&[1, 2, 3]);
        assert_eq!(cursor.u8().unwrap(), 1);
        let error = cursor.u32().unwrap_err();
        assert_eq!(error.offset, 1);
        assert!(error.reason.contains("4 bytes belong here, 2 are left"), "{error}");
        assert!(cursor.take(usize::MAX).is_err());
        assert_eq!(cursor.u16().unwrap(), 0x0302);
    }
}
