//! The loops that questions spend their time in, each by itself: what `benches/kernels.rs` measures.

use std::hint::black_box;

use crate::error::Result;
use crate::filter::Test;
use crate::schema::Clock;
use crate::segment::{
    Column, ColumnId, Death, Deaths, Fact, MISSING, RowMask, SectionId, Segment, column_of,
};
use crate::store::Snapshot;

use super::key_set::KeySet;
use super::row_test::RowTest;
use super::several::groups;

/// Takes a kernel: its name, how many steps it takes, and the kernel itself, which gives what hangs on every step.
pub type Measure<'a> = dyn FnMut(&str, u64, &mut dyn FnMut() -> u64) + 'a;

/// Has every kernel measured, on the segment of a snapshot with the most rows: those of columns on the columns of these fields, those
/// of sets on the first tree, those of keys on the first key.
///
/// # Errors
/// As for [`run`](Snapshot::run).
pub fn kernels(now: &Snapshot, fields: &[&str], measure: &mut Measure<'_>) -> Result<()> {
    let Some(live) = now.lives().iter().max_by_key(|live| live.segment.rows()) else { return Ok(()) };
    let segment = live.segment.as_ref();
    for name in fields {
        let column = now.schema().field(name).and_then(column_of);
        if let Some(column) = column.map(|column| segment.column(column)).transpose()?.flatten() {
            of_column(segment, name, &column, measure);
        }
    }
    of_masks(segment, measure);
    of_sets(segment, ColumnId::Tree(0), measure)?;
    of_units(now, segment, measure)?;
    of_deaths(segment, measure)?;
    of_keys(segment, ColumnId::Key(0), measure)?;
    of_ids(segment, measure)
}

/// The middle half of a column's values, as its codes go.
fn middle(column: &Column<'_>) -> Test {
    let (least, most) = column.bounds();
    let quarter = most.abs_diff(least) / 4;
    Test::Between(least.saturating_add_unsigned(quarter), most.saturating_sub_unsigned(quarter))
}

fn of_column(segment: &Segment, name: &str, column: &Column<'_>, measure: &mut Measure<'_>) {
    let rows = segment.rows();
    let (test, half) = (RowTest::column(Some(*column), &middle(column)), every(2, rows));
    measure(&format!("{name}: all rows decided"), rows.into(), &mut || {
        test.mask(rows, 0..rows).count(0..rows)
    });
    measure(&format!("{name}: half of the rows narrowed"), u64::from(rows) / 2, &mut || {
        let mut mask = half.clone();
        test.narrow(&mut mask, 0..rows);
        mask.count(0..rows)
    });
    measure(&format!("{name}: read row by row"), rows.into(), &mut || {
        (0..rows as usize).fold(0, |sum, row| sum.wrapping_add(column.get(row).cast_unsigned()))
    });
    let mut values = Vec::new();
    measure(&format!("{name}: decoded"), rows.into(), &mut || {
        values.clear();
        column.decode(0..rows as usize, &mut values);
        black_box(&values).len() as u64
    });
}

/// One row of so many.
fn every(step: usize, rows: u32) -> RowMask {
    let mut mask = RowMask::new(rows);
    (0..rows).step_by(step).for_each(|row| mask.insert(row));
    mask
}

fn of_masks(segment: &Segment, measure: &mut Measure<'_>) {
    let rows = segment.rows();
    let (thirds, tenths) = (every(3, rows), every(10, rows));
    measure("masks: two intersected and counted", rows.into(), &mut || {
        let mut mask = thirds.clone();
        mask.and(&tenths);
        mask.count(0..rows)
    });
    measure("masks: a tenth of the rows walked", u64::from(rows) / 10, &mut || {
        tenths.iter(0..rows).map(u64::from).sum()
    });
}

fn of_sets(segment: &Segment, column: ColumnId, measure: &mut Measure<'_>) -> Result<()> {
    let Some(sets) = segment.sets(column)? else { return Ok(()) };
    let read = sets.iter().map(|set| segment.placed(SectionId::Sets(column), set));
    let (sets, rows) = (read.collect::<Result<Vec<_>>>()?, segment.rows());
    let mut list = Vec::new();
    measure("sets: all rows listed", rows.into(), &mut || {
        list.clear();
        sets.iter().for_each(|(_, set)| set.for_each(0..rows, |row| list.push(row)));
        black_box(&list).len() as u64
    });
    measure("sets: all rows marked", rows.into(), &mut || {
        let mut mask = RowMask::new(rows);
        sets.iter().for_each(|(_, set)| set.insert_into(&mut mask));
        mask.count(0..rows)
    });
    Ok(())
}

fn of_units(now: &Snapshot, segment: &Segment, measure: &mut Measure<'_>) -> Result<()> {
    let levels = now.place().levels().len();
    let Some(deepest) = levels.checked_sub(1) else { return Ok(()) };
    let (directory, rows) = (segment.directory(deepest)?, segment.rows());
    measure("units: the runs of the deepest level walked", directory.len() as u64, &mut || {
        directory.runs(0..rows).map(|(run, rows)| run as u64 ^ u64::from(rows.end)).sum()
    });
    measure("units: the run of one row in ten looked up", u64::from(rows) / 10, &mut || {
        (0..rows).step_by(10).map(|row| directory.run_of(row) as u64).sum()
    });
    for level in 0..levels {
        if let Some(records) = segment.level(level)?
            && let Some(orders) = records.lane(Fact::Orders)
        {
            measure(&format!("sums: the units of level {level}"), records.len() as u64, &mut || {
                (1..records.len()).map(|unit| orders.at(unit).wrapping_sub(orders.at(unit - 1))).sum()
            });
        }
        if let Some(grid) = segment.grid(SectionId::UnitDays(Clock::Created, level))?
            && let Some(orders) = grid.sums(Fact::Orders)
        {
            let (lines, days) = (grid.lines(), grid.days());
            measure(&format!("sums: the units of level {level}, days cut off"), lines as u64, &mut || {
                let before = |line: usize, day| orders.before(line..line + 1, day);
                (0..lines).map(|line| before(line, days) - before(line, 1)).sum()
            });
        }
    }
    Ok(())
}

fn of_deaths(segment: &Segment, measure: &mut Measure<'_>) -> Result<()> {
    let rows = segment.rows();
    let dead = |row| Death { row, died: 1, removed: false };
    let deaths = Deaths::new((0..rows).step_by(20).map(dead).collect(), segment, &[])?;
    measure("deaths: counted in ranges of 100 rows", u64::from(rows) / 100, &mut || {
        (0..rows).step_by(100).map(|row| deaths.count(row..row + 100)).sum()
    });
    Ok(())
}

fn of_keys(segment: &Segment, key: ColumnId, measure: &mut Measure<'_>) -> Result<()> {
    let (Some(keys), Some(topics)) = (segment.column(key)?, segment.column(ColumnId::Tree(0))?) else {
        return Ok(());
    };
    let rows = segment.rows() as usize;
    let rows = (0..rows).filter(|row| keys.get(*row) != MISSING);
    let (keys, topics): (Vec<i64>, Vec<u64>) = rows.map(|row| (keys.get(row), topics.code(row))).unzip();
    measure("keys: told apart", keys.len() as u64, &mut || {
        let mut set = KeySet::default();
        keys.iter().for_each(|key| set.insert_near(*key));
        set.settle();
        set.len()
    });
    let pairs: Vec<(i64, u64)> = keys.iter().copied().zip(topics.iter().copied()).collect();
    measure("keys: pairs with topics that come again", pairs.len() as u64, &mut || {
        groups(&mut pairs.clone(), 2).len() as u64
    });
    measure("groups: topics listed and counted", topics.len() as u64, &mut || {
        groups(&mut topics.clone(), 1).iter().map(|(_, orders)| orders).sum()
    });
    Ok(())
}

fn of_ids(segment: &Segment, measure: &mut Measure<'_>) -> Result<()> {
    let rows = segment.rows();
    let ids = (0..rows).step_by(100).map(|row| segment.id(row)).collect::<Result<Vec<_>>>()?;
    measure("ids: one in a hundred found", ids.len() as u64, &mut || {
        ids.iter().filter_map(|id| segment.find_all(id).ok()).flatten().map(u64::from).sum()
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Order, Schema, Store};

    /// A kernel that does nothing, or something else each time, would be measured in vain.
    #[test]
    fn every_kernel_finds_something_and_the_same_again() {
        let schema = Schema::builder("UTC").place(["district", "street"]).tree("topic", ["topic"]);
        let store = Store::in_memory(schema.category("kind").key("caller").build().unwrap()).unwrap();
        let mut load = store.load().unwrap();
        for number in 0..2_000_u64 {
            let order = Order::new(number.to_string(), 1_772_294_400 + number.cast_signed() * 999)
                .place([(number % 7).to_string(), (number % 35).to_string()])
                .tree("topic", [(number % 40).to_string()]);
            load.push(order.category("kind", (number % 5).to_string()).key("caller", number % 700)).unwrap();
        }
        load.finish().unwrap();
        let mut names = BTreeSet::new();
        kernels(&store.snapshot(), &["kind", "caller", "created"], &mut |name, steps, kernel| {
            assert!(names.insert(name.to_owned()), "{name} is measured twice");
            let found = kernel();
            assert!(steps > 0 && found > 0, "{name} does nothing");
            assert_eq!(kernel(), found, "{name}");
        })
        .unwrap();
        for kind in
            ["kind", "caller", "created", "masks", "sets", "units", "sums", "deaths", "keys", "groups", "ids"]
        {
            assert!(names.iter().any(|name| name.starts_with(kind)), "no kernel of {kind}: {names:?}");
        }
    }
}
