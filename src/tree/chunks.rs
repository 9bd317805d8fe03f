//! A sequence whose clones share what they have in common.
//!
//! Cloning costs one reference count. Writing to a sequence that a clone still reads copies one chunk and the
//! spine of pointers to the chunks: for a million elements some microseconds, where a plain vector would copy
//! megabytes.

use std::sync::Arc;

/// Elements per chunk; a few under test, so that every test crosses chunks.
const CHUNK: usize = if cfg!(test) { 4 } else { 1024 };

#[derive(Debug, Clone)]
pub(crate) struct Chunks<T> {
    spine: Arc<Vec<Arc<Vec<T>>>>,
    len: usize,
}

impl<T: Clone> Chunks<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        let index = index as usize;
        self.spine.get(index / CHUNK)?.get(index % CHUNK)
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        let index = index as usize;
        if index >= self.len {
            return None;
        }
        let chunk = Arc::make_mut(&mut self.spine).get_mut(index / CHUNK)?;
        Arc::make_mut(chunk).get_mut(index % CHUNK)
    }

    pub(crate) fn push(&mut self, element: T) {
        let spine = Arc::make_mut(&mut self.spine);
        match spine.last_mut() {
            Some(last) if last.len() < CHUNK => match Arc::get_mut(last) {
                Some(own) => own.push(element),
                None => {
                    // A plain copy would have no room, and be copied once more.
                    let mut own = Vec::with_capacity(CHUNK);
                    own.extend_from_slice(last);
                    own.push(element);
                    *last = Arc::new(own);
                }
            },
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(element);
                spine.push(Arc::new(chunk));
            }
        }
        self.len += 1;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.spine.iter().flat_map(|chunk| chunk.iter())
    }
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { spine: Arc::default(), len: 0 }
    }
}

impl<T: Clone> FromIterator<T> for Chunks<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut chunks = Self::default();
        elements.into_iter().for_each(|element| chunks.push(element));
        chunks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_out_of_range_is_none() {
        let mut chunks: Chunks<u8> = (0..5).collect();
        assert_eq!((chunks.get(4), chunks.get(5), chunks.get(u32::MAX)), (Some(&4), None, None));
        assert_eq!(chunks.get_mut(5), None);
        assert_eq!(chunks.get_mut(u32::MAX), None);
    }

    proptest! {
        /// `None` takes a clone, `Some((index, value))` writes there, or appends where there is nothing.
        #[test]
        fn clones_keep_what_they_had(writes in prop::collection::vec(prop::option::of((0u32..40, any::<u16>())), 0..120)) {
            let mut chunks = Chunks::default();
            let mut naive = Vec::new();
            let mut clones = Vec::new();
            for write in writes {
                match write {
                    None => clones.push((chunks.clone(), naive.clone())),
                    Some((index, value)) => match chunks.get_mut(index) {
                        Some(place) => {
                            *place = value;
                            naive[index as usize] = value;
                        }
                        None => {
                            chunks.push(value);
                            naive.push(value);
                        }
                    },
                }
            }
            clones.push((chunks, naive));
            for (chunks, naive) in clones {
                prop_assert_eq!(chunks.len(), naive.len());
                prop_assert_eq!(chunks.iter().copied().collect::<Vec<_>>(), naive.clone());
                for (index, value) in naive.iter().enumerate() {
                    prop_assert_eq!(chunks.get(index as u32), Some(value));
                }
            }
        }
    }
}
