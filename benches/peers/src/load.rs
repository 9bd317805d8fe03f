//! From the files into a store, through the public interface.

use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use zonal::{Columns, Order, Paths, Store};

use crate::Result;
use crate::orders::{Orders, batches, table};
use crate::schema::{ANSWERS, CHANNELS, CITY, DEPARTMENTS, KINDS, SATISFACTION};

/// Orders held in memory: two months of a hundred million, which take less than DuckDB does.
const BUFFER: usize = 4_000_000;

/// The trees: the path of every building and of every topic of the lowest level, by its number.
pub(crate) struct Cities {
    places: Vec<[String; 5]>,
    topics: Vec<[String; 3]>,
}

impl Cities {
    pub(crate) fn read(data: &Path) -> Result<Self> {
        let names = ["building", "community", "street", "district"];
        let [building, community, street, district] = table(&data.join("places.parquet"), names)?;
        let [topic3, topic2, topic1] = table(&data.join("topics.parquet"), ["topic3", "topic2", "topic1"])?;
        let counted = |numbers: &[i64]| (0..).zip(numbers).all(|(count, number)| count == *number);
        if !counted(&building) || !counted(&topic3) {
            return Err("buildings and topics are numbered from 0 in their files".into());
        }
        let places = (0..building.len()).map(|at| {
            let [district, street] = [district[at], street[at]].map(|number| number.to_string());
            let [community, building] = [community[at], building[at]].map(|number| number.to_string());
            [CITY.to_owned(), district, street, community, building]
        });
        let topics =
            (0..topic3.len()).map(|at| [topic1[at], topic2[at], topic3[at]].map(|number| number.to_string()));
        Ok(Self { places: places.collect(), topics: topics.collect() })
    }

    /// One order, as a service would write it.
    pub(crate) fn order(&self, orders: &Orders, row: usize) -> Order {
        let at = |number: i64| usize::try_from(number).ok();
        let names = |path: &[String]| path.to_vec();
        let place = at(orders.building[row]).map_or(Vec::new(), |building| names(&self.places[building]));
        let topic = at(orders.topic3[row]).map_or(Vec::new(), |topic| names(&self.topics[topic]));
        let mut order = Order::new(orders.id[row].to_string(), orders.created[row])
            .place(place)
            .tree("topic", topic)
            .category("department", orders.department[row].to_string())
            .category("channel", orders.channel[row].to_string())
            .category("kind", orders.kind[row].to_string())
            .clock("closed", orders.closed[row])
            .key("caller", orders.caller[row].cast_unsigned());
        if orders.effective[row] == 1 {
            order = order.outcome("callback", "effective");
        }
        let answers: [(&str, &[&str], i64); 3] = [
            ("contacted", &ANSWERS, orders.contacted[row]),
            ("solved", &ANSWERS, orders.solved[row]),
            ("satisfaction", &SATISFACTION, orders.satisfaction[row]),
        ];
        for (outcome, labels, number) in answers {
            if let Some(label) = at(number) {
                order = order.outcome(outcome, labels[label]);
            }
        }
        order
    }
}

/// Units and topics are numbered as in the files.
fn columns(orders: Orders, places: &Paths, topics: &Paths) -> Columns {
    let some = |values: &[i64]| values.iter().map(|value| u32::try_from(*value).ok()).collect();
    let numbers = |count: u32| (0..count).map(|number| number.to_string());
    let effective = orders.effective.iter().map(|called| (*called == 1).then_some(0)).collect();
    Columns::numbered(orders.id.into_iter().map(i64::cast_unsigned).collect(), orders.created)
        .place(places, some(&orders.building))
        .tree("topic", topics, some(&orders.topic3))
        .category("department", numbers(DEPARTMENTS), some(&orders.department))
        .category("channel", numbers(CHANNELS), some(&orders.channel))
        .category("kind", numbers(KINDS), some(&orders.kind))
        .outcome("callback", ["effective"], effective)
        .outcome("contacted", ANSWERS, some(&orders.contacted))
        .outcome("solved", ANSWERS, some(&orders.solved))
        .outcome("satisfaction", SATISFACTION, some(&orders.satisfaction))
        .clock("closed", orders.closed.into_iter().map(Some).collect())
        .key("caller", orders.caller.into_iter().map(|key| Some(key.cast_unsigned())).collect())
}

/// The files of a folder that hold orders, by year.
fn files(data: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(data)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("orders-") && name.ends_with(".parquet") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Loads all orders of a folder; one thread reads ahead. Gives how many there are.
pub(crate) fn load(store: &Store, data: &Path) -> Result<u64> {
    let cities = Cities::read(data)?;
    let files = files(data)?;
    let (places, topics) = (Paths::from(cities.places), Paths::from(cities.topics));
    let (send, receive) = sync_channel(0);
    let mut load = store.load()?.buffer(BUFFER);
    std::thread::scope(|scope| -> Result<()> {
        scope.spawn(move || {
            let all = files.iter().flat_map(|file| match batches(file) {
                Ok(batches) => Box::new(batches) as Box<dyn Iterator<Item = Result<Orders>>>,
                Err(error) => Box::new(std::iter::once(Err(error))),
            });
            for orders in all {
                // Nobody listens any more after an error there.
                if send.send(orders.map_err(|error| error.to_string())).is_err() {
                    return;
                }
            }
        });
        for orders in receive {
            load.push_columns(columns(orders?, &places, &topics))?;
        }
        Ok(())
    })?;
    Ok(load.finish()?.orders)
}
