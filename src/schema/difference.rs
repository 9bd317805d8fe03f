//! In what two schemas differ.

use super::form::Form;

/// The first difference between the store's schema and another, in words; none when they are the same.
pub(super) fn first(store: &Form, other: &Form) -> Option<String> {
    let debug = |value: &dyn std::fmt::Debug| format!("{value:?}");
    single("time zone", &store.time_zone, &other.time_zone)
        .or_else(|| single("partition", debug(&store.partition), debug(&other.partition)))
        .or_else(|| single("location", debug(&store.location), debug(&other.location)))
        .or_else(|| single("place", debug(&store.place.levels), debug(&other.place.levels)))
        .or_else(|| list("tree", &store.trees, &other.trees, |form| &form.name))
        .or_else(|| list("category", &store.categories, &other.categories, |form| &form.name))
        .or_else(|| list("tags", &store.tags, &other.tags, |form| &form.name))
        .or_else(|| list("outcome", &store.outcomes, &other.outcomes, |form| &form.name))
        .or_else(|| list("clock", &store.clocks, &other.clocks, |form| &form.name))
        .or_else(|| list("measure", &store.measures, &other.measures, |form| &form.name))
        .or_else(|| list("key", &store.keys, &other.keys, |form| &form.name))
        .or_else(|| list("text", &store.texts, &other.texts, |form| &form.name))
        .or_else(|| list("counter", &store.counters, &other.counters, |form| &form.name))
}

fn single(what: &str, store: impl AsRef<str>, other: impl AsRef<str>) -> Option<String> {
    let (store, other) = (store.as_ref(), other.as_ref());
    (store != other).then(|| format!("{what} is {store} in the store and {other} in the schema given"))
}

fn list<T: PartialEq + std::fmt::Debug>(
    kind: &str,
    store: &[T],
    other: &[T],
    name: impl Fn(&T) -> &str,
) -> Option<String> {
    let names = |forms: &[T]| forms.iter().map(|form| name(form).to_owned()).collect::<Vec<_>>();
    let (ours, theirs) = (names(store), names(other));
    if let Some(gone) = ours.iter().find(|name| !theirs.contains(name)) {
        return Some(format!("the store has {kind} {gone:?}, the schema given has not"));
    }
    if let Some(new) = theirs.iter().find(|name| !ours.contains(name)) {
        return Some(format!("the schema given has {kind} {new:?}, the store has not"));
    }
    if ours != theirs {
        return Some(format!(
            "the {kind} fields stand in the order {ours:?} in the store, {theirs:?} in the schema given"
        ));
    }
    let changed = store.iter().zip(other).find(|(ours, theirs)| ours != theirs)?;
    Some(format!(
        "{kind} {:?} is {:?} in the store, {:?} in the schema given",
        name(changed.0),
        changed.0,
        changed.1
    ))
}
