//! The bytes of one file, mapped or on the heap, behind one cheap handle.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::Mmap;

/// A shared handle to a file's bytes. Clones share them.
#[derive(Clone)]
pub(crate) struct Bytes {
    source: Source,
    /// Counts what is read, for the memory storage's tests.
    read: Option<Arc<AtomicU64>>,
}

#[derive(Clone)]
enum Source {
    Mapped(Arc<Mmap>),
    Heap(Arc<Vec<u8>>),
}

impl Bytes {
    pub(super) fn mapped(map: Mmap) -> Self {
        Self { source: Source::Mapped(Arc::new(map)), read: None }
    }

    pub(super) fn counted(bytes: Arc<Vec<u8>>, read: Arc<AtomicU64>) -> Self {
        Self { source: Source::Heap(bytes), read: Some(read) }
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.whole().len()
    }

    /// The bytes of a range, or nothing where it reaches beyond the end.
    pub(crate) fn slice(&self, range: Range<usize>) -> Option<&[u8]> {
        let bytes = self.whole().get(range)?;
        if let Some(read) = &self.read {
            read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        Some(bytes)
    }

    fn whole(&self) -> &[u8] {
        match &self.source {
            Source::Mapped(map) => map,
            Source::Heap(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self { source: Source::Heap(Arc::new(bytes)), read: None }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_checked() {
        let bytes = Bytes::from(vec![1, 2, 3]);
        assert_eq!(bytes.len(), 3);
        assert_eq!(bytes.slice(1..3), Some(&[2, 3][..]));
        assert_eq!(bytes.slice(3..3), Some(&[][..]));
        assert_eq!(bytes.slice(2..4), None);
        #[expect(clippy::reversed_empty_ranges, reason = "a damaged directory can ask for one")]
        let reversed = 2..1;
        assert_eq!(bytes.slice(reversed), None);
    }

    #[test]
    fn only_what_is_read_counts() {
        let read = Arc::new(AtomicU64::new(0));
        let bytes = Bytes::counted(Arc::new(vec![0; 100]), Arc::clone(&read));
        assert_eq!(bytes.clone().len(), 100);
        assert!(bytes.slice(90..101).is_none());
        assert_eq!(read.load(Ordering::Relaxed), 0);
        assert!(bytes.clone().slice(90..100).is_some());
        assert!(bytes.slice(0..5).is_some());
        assert_eq!(read.load(Ordering::Relaxed), 15);
    }
}
