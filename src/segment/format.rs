#![doc = include_str!("format.md")]

use crate::schema::Clock;
use crate::tree::{Forest, Tree};

use super::rows::ColumnId;

/// First and last bytes of a segment.
pub(crate) const MAGIC: [u8; 8] = *b"zonalseg";
/// The version of everything in this room.
pub(crate) const FORMAT_VERSION: u32 = 3;
/// Sections start at multiples of this: a cache line.
pub(crate) const ALIGNMENT: usize = 64;
/// Bytes of the header, padded.
pub(crate) const HEADER: usize = ALIGNMENT;
/// Bytes of one entry of the section table.
pub(crate) const ENTRY: usize = 32;
/// Bytes of the footer.
pub(crate) const FOOTER: usize = 32;

/// What a section holds. The numbers are written to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SectionId {
    /// The unit directory of a level.
    Directory(usize),
    /// A column.
    Column(ColumnId),
    /// The row sets of a column's values.
    Sets(ColumnId),
    /// The row sets of the tags of a field.
    TagSets(usize),
    /// The tags per row of a field.
    Tags(usize),
    /// A text per row.
    Text(usize),
    /// The rows that a counter counts.
    Counter(usize),
    /// The order ids.
    Ids,
    /// What the runs of a level add up to.
    Level(usize),
    /// What the runs of a level add up to by days of a clock.
    UnitDays(Clock, usize),
    /// What the nodes of a tree's level add up to by days of creation.
    NodeDays(usize, usize),
    /// The runs of units and the nodes of a level of the first tree.
    NodeRuns(usize),
}

impl SectionId {
    /// Kind, field and number as they stand in the section table.
    pub(crate) fn code(self) -> [u16; 3] {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a schema has at most a thousand fields of a kind"
        )]
        let number = |number: usize| number as u16;
        let column = |column: ColumnId| match column {
            ColumnId::Born => [0, 0],
            ColumnId::Created => [1, 0],
            ColumnId::Place => [2, 0],
            ColumnId::Tree(tree) => [3, number(tree)],
            ColumnId::Category(category) => [4, number(category)],
            ColumnId::Outcome(outcome) => [5, number(outcome)],
            ColumnId::Measure(measure) => [6, number(measure)],
            ColumnId::Clock(clock) => [7, number(clock)],
            ColumnId::Key(key) => [8, number(key)],
            ColumnId::Longitude => [9, 0],
            ColumnId::Latitude => [10, 0],
            ColumnId::Died => [11, 0],
            ColumnId::Removed => [12, 0],
        };
        match self {
            Self::Directory(level) => [1, 0, number(level)],
            Self::Column(id) => {
                let [field, number] = column(id);
                [2, field, number]
            }
            Self::Sets(id) => {
                let [field, number] = column(id);
                [3, field, number]
            }
            Self::TagSets(tags) => [4, 0, number(tags)],
            Self::Tags(tags) => [5, 0, number(tags)],
            Self::Text(text) => [6, 0, number(text)],
            Self::Counter(counter) => [7, 0, number(counter)],
            Self::Ids => [8, 0, 0],
            Self::Level(level) => [9, 0, number(level)],
            Self::UnitDays(Clock::Created, level) => [10, 0, number(level)],
            Self::UnitDays(Clock::Other(clock), level) => {
                [10, number(clock).saturating_add(1), number(level)]
            }
            Self::NodeDays(tree, level) => [11, number(tree), number(level)],
            Self::NodeRuns(level) => [12, 0, number(level)],
        }
    }

    /// For a view by days: the column of the nodes that its lines are, their tree and level.
    pub(super) fn nodes(self, forest: &Forest) -> Option<(ColumnId, &Tree, usize)> {
        match self {
            Self::UnitDays(_, level) => Some((ColumnId::Place, &forest.place, level)),
            Self::NodeDays(number, level) => {
                forest.trees.get(number).map(|tree| (ColumnId::Tree(number), tree, level))
            }
            _ => None,
        }
    }

    /// For a view by days: the clock whose days they are.
    pub(super) fn clock(self) -> Clock {
        match self {
            Self::UnitDays(clock, _) => clock,
            _ => Clock::Created,
        }
    }
}

/// What a section is called in messages.
pub(crate) fn section_name([kind, field, number]: [u16; 3]) -> String {
    let column = match field {
        0 => "born",
        1 => "created",
        2 => "place",
        3 => "tree",
        4 => "category",
        5 => "outcome",
        6 => "measure",
        7 => "clock",
        8 => "key",
        9 => "longitude",
        10 => "latitude",
        11 => "died",
        12 => "removed",
        _ => "unknown",
    };
    match kind {
        1 => format!("unit directory of level {number}"),
        2 => format!("column {column} {number}"),
        3 => format!("row sets of {column} {number}"),
        4 => format!("row sets of tags {number}"),
        5 => format!("tags {number}"),
        6 => format!("text {number}"),
        7 => format!("counter {number}"),
        8 => "order ids".to_owned(),
        9 => format!("view of level {number}"),
        10 if field == 0 => format!("view of level {number} by days"),
        10 => format!("view of level {number} by days of clock {}", field.saturating_sub(1)),
        11 => format!("view of level {number} of tree {field} by days"),
        12 => format!("runs of units and nodes of level {number}"),
        _ => format!("section of kind {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_of_format_2_are_these_forever() {
        assert_eq!(&MAGIC, b"zonalseg");
        assert_eq!((FORMAT_VERSION, ALIGNMENT, HEADER, ENTRY, FOOTER), (3, 64, 64, 32, 32));
        let codes = [
            (SectionId::Directory(3), [1, 0, 3]),
            (SectionId::Column(ColumnId::Born), [2, 0, 0]),
            (SectionId::Column(ColumnId::Created), [2, 1, 0]),
            (SectionId::Column(ColumnId::Place), [2, 2, 0]),
            (SectionId::Column(ColumnId::Tree(1)), [2, 3, 1]),
            (SectionId::Column(ColumnId::Category(2)), [2, 4, 2]),
            (SectionId::Column(ColumnId::Outcome(3)), [2, 5, 3]),
            (SectionId::Column(ColumnId::Measure(4)), [2, 6, 4]),
            (SectionId::Column(ColumnId::Clock(5)), [2, 7, 5]),
            (SectionId::Column(ColumnId::Key(6)), [2, 8, 6]),
            (SectionId::Column(ColumnId::Longitude), [2, 9, 0]),
            (SectionId::Column(ColumnId::Latitude), [2, 10, 0]),
            (SectionId::Column(ColumnId::Died), [2, 11, 0]),
            (SectionId::Column(ColumnId::Removed), [2, 12, 0]),
            (SectionId::Sets(ColumnId::Tree(1)), [3, 3, 1]),
            (SectionId::TagSets(1), [4, 0, 1]),
            (SectionId::Tags(1), [5, 0, 1]),
            (SectionId::Text(1), [6, 0, 1]),
            (SectionId::Counter(1), [7, 0, 1]),
            (SectionId::Ids, [8, 0, 0]),
            (SectionId::Level(3), [9, 0, 3]),
            (SectionId::UnitDays(Clock::Created, 1), [10, 0, 1]),
            (SectionId::UnitDays(Clock::Other(2), 1), [10, 3, 1]),
            (SectionId::NodeDays(2, 1), [11, 2, 1]),
            (SectionId::NodeRuns(2), [12, 0, 2]),
        ];
        for (section, code) in codes {
            assert_eq!(section.code(), code, "{section:?}");
        }
    }
}
