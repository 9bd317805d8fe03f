//! Random orders.

use zonal::{Moment, Order, Value};

use super::draws::Draws;
use super::world::World;
use crate::model::{Fields, Kind};

/// Numbers that a measure could trip over.
const NUMBERS: [i64; 12] =
    [0, 1, -1, 2, 10, 100, 255, 256, i64::MAX, i64::MIN + 1, 4_294_967_296, -2_147_483_649];

/// An order; once in a while one that does not fit.
pub(crate) fn order(fields: &Fields, world: &World, number: usize, draws: &mut Draws) -> Order {
    let id = world.id(number, draws);
    order_of(fields, world, id, draws)
}

/// An order with this id.
pub(crate) fn order_of(fields: &Fields, world: &World, id: String, draws: &mut Draws) -> Order {
    let created = world.time(draws);
    let mut order =
        Order::new(id, moment(world, created, draws)).place(world.path(fields.place.len(), draws));
    for (name, kind) in fields.all() {
        // Missing is common; each field has a say of its own, so that shrinking one leaves the others.
        if name == "created" || name == "place" || draws.once_in(4) {
            continue;
        }
        order = match kind {
            Kind::Tree => {
                let levels =
                    fields.trees.iter().find(|(tree, _)| *tree == name).map_or(0, |(_, levels)| levels.len());
                order.tree(name, world.path(levels, draws))
            }
            Kind::Category => order.category(name, world.name(draws)),
            Kind::Tags => {
                let many = draws.below(5);
                order.tags(name, (0..many).map(|_| world.name(draws)).collect::<Vec<_>>())
            }
            Kind::Outcome => {
                let label = draws.pick(fields.labels(&name).expect("an outcome"));
                order.outcome(name, label)
            }
            Kind::Measure if fields.stored.contains(&name) => {
                let odd = draws.once_in(6);
                let value = if odd { draws.pick(&NUMBERS) } else { draws.signed() % 30 };
                order.measure(name, value)
            }
            Kind::Measure => order,
            Kind::Clock => {
                let time =
                    if draws.below(2) == 0 { created + draws.signed() % 100_000 } else { world.time(draws) };
                let time = time.clamp(zonal::Span::ALL.start(), zonal::Span::ALL.end() - 1);
                order.clock(name, moment(world, time, draws))
            }
            Kind::Key => {
                order.key(name, if draws.once_in(8) { draws.number() | 1 } else { draws.below(5) as u64 })
            }
            Kind::Location => point(order, draws),
            Kind::Text => {
                let text = draws.pick(&["", "x", "Straße\nöffnen", "lorem ipsum dolor sit amet"]);
                order.text(name, text.repeat(1 + draws.below(3)))
            }
        };
    }
    if draws.once_in(60) { unfit(fields, order, draws) } else { order }
}

fn point(order: Order, draws: &mut Draws) -> Order {
    let edges = draws.once_in(10);
    if edges {
        let longitude = draws.pick(&[1_800_000_000, -1_800_000_000, 0]);
        return order.location_e7(longitude, draws.pick(&[900_000_000, -900_000_000, 0]));
    }
    order.location_e7(draws.below(9) as i32 - 4, draws.below(9) as i32 - 4)
}

/// Most times are seconds, some are local times in words.
fn moment(world: &World, time: i64, draws: &mut Draws) -> Moment {
    let local = world.wall.local(time);
    let inside = (1900..=2200).contains(&local.year());
    if draws.once_in(8) && inside { Moment::Text(local.to_string()) } else { Moment::Seconds(time) }
}

/// Makes an order one that does not fit.
fn unfit(fields: &Fields, order: Order, draws: &mut Draws) -> Order {
    let created = order.created().clone();
    match draws.below(9) {
        0 => Order::new("", created),
        1 => Order::new("x".repeat(65), created),
        2 => order.with("nothing", Value::Text("of this name".to_owned())),
        3 => order.place(vec!["a"; fields.place.len() + 1]),
        4 => order.place(["a", ""]),
        5 => Order::new(order.id(), zonal::Span::ALL.end()),
        6 => order.with("place", Value::Tree(vec!["a".into()])),
        7 => match fields.stored.first() {
            Some(name) => order.measure(name, i64::MIN),
            None => order.location_e7(0, 900_000_001),
        },
        _ => match fields.outcomes.first() {
            Some((name, _)) => order.outcome(name, "maybe"),
            None => order.with("created", Value::Measure(1)),
        },
    }
}
