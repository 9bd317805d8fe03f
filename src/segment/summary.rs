//! What a segment says of itself in its footer: enough to leave it out of a question without reading it.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use crate::cursor::Cursor;
use crate::error::Corruption;
use crate::order_id::OrderId;
use crate::schema::Clock;

/// The smallest and the largest of something, both included.
pub(crate) type Bounds<T> = Option<(T, T)>;

/// What a segment says of itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summary {
    /// The version of the schema it was sealed with.
    pub(crate) schema: u32,
    pub(crate) rows: u32,
    pub(crate) partition: i32,
    /// The commits that made its versions.
    pub(crate) commits: Bounds<u64>,
    /// Of a history segment: the commits that ended its versions.
    pub(crate) died: Bounds<u64>,
    pub(crate) ids: Bounds<OrderId>,
    pub(crate) created: Bounds<i64>,
    /// Of the further clocks; none where no order has the clock.
    pub(crate) clocks: Vec<Bounds<i64>>,
}

impl Summary {
    /// The first and the last time of a clock.
    pub(crate) fn times(&self, clock: Clock) -> Bounds<i64> {
        match clock {
            Clock::Created => self.created,
            Clock::Other(number) => self.clocks.get(number).copied().flatten(),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&self.schema.to_le_bytes());
        bytes.extend_from_slice(&self.rows.to_le_bytes());
        bytes.extend_from_slice(&self.partition.to_le_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "a schema has at most a thousand clocks")]
        bytes.extend_from_slice(&(self.clocks.len() as u32).to_le_bytes());
        for commits in [&self.commits, &self.died] {
            bounds(&mut bytes, commits.as_ref(), |bytes, commit| {
                bytes.extend_from_slice(&commit.to_le_bytes())
            });
        }
        bounds(&mut bytes, self.ids.as_ref(), |bytes, id| {
            let text = id.to_string();
            #[expect(clippy::cast_possible_truncation, reason = "an order id has at most 64 bytes")]
            bytes.push(text.len() as u8);
            bytes.extend_from_slice(text.as_bytes());
        });
        for clock in std::iter::once(&self.created).chain(&self.clocks) {
            bounds(&mut bytes, clock.as_ref(), |bytes, time| bytes.extend_from_slice(&time.to_le_bytes()));
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Corruption> {
        let mut cursor = Cursor::new(bytes);
        let schema = cursor.u32()?;
        let rows = cursor.u32()?;
        let partition = cursor.u32()?.cast_signed();
        let clocks = cursor.u32()?;
        let commits = read_bounds(&mut cursor, Cursor::u64)?;
        let died = read_bounds(&mut cursor, Cursor::u64)?;
        let ids = read_bounds(&mut cursor, |cursor| {
            let length = cursor.u8()?;
            let damage = cursor.corrupt("this is not an order id");
            let text = std::str::from_utf8(cursor.take(length.into())?).map_err(|_| damage.clone())?;
            OrderId::parse(text).map_err(|_| damage)
        })?;
        let time = |cursor: &mut Cursor<'_>| cursor.u64().map(u64::cast_signed);
        let created = read_bounds(&mut cursor, time)?;
        // Each clock takes a byte at least, so a wrong count ends at the end of the bytes.
        let clocks = (0..clocks).map(|_| read_bounds(&mut cursor, time)).collect::<Result<_, _>>()?;
        if !cursor.rest().is_empty() {
            return Err(cursor.corrupt("bytes are left over"));
        }
        Ok(Self { schema, rows, partition, commits, died, ids, created, clocks })
    }
}

fn bounds<T>(bytes: &mut Vec<u8>, bounds: Option<&(T, T)>, mut write: impl FnMut(&mut Vec<u8>, &T)) {
    bytes.push(u8::from(bounds.is_some()));
    if let Some((least, most)) = bounds {
        write(bytes, least);
        write(bytes, most);
    }
}

fn read_bounds<'a, T>(
    cursor: &mut Cursor<'a>,
    read: impl Fn(&mut Cursor<'a>) -> Result<T, Corruption>,
) -> Result<Bounds<T>, Corruption> {
    match cursor.u8()? {
        0 => Ok(None),
        1 => Ok(Some((read(cursor)?, read(cursor)?))),
        _ => Err(cursor.corrupt("bounds are there or not, 1 or 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Summary {
        Summary {
            schema: 3,
            rows: 7,
            partition: -12,
            commits: Some((1, 9)),
            died: Some((2, 11)),
            ids: Some((OrderId::parse("17").unwrap(), OrderId::parse("a-17").unwrap())),
            created: Some((-5, 5)),
            clocks: vec![None, Some((i64::MIN + 1, i64::MAX))],
        }
    }

    #[test]
    fn a_summary_comes_back_as_it_was() {
        assert_eq!(Summary::decode(&sample().encode()).unwrap(), sample());
        let empty =
            Summary { commits: None, died: None, ids: None, created: None, clocks: Vec::new(), ..sample() };
        assert_eq!(Summary::decode(&empty.encode()).unwrap(), empty);
    }

    #[test]
    fn every_truncation_is_an_error() {
        let bytes = sample().encode();
        for length in 0..bytes.len() {
            assert!(Summary::decode(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
        }
    }
}
