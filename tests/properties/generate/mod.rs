//! Random cities, histories and questions, drawn towards the edges.

mod asks;
mod draws;
mod filters;
mod history;
mod orders;
mod schema;
mod world;

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use zonal::Order;

use crate::model::{Ask, Fields, Model};
use draws::{Draws, draws};
pub(crate) use history::{Event, History, histories};
use world::World;

/// A store, in the loads by which it comes about, and questions to it.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) fields: Fields,
    pub(crate) loads: Vec<Load>,
    pub(crate) asks: Vec<Ask>,
}

/// One load.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) orders: Vec<Order>,
    /// How many orders are held in memory.
    pub(crate) buffer: usize,
    /// Whether the orders come in columns, where all of them fit.
    pub(crate) columns: bool,
    /// Whether the load is dropped before it is finished.
    pub(crate) dropped: bool,
}

/// What a case that fails is told by. The question that failed is told with the failure.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:#?}", self.fields)?;
        for Load { orders, buffer, columns, dropped } in &self.loads {
            writeln!(f, "load with a buffer of {buffer}, columns: {columns}, dropped: {dropped}")?;
            for order in orders {
                writeln!(f, "    {}", serde_json::to_string(order).map_err(|_| fmt::Error)?)?;
            }
        }
        Ok(())
    }
}

/// Cases with up to so many questions.
pub(crate) fn cases(asks: usize) -> impl Strategy<Value = Case> {
    let orders =
        prop_oneof![1 => vec(draws(60), 0..=1), 8 => vec(draws(60), 0..40), 1 => vec(draws(60), 40..120)];
    let loads = vec(orders, 1..=3);
    (draws(120), loads, vec(draws(120), 1..=asks)).prop_map(|(schema, loads, asks)| case(schema, loads, asks))
}

fn case(schema: Vec<u16>, loads: Vec<Vec<Vec<u16>>>, asks: Vec<Vec<u16>>) -> Case {
    let mut draws = Draws::new(schema);
    // What is asked of the loads is drawn first: the schema may use up the rest.
    let mut plans = Vec::new();
    for _ in &loads {
        let buffer = draws.pick(&[1_000, 3, 1, 10]);
        plans.push((buffer, draws.once_in(3), draws.once_in(15), draws.once_in(12)));
    }
    let bulk = draws.once_in(8);
    let fields = schema::fields(&mut draws);
    let world = World::new(&fields, &mut draws);
    let mut model = Model::new(fields.clone());
    let mut made = Vec::new();
    let mut number = 0;
    for (orders, (buffer, columns, dropped, careless)) in loads.into_iter().zip(plans) {
        let mut all = Vec::new();
        for order in orders {
            // Copies make rows by the hundred, where bitmaps and columns take other forms.
            for copy in 0..if bulk { 12 } else { 1 } {
                let order = orders::order(&fields, &world, number, &mut Draws::new(rotated(&order, copy)));
                number += 1;
                // An id that the store has fails the whole load: seldom wanted.
                if careless || model.get(order.id()).is_none() {
                    all.push(order);
                }
            }
        }
        if !dropped {
            model.load(&all);
        }
        made.push(Load { orders: all, buffer, columns, dropped });
    }
    let asks = asks.into_iter().map(|draws| asks::ask(&model, &world, &mut Draws::new(draws))).collect();
    Case { fields, loads: made, asks }
}

/// The same numbers, but every so many-th another.
fn rotated(numbers: &[u16], by: u16) -> Vec<u16> {
    let other = |(at, number): (usize, &u16)| {
        if (at + usize::from(by)) % 5 == 4 { number.wrapping_add(by) } else { *number }
    };
    numbers.iter().enumerate().map(other).collect()
}
