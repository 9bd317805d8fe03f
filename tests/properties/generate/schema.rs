//! Random schemas.

use zonal::{Filter, PartitionGrain, Unit, any_of, is, missing};

use super::draws::Draws;
use super::world::NAMES;
use crate::model::{Between, Fields, Kind};

/// Zones with all kinds of changes: none, an hour at 2, at midnight, at 00:01, half an hour, a day skipped, and
/// offsets that are no full hours.
pub(crate) const ZONES: [&str; 10] = [
    "UTC",
    "America/New_York",
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Africa/Casablanca",
];

const LABELS: [&str; 15] =
    ["yes", "no", "and", "3", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n=o|p"];

const PLACE: [&str; 4] = ["city", "district", "street", "house"];
const TREES: [&str; 2] = ["topic", "owner and keeper"];
const TREE: [&str; 3] = ["theme", "item", "detail"];
const CATEGORIES: [&str; 2] = ["channel", "c=h|a"];
const TAGS: [&str; 2] = ["tags", "every"];
const OUTCOMES: [&str; 2] = ["solved", "on time"];
const CLOCKS: [&str; 2] = ["closed", "sent"];
const STORED: [&str; 2] = ["cost", "score"];
const BETWEEN: [&str; 2] = ["minutes", "wait"];
const KEYS: [&str; 2] = ["caller", "house key"];
const TEXTS: [&str; 2] = ["note", "answer"];
const COUNTERS: [&str; 3] = ["solved", "effective", "rest"];

pub(crate) fn fields(draws: &mut Draws) -> Fields {
    let zone = draws.pick(&ZONES);
    let mut fields = Fields::new(zone, &["city"]);
    fields.place = levels(&PLACE, draws);
    fields.partition = draws.pick(&[PartitionGrain::Month, PartitionGrain::Year, PartitionGrain::Day]);
    for name in some(&TREES, draws) {
        fields.trees.push((name, levels(&TREE, draws)));
    }
    fields.categories = some(&CATEGORIES, draws);
    fields.tags = some(&TAGS, draws);
    for name in some(&OUTCOMES, draws) {
        fields.outcomes.push((name, labels(draws)));
    }
    fields.clocks = some(&CLOCKS, draws);
    fields.stored = some(&STORED, draws);
    for name in some(&BETWEEN, draws) {
        let between = between(&fields, name, draws);
        fields.between.push(between);
    }
    fields.keys = some(&KEYS, draws);
    fields.texts = some(&TEXTS, draws);
    fields.location = draws.below(2) == 1;
    for name in some(&COUNTERS, draws) {
        let filter = counter(&fields, draws, 2);
        fields.counters.push((name, filter));
    }
    fields
}

/// Fields that add to these: in one place, or in several.
pub(crate) fn grown(fields: &Fields, draws: &mut Draws) -> Fields {
    let mut grown = fields.clone();
    for _ in 0..draws.pick(&[1, 2, 3, 6]) {
        grow(&mut grown, draws);
    }
    grown
}

/// Adds one thing, unless all of its kind are there.
fn grow(fields: &mut Fields, draws: &mut Draws) {
    match draws.below(14) {
        0 => next(&mut fields.categories, &CATEGORIES),
        1 => next(&mut fields.place, &PLACE),
        2 => match next_name(&fields.trees, &TREES) {
            Some(name) => fields.trees.push((name, levels(&TREE, draws))),
            None => fields.trees.iter_mut().for_each(|(_, levels)| next(levels, &TREE)),
        },
        3 => fields.trees.iter_mut().for_each(|(_, levels)| next(levels, &TREE)),
        4 => next(&mut fields.tags, &TAGS),
        5 => {
            if let Some(name) = next_name(&fields.outcomes, &OUTCOMES) {
                fields.outcomes.push((name, labels(draws)));
            }
        }
        6 => fields.outcomes.iter_mut().for_each(|(_, labels)| next(labels, &LABELS)),
        7 => next(&mut fields.clocks, &CLOCKS),
        8 => next(&mut fields.stored, &STORED),
        9 => {
            let known: Vec<_> = fields.between.iter().map(|measure| (measure.name.clone(), ())).collect();
            fields.between.extend(next_name(&known, &BETWEEN).map(|name| between(fields, name, draws)));
        }
        10 => next(&mut fields.keys, &KEYS),
        11 => next(&mut fields.texts, &TEXTS),
        12 => fields.location = true,
        _ => {
            if let Some(name) = next_name(&fields.counters, &COUNTERS) {
                let filter = counter(fields, draws, 2);
                fields.counters.push((name, filter));
            }
        }
    }
}

/// Adds the first of a list that is not there.
fn next(known: &mut Vec<String>, of: &[&str]) {
    known.extend(
        of.iter().find(|name| !known.iter().any(|known| known == *name)).map(|name| (*name).to_owned()),
    );
}

/// The first of a list that nothing is called by.
fn next_name<T>(known: &[(String, T)], of: &[&str]) -> Option<String> {
    of.iter().find(|name| !known.iter().any(|(known, _)| known == *name)).map(|name| (*name).to_owned())
}

fn labels(draws: &mut Draws) -> Vec<String> {
    let most = draws.pick(&[2, 1, 3, 4, 15]);
    LABELS[..most].iter().map(|label| (*label).to_owned()).collect()
}

fn between(fields: &Fields, name: String, draws: &mut Draws) -> Between {
    let clocks = fields.of_kind(Kind::Clock);
    let (from, to) = (draws.pick(&clocks), draws.pick(&clocks));
    Between { name, from, to, unit: draws.pick(&[Unit::Seconds, Unit::Minutes, Unit::Hours, Unit::Days]) }
}

/// The first levels of a list, at least one.
fn levels(names: &[&str], draws: &mut Draws) -> Vec<String> {
    // Two more often than one: remainders need a level above.
    let most = draws.pick(&[2, 3, 1, names.len()]).min(names.len());
    names[..most].iter().map(|level| (*level).to_owned()).collect()
}

/// The first names of a list, often none.
fn some(names: &[&str], draws: &mut Draws) -> Vec<String> {
    let most = draws.pick(&[0, 1, 1, names.len()]);
    names[..most].iter().map(|name| (*name).to_owned()).collect()
}

/// A filter over outcomes and categories, of values that orders may or may not come to have.
fn counter(fields: &Fields, draws: &mut Draws, deepest: usize) -> Filter {
    let inner = |draws: &mut Draws| {
        let many = draws.below(3);
        (0..many).map(|_| counter(fields, draws, deepest - 1)).collect()
    };
    match draws.below(if deepest == 0 { 3 } else { 6 }) {
        3 => Filter::And(inner(draws)),
        4 => Filter::Or(inner(draws)),
        5 => !counter(fields, draws, deepest - 1),
        kind => {
            let mut choices = fields.categories.clone();
            choices.extend(fields.outcomes.iter().map(|(name, _)| name.clone()));
            let Some(field) = draws.pick_any(&choices) else { return Filter::All };
            let values: Vec<String> = match fields.labels(&field) {
                Some(labels) => labels.to_vec(),
                None => NAMES.iter().map(|name| (*name).to_owned()).collect(),
            };
            match kind {
                0 => is(field, draws.pick(&values)),
                1 => any_of(field, [draws.pick(&values), draws.pick(&values)]),
                _ => missing(field),
            }
        }
    }
}
