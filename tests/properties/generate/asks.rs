//! Random questions about what a store holds.

use jiff::ToSpan;
use zonal::{Dates, Filter, Grain, Metric, Span};

use super::draws::Draws;
use super::filters::{filter, node, span};
use super::world::World;
use crate::model::{Ask, Kind, Model, Targets};

pub(crate) fn ask(model: &Model, world: &World, draws: &mut Draws) -> Ask {
    let mut ask = Ask::zoom();
    let bases = if model.place.nodes.is_empty() { 0 } else { draws.pick(&[0, 1, 0, 2, 1, 3]) };
    ask.within = (0..bases).map(|_| node(Some(&model.place), draws)).collect();
    ask.targets = targets(model, &ask, draws);
    ask.between = draws.below(2) == 1;
    when(model, world, draws, &mut ask);
    ask.by = by(model, draws);
    let filtered = draws.below(2) == 1;
    ask.filter = if filtered { filter(model, world, draws, 3) } else { Filter::All };
    let many = draws.pick(&[1, 0, 2, 3]);
    ask.metrics = (0..many).filter_map(|_| metric(model, draws)).collect();
    ask.top = if draws.below(3) == 1 { Some(draws.pick(&[2, 1, 3, 100, 0])) } else { None };
    ask.all_units = draws.below(4) == 1;
    if draws.once_in(20) {
        ask.limit = draws.below(12) as u64;
    }
    ask
}

fn targets(model: &Model, ask: &Ask, draws: &mut Draws) -> Targets {
    let place = &model.place;
    let last = place.levels.len() - 1;
    // The depth of the lowest base: targets that lie above it, or below the last level, are refused.
    let depths = ask.within.iter().filter_map(|base| Some(place.depth(place.find(base).ok()?)));
    let lowest = depths.max().unwrap_or(0);
    let several_tops = ask.within.is_empty() && place.children(None).len() > 1;
    match draws.below(16) {
        0..=3 => Targets::Bases,
        4..=9 => Targets::Level(draws.pick(&place.levels[lowest..])),
        15 => draws.pick(&[
            Targets::Depth(last as u8 + 1),
            Targets::Depth(255),
            Targets::Depth(1),
            Targets::Level(place.levels[0].clone()),
            Targets::Level("nothing".to_owned()),
        ]),
        _ if several_tops => Targets::Level(draws.pick(&place.levels)),
        _ => Targets::Depth(draws.below(last - lowest + 1) as u8),
    }
}

fn when(model: &Model, world: &World, draws: &mut Draws, ask: &mut Ask) {
    if draws.below(3) == 1 {
        ask.clock = draws.pick_any(&model.fields.clocks).unwrap_or(ask.clock.clone());
    }
    if draws.once_in(80) {
        ask.clock = "nothing".to_owned();
    }
    let mut known: Vec<i64> = model.facts.iter().filter_map(|fact| fact.clock(&ask.clock)).collect();
    known.push(world.centre);
    // Orders without the clock are asked for where the span is open only.
    let all = draws.below(if ask.clock == "created" { 3 } else { 2 }) == 1;
    ask.span = if all { Span::ALL } else { span(world, &known, draws) };
    // A fine grain over a long span has more steps than the limit, which is worth asking too, but not often.
    let first = known.iter().copied().filter(|time| ask.span.contains(*time)).min().unwrap_or(world.centre);
    let last = known.iter().copied().filter(|time| ask.span.contains(*time)).max().unwrap_or(world.centre);
    let long = last - first > 60 * 86_400 && !draws.once_in(10);
    ask.grain = match draws.below(5) {
        0 | 1 => None,
        _ if long => Some(draws.pick(&[Grain::Year, Grain::Month, Grain::Quarter, Grain::HalfYear])),
        _ if draws.once_in(9) => Some(Grain::Dates(dates(world, draws))),
        _ => Some(draws.pick(&[
            Grain::Day,
            Grain::Month,
            Grain::Week,
            Grain::Hour,
            Grain::Year,
            Grain::NoonDay,
            Grain::MonthFrom(19),
            Grain::MonthFrom(31),
        ])),
    };
}

/// Some dates around those of the orders.
fn dates(world: &World, draws: &mut Draws) -> Dates {
    let first = world.wall.local(world.centre).date();
    let mut days = vec![draws.signed() % 40];
    for _ in 0..draws.below(4) {
        days.push(days[days.len() - 1] + 1 + draws.below(30) as i64);
    }
    let dates = days.into_iter().map(|days| first.checked_add(days.days()).expect("in range").to_string());
    // Too close to the edge of the calendar, any date does.
    Dates::new(dates).unwrap_or_else(|_| Dates::new(["2012-02-29"]).expect("a date"))
}

fn by(model: &Model, draws: &mut Draws) -> Vec<(String, Option<String>)> {
    let mut fields = model.fields.all();
    let odd = draws.once_in(30);
    let groups = [Kind::Tree, Kind::Category, Kind::Tags, Kind::Outcome];
    fields.retain(|(name, kind)| odd || (name != "place" && groups.contains(kind)));
    let many = draws.pick(&[0, 1, 0, 2, 1, 3]).min(fields.len());
    let mut by: Vec<(String, Option<String>)> = Vec::new();
    for _ in 0..many {
        let (name, kind) = draws.pick(&fields);
        if by.iter().any(|(earlier, _)| *earlier == name) && !odd {
            continue;
        }
        let levels = model.tree(&name).filter(|_| kind == Kind::Tree).map(|tree| tree.levels.clone());
        let level = levels.filter(|_| draws.below(3) > 0).map(|levels| draws.pick(&levels));
        by.push((name, if draws.once_in(80) { Some("nothing".to_owned()) } else { level }));
    }
    by
}

fn metric(model: &Model, draws: &mut Draws) -> Option<Metric> {
    if draws.once_in(80) {
        let name = "nothing".to_owned();
        return Some(draws.pick(&[
            Metric::Counter(name.clone()),
            Metric::Sum(name.clone()),
            Metric::Distinct(name),
        ]));
    }
    let mut counters: Vec<String> = model.fields.counters.iter().map(|(name, _)| name.clone()).collect();
    counters.push("count".to_owned());
    let measure = model.fields.of_kind(Kind::Measure);
    let measure = draws.pick_any(&measure);
    Some(match draws.below(9) {
        0 => Metric::Count,
        1 => match draws.pick(&counters) {
            count if count == "count" => Metric::Count,
            name => Metric::Counter(name),
        },
        2 => Metric::Rate(draws.pick(&counters), draws.pick(&counters)),
        3 => Metric::Sum(measure?),
        4 => Metric::Mean(measure?),
        5 => Metric::Min(measure?),
        6 => Metric::Max(measure?),
        7 => Metric::Quantile(measure?, draws.pick(&[50, 0, 1, 25, 33, 90, 99, 100])),
        _ => Metric::Distinct(draws.pick_any(&model.fields.keys)?),
    })
}
