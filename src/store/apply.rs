//! Applying a commit to a state: which versions end, which begin.

use std::collections::{BTreeMap, HashMap};

use crate::error::{Error, Result};
use crate::order_id::OrderId;
use crate::segment::{ColumnId, Death, Layout, Row, Rows};

use super::State;
use super::commit::{Changes, Operation};
use super::intake::Intake;
use super::live::{Live, Stage};
use super::read;
use super::sealing::Sealing;

/// A batch is merged with the one before it unless that one is more than so many times as long. With 4, versions are
/// rewritten about as often as with 2, into half as many batches.
const MERGE_RATIO: u32 = 4;
/// One with no more rows is merged all the same: a question spends more on a small batch than on its rows.
const SMALL: u32 = if cfg!(test) { 2 } else { 256 };

/// Where the latest version of an order lies in a state: in which segment, in which row.
type Stored = Option<(usize, u32)>;

/// What a commit does to one order.
struct Touched {
    stored: Stored,
    /// The version that the commit leaves; none where the order is removed.
    row: Option<Row>,
}

/// The state after a commit. The old one is left as it is, whatever happens.
pub(super) fn apply(state: &State, commit: u64, stamp: i64, changes: &Changes) -> Result<State> {
    let mut intake = Intake::new(state.schema.clone(), state.forest.clone(), commit);
    let mut touched: BTreeMap<OrderId, Touched> = BTreeMap::new();
    for operation in &changes.operations {
        match operation {
            Operation::Upsert(order) => {
                let row = intake.row(order)?;
                let id = row.id.clone();
                entry(state, &mut touched, id)?.row = Some(row);
            }
            Operation::Patch(id, patch) => {
                let id = OrderId::parse(id)?;
                let entry = entry(state, &mut touched, id.clone())?;
                let row = entry.row.as_ref().ok_or_else(|| unknown(&id))?;
                entry.row = Some(intake.patched(row.clone(), patch)?);
            }
            Operation::Remove(id) => {
                let id = OrderId::parse(id)?;
                let entry = entry(state, &mut touched, id.clone())?;
                if entry.row.take().is_none() {
                    return Err(unknown(&id));
                }
            }
        }
    }
    let mut next = State { commit, forest: intake.forest, ..state.clone() };
    next.stamps.push(stamp, &state.forest, &next.forest);
    let sealing = Sealing::new(&next.schema, &next.forest, next.manifest.schemas.len())?;
    let mut deaths: HashMap<usize, Vec<Death>> = HashMap::new();
    let mut rows: BTreeMap<i32, Rows> = BTreeMap::new();
    let created = intake.layout.position(ColumnId::Created).unwrap_or(0);
    for (_, Touched { stored, row }) in touched {
        if let Some((live, row_number)) = stored {
            let death = Death { row: row_number, died: commit, removed: row.is_none() };
            deaths.entry(live).or_default().push(death);
        }
        if let Some(row) = row {
            let time = row.columns.get(created).copied().unwrap_or_default();
            let partition = next.schema.calendar().partition(next.schema.partition(), time);
            rows.entry(partition).or_insert_with(|| Rows::new(&intake.layout)).push(row);
        }
    }
    for (live, list) in deaths {
        if let Some(live) = next.lives.get_mut(live) {
            live.add_deaths(list, &sealing.counters)?;
        }
    }
    for (partition, rows) in rows {
        add_batch(&mut next.lives, rows, partition, &sealing)?;
    }
    Ok(next)
}

fn unknown(id: &OrderId) -> Error {
    Error::Unknown { kind: "order".to_owned(), name: id.to_string(), nearest: Vec::new() }
}

/// What the commit does to an order, which begins as what the store has of it.
fn entry<'a>(
    state: &State,
    touched: &'a mut BTreeMap<OrderId, Touched>,
    id: OrderId,
) -> Result<&'a mut Touched> {
    use std::collections::btree_map::Entry;
    match touched.entry(id) {
        Entry::Occupied(found) => Ok(found.into_mut()),
        Entry::Vacant(vacant) => {
            let stored = state.locate(vacant.key())?;
            let row = match stored {
                Some((live, row)) => {
                    let layout = Layout::new(&state.schema);
                    Some(read::row(&layout, &state.lives[live].segment, row)?)
                }
                None => None,
            };
            Ok(vacant.insert(Touched { stored, row }))
        }
    }
}

/// Adds rows as a batch, merged with those of its partition that are small or not much longer: so each partition has few of them.
fn add_batch(lives: &mut Vec<Live>, rows: Rows, partition: i32, sealing: &Sealing<'_>) -> Result<()> {
    let (mut parts, mut length) = (Vec::new(), u32::try_from(rows.len()).unwrap_or(u32::MAX));
    while let Some(at) = lives.iter().rposition(|live| {
        live.stage == Stage::Open
            && live.partition() == partition
            && live.segment.rows() <= length.saturating_mul(MERGE_RATIO).max(SMALL)
    }) {
        let live = lives.remove(at);
        length = length.saturating_add(live.segment.rows());
        parts.insert(0, live);
    }
    lives.push(sealing.merge(&parts, rows, partition)?.0);
    Ok(())
}
