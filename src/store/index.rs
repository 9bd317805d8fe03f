//! The segments of a state by partition, found without looking at each.

use std::sync::OnceLock;

use super::Live;

/// Made when a question first wants it. A clone begins without: what is cloned is about to change.
#[derive(Debug, Default)]
pub(crate) struct Index(OnceLock<Vec<Entry>>);

/// A segment that has orders, with what tells whether a span leaves it out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) partition: i32,
    /// When its first and its last order were created.
    pub(crate) created: (i64, i64),
    /// Which of the state's lives it is.
    pub(crate) live: usize,
}

impl Clone for Index {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Index {
    /// The entries of these lives, by partition and age.
    pub(super) fn of(&self, lives: &[Live]) -> &[Entry] {
        self.0.get_or_init(|| {
            let entry = |(live, of): (usize, &Live)| {
                let created = of.segment.summary().created?;
                Some(Entry { partition: of.partition(), created, live })
            };
            let mut entries: Vec<Entry> = lives.iter().enumerate().filter_map(entry).collect();
            entries.sort_by_key(|entry| entry.partition);
            entries
        })
    }
}
