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

pub(crate) fn fields(draws: &mut Draws) -> Fields {
    let zone = draws.pick(&ZONES);
    let mut fields = Fields::new(zone, &["city"]);
    fields.place = levels(&["city", "district", "street", "house"], draws);
    fields.partition = draws.pick(&[PartitionGrain::Month, PartitionGrain::Year, PartitionGrain::Day]);
    for name in some(&["topic", "owner and keeper"], draws) {
        fields.trees.push((name, levels(&["theme", "item", "detail"], draws)));
    }
    fields.categories = some(&["channel", "c=h|a"], draws);
    fields.tags = some(&["tags", "every"], draws);
    for name in some(&["solved", "on time"], draws) {
        let most = draws.pick(&[2, 1, 3, 4, 15]);
        fields.outcomes.push((name, LABELS[..most].iter().map(|label| (*label).to_owned()).collect()));
    }
    fields.clocks = some(&["closed", "sent"], draws);
    fields.stored = some(&["cost", "score"], draws);
    for name in some(&["minutes", "wait"], draws) {
        let clocks = fields.of_kind(Kind::Clock);
        let (from, to) = (draws.pick(&clocks), draws.pick(&clocks));
        let unit = draws.pick(&[Unit::Seconds, Unit::Minutes, Unit::Hours, Unit::Days]);
        fields.between.push(Between { name, from, to, unit });
    }
    fields.keys = some(&["caller", "house key"], draws);
    fields.texts = some(&["note", "answer"], draws);
    fields.location = draws.below(2) == 1;
    for name in some(&["solved", "effective", "rest"], draws) {
        let filter = counter(&fields, draws, 2);
        fields.counters.push((name, filter));
    }
    fields
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
