//! Reading the Parquet files: orders in columns of numbers.

use std::fs::File;
use std::path::Path;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use crate::Result;

/// Orders of one row group, a column a field; −1 stands for missing.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    pub(crate) id: Vec<i64>,
    /// Seconds since 1970, as `closed`.
    pub(crate) created: Vec<i64>,
    pub(crate) building: Vec<i64>,
    pub(crate) topic3: Vec<i64>,
    pub(crate) department: Vec<i64>,
    pub(crate) channel: Vec<i64>,
    pub(crate) kind: Vec<i64>,
    pub(crate) effective: Vec<i64>,
    pub(crate) contacted: Vec<i64>,
    pub(crate) solved: Vec<i64>,
    pub(crate) satisfaction: Vec<i64>,
    pub(crate) closed: Vec<i64>,
    pub(crate) caller: Vec<i64>,
}

impl Orders {
    pub(crate) fn len(&self) -> usize {
        self.id.len()
    }
}

/// The row groups of a file of orders, one after the other.
pub(crate) fn batches(path: &Path) -> Result<impl Iterator<Item = Result<Orders>>> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    Ok((0..reader.num_row_groups()).map(move |number| {
        let group = reader.get_row_group(number)?;
        let read = |name: &str| numbers(group.as_ref(), name);
        let seconds = |name: &str| {
            let mut times = read(name)?;
            times.iter_mut().for_each(|time| *time = time.div_euclid(1_000_000));
            Ok::<_, Box<dyn std::error::Error>>(times)
        };
        Ok(Orders {
            id: read("order_id")?,
            created: seconds("created")?,
            building: read("building")?,
            topic3: read("topic3")?,
            department: read("department")?,
            channel: read("channel")?,
            kind: read("kind")?,
            effective: read("effective")?,
            contacted: read("contacted")?,
            solved: read("solved")?,
            satisfaction: read("satisfaction")?,
            closed: seconds("closed")?,
            caller: read("caller")?,
        })
    }))
}

/// Some columns of a small file, all of it.
pub(crate) fn table<const N: usize>(path: &Path, names: [&str; N]) -> Result<[Vec<i64>; N]> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let mut columns = [const { Vec::new() }; N];
    for number in 0..reader.num_row_groups() {
        let group = reader.get_row_group(number)?;
        for (column, name) in columns.iter_mut().zip(names) {
            column.extend(numbers(group.as_ref(), name)?);
        }
    }
    Ok(columns)
}

/// A column of a row group, whatever integer it is stored as. No value may be missing.
fn numbers(group: &dyn RowGroupReader, name: &str) -> Result<Vec<i64>> {
    let columns = group.metadata().columns();
    let position = columns.iter().position(|column| column.column_descr().name() == name);
    let position = position.ok_or_else(|| format!("the file has no column {name:?}"))?;
    let rows = usize::try_from(group.metadata().num_rows())?;
    let values: Vec<i64> = match group.get_column_reader(position)? {
        ColumnReader::BoolColumnReader(column) => all(column, rows)?.into_iter().map(i64::from).collect(),
        ColumnReader::Int32ColumnReader(column) => all(column, rows)?.into_iter().map(i64::from).collect(),
        ColumnReader::Int64ColumnReader(column) => all(column, rows)?,
        _ => return Err(format!("the column {name:?} holds no integers").into()),
    };
    if values.len() != rows {
        return Err(format!("the column {name:?} has {} values in {rows} rows", values.len()).into());
    }
    Ok(values)
}

fn all<T: DataType>(mut column: ColumnReaderImpl<T>, rows: usize) -> Result<Vec<T::T>> {
    let (mut values, mut levels) = (Vec::with_capacity(rows), Vec::new());
    loop {
        levels.clear();
        let (records, ..) = column.read_records(rows, Some(&mut levels), None, &mut values)?;
        if records == 0 {
            return Ok(values);
        }
    }
}
