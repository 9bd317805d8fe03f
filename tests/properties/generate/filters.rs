//! Random filters over what a store holds.

use zonal::{Filter, NodeRef, Span};

use super::draws::Draws;
use super::world::World;
use crate::model::{Kind, Model, Tree};

/// A filter with up to so many levels of *and*, *or* and *not*.
pub(crate) fn filter(model: &Model, world: &World, draws: &mut Draws, deepest: usize) -> Filter {
    let several = |draws: &mut Draws| {
        let many = draws.pick(&[2, 1, 3, 0]);
        (0..many).map(|_| filter(model, world, draws, deepest - 1)).collect()
    };
    match draws.below(if deepest == 0 { 4 } else { 8 }) {
        4 => Filter::And(several(draws)),
        5 => Filter::Or(several(draws)),
        6 => !filter(model, world, draws, deepest - 1),
        7 => Filter::All,
        _ => condition(model, world, draws),
    }
}

fn condition(model: &Model, world: &World, draws: &mut Draws) -> Filter {
    let mut fields = model.fields.all();
    if draws.once_in(60) {
        fields = vec![(
            "nothing".to_owned(),
            draws.pick(&[Kind::Category, Kind::Tree, Kind::Measure, Kind::Clock]),
        )];
    }
    let (field, kind) = draws.pick(&fields);
    // `created` is never missing, and asking for it is refused in words.
    let may_miss = field != "created";
    if may_miss && draws.once_in(5) {
        return Filter::Missing { field };
    }
    match kind {
        Kind::Tree => {
            let many = draws.pick(&[1, 2, 0]);
            let nodes = (0..many).map(|_| node(model.tree(&field), draws)).collect();
            Filter::Under { tree: field, nodes }
        }
        Kind::Category | Kind::Outcome => {
            let many = draws.pick(&[1, 2, 3, 0]);
            Filter::Is { values: values(model, &field, many, draws), field }
        }
        Kind::Tags => {
            let many = draws.pick(&[1, 2, 0]);
            let values = values(model, &field, many, draws);
            if draws.below(2) == 0 { Filter::Is { field, values } } else { Filter::HasAll { field, values } }
        }
        Kind::Measure => {
            let known: Vec<i64> =
                model.facts.iter().filter_map(|fact| model.measure(fact, &field)).chain([0]).collect();
            let edge = |draws: &mut Draws| match draws.below(4) {
                0 | 1 => draws.pick(&known),
                2 => i64::MIN,
                _ => i64::MAX,
            };
            Filter::Between { measure: field, least: edge(draws), most: edge(draws) }
        }
        Kind::Clock => {
            let mut known: Vec<i64> = model.facts.iter().filter_map(|fact| fact.clock(&field)).collect();
            known.push(world.centre);
            let span = span(world, &known, draws);
            Filter::During { clock: field, span }
        }
        Kind::Location => {
            let mut edge = || draws.below(9) as i32 - 4;
            Filter::Within { west: edge(), south: edge(), east: edge(), north: edge() }
        }
        Kind::Key | Kind::Text => Filter::Missing { field },
    }
}

fn values(model: &Model, field: &str, many: usize, draws: &mut Draws) -> Vec<String> {
    let known =
        model.fields.labels(field).or_else(|| model.values.get(field).map(Vec::as_slice)).unwrap_or_default();
    let known = known.to_vec();
    let value = |draws: &mut Draws| {
        let unknown = draws.once_in(60);
        draws.pick_any(&known).filter(|_| !unknown)
    };
    if known.is_empty() && !draws.once_in(4) {
        return Vec::new();
    }
    (0..many).map(|_| value(draws).unwrap_or_else(|| "never seen".to_owned())).collect()
}

/// A node of a tree, by its path or its code; once in a while one that is not there.
pub(crate) fn node(tree: Option<&Tree>, draws: &mut Draws) -> NodeRef {
    let Some(tree) = tree.filter(|tree| !tree.nodes.is_empty() && !draws.once_in(60)) else {
        return NodeRef::from(["a", "nowhere"]);
    };
    let at = draws.below(tree.nodes.len());
    match &tree.nodes[at].code {
        // Siblings may share a name; then only the code tells them apart.
        Some(code) if draws.below(8) < 6 => NodeRef::code(code),
        _ => NodeRef::Path(tree.path(at)),
    }
}

/// A span between times that matter, or of a step of the calendar.
pub(crate) fn span(world: &World, known: &[i64], draws: &mut Draws) -> Span {
    use zonal::Grain::{Day, Hour, Month, Quarter, Week, Year};
    let (a, b) = (draws.pick(known), draws.pick(known));
    let around = draws.below(3) as i64 - 1;
    let (start, end) = match draws.below(10) {
        0..=4 => {
            let grain = draws.pick(&[Month, Day, Year, Week, Quarter, Hour]);
            let start = world.wall.start(&grain, a);
            let end = (0..=draws.below(3)).fold(start, |end, _| world.wall.next(&grain, end));
            (start, end)
        }
        5 | 6 => (a.min(b) + around, a.max(b) + 1),
        7 => (a + around, Span::ALL.end()),
        8 => (Span::ALL.start(), a + around),
        _ => draws.pick(&[(a, a), (Span::ALL.start(), Span::ALL.end())]),
    };
    let allowed = |time: i64| time.clamp(Span::ALL.start(), Span::ALL.end());
    let (start, end) = (allowed(start), allowed(end));
    Span::new(start.min(end), start.max(end)).expect("a span in order")
}
