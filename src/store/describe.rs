//! What a store holds, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::schema::Clock;
use crate::segment::Segment;

use super::{State, bounds};

/// What a store holds and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Description {
    /// The commit described.
    pub commit: u64,
    /// When that commit was known: RFC 3339 in the schema's time zone; none before the first.
    pub committed: Option<String>,
    /// The IANA name of the schema's time zone.
    pub time_zone: String,
    /// Orders.
    pub orders: u64,
    /// Versions of orders that have ended, by a newer version or a removal.
    pub ended: u64,
    /// The earliest commit that the store answers for; 0 where nothing was forgotten.
    pub horizon: u64,
    /// Bytes of the segments, history and the node logs.
    pub bytes: u64,
    /// Segments, without those of history.
    pub segments: u64,
    /// When the first order was created: RFC 3339; none where there is none.
    pub first: Option<String>,
    /// When the last order was created.
    pub last: Option<String>,
    /// The trees, and the values of categories and tags, in the order of the schema.
    pub trees: Vec<TreeDescription>,
    /// The partitions, in the order of time.
    pub partitions: Vec<PartitionDescription>,
}

/// A tree, or the values of a category or of tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TreeDescription {
    /// The field.
    pub name: String,
    /// The names of its levels, from the top.
    pub levels: Vec<String>,
    /// Nodes per level.
    pub nodes: Vec<u64>,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PartitionDescription {
    /// Its day, month or year.
    pub name: String,
    /// Segments, without those of history.
    pub segments: u64,
    /// Segments of history.
    pub history_segments: u64,
    /// Orders.
    pub orders: u64,
    /// Versions that have ended, in segments and in history.
    pub ended: u64,
    /// Bytes of its segments.
    pub bytes: u64,
    /// Bytes of its history.
    pub history_bytes: u64,
}

pub(super) fn describe(state: &State) -> Description {
    let (schema, manifest) = (&state.schema, &state.manifest);
    let calendar = schema.calendar();
    let mut partitions: BTreeMap<i32, PartitionDescription> = BTreeMap::new();
    let mut of = |segment: &Segment, add: &dyn Fn(&mut PartitionDescription)| {
        let number = segment.summary().partition;
        add(partitions.entry(number).or_insert_with(|| PartitionDescription {
            name: calendar.partition_name(schema.partition(), number),
            segments: 0,
            history_segments: 0,
            orders: 0,
            ended: 0,
            bytes: 0,
            history_bytes: 0,
        }));
    };
    for live in &state.lives {
        of(&live.segment, &|partition| {
            partition.orders += live.orders();
            // What an earlier commit sees of history is told with the rest of it.
            if !live.is_history() {
                partition.segments += 1;
                partition.ended += live.ended_versions();
                partition.bytes += live.segment.bytes() as u64;
            }
        });
    }
    for history in &state.histories {
        of(history, &|partition| {
            partition.history_segments += 1;
            partition.ended += u64::from(history.rows());
            partition.history_bytes += history.bytes() as u64;
        });
    }
    let created = bounds(&state.lives, Clock::Created);
    let partitions: Vec<PartitionDescription> = partitions.into_values().collect();
    let trees = state.forest.all().map(|(_, tree)| {
        let mut nodes = vec![0; tree.levels().len()];
        for node in tree.preorder(None) {
            if let Some(count) = nodes.get_mut(tree.level_of(node)) {
                *count += 1;
            }
        }
        TreeDescription { name: tree.name().to_owned(), levels: tree.levels().to_vec(), nodes }
    });
    Description {
        commit: state.commit,
        committed: state.stamps.get(state.commit).map(|stamp| calendar.format(stamp)),
        time_zone: calendar.zone().to_owned(),
        orders: partitions.iter().map(|partition| partition.orders).sum(),
        ended: partitions.iter().map(|partition| partition.ended).sum(),
        horizon: manifest.horizon,
        bytes: partitions.iter().map(|partition| partition.bytes + partition.history_bytes).sum::<u64>()
            + manifest.nodes.values().map(|log| log.bytes).sum::<u64>(),
        segments: state.lives.len() as u64,
        first: created.map(|(first, _)| calendar.format(first)),
        last: created.map(|(_, last)| calendar.format(last)),
        trees: trees.collect(),
        partitions,
    }
}
