//! What a schema adds to the store's, and in what it contradicts it.
//!
//! A schema grows at its ends: fields are numbered by kind, labels and levels by their place, and what is stored names these
//! numbers. So what is new goes behind what is there, wherever the schema given lists it.

use super::form::{Form, OutcomeForm, TreeForm};

/// A schema held against the store's own.
#[derive(Debug)]
pub(super) struct Growth {
    /// The store's schema with what the other one adds.
    pub(super) grown: Form,
    /// What is added, in words.
    pub(super) added: Vec<String>,
    /// What the schema given changes or lacks, in words.
    pub(super) contradicted: Vec<String>,
}

impl Growth {
    pub(super) fn new(store: &Form, given: &Form) -> Self {
        let mut grown = store.clone();
        let mut growth = Self { grown: store.clone(), added: Vec::new(), contradicted: Vec::new() };
        let debug = |value: &dyn std::fmt::Debug| format!("{value:?}");
        growth.same("the time zone", &store.time_zone, &given.time_zone);
        growth.same("the partition", &debug(&store.partition), &debug(&given.partition));
        match (store.location, given.location) {
            (true, false) => growth.lacks("a location"),
            (false, true) => growth.adds("a location"),
            _ => {}
        }
        grown.location |= given.location;
        growth.names("level", "place", &mut grown.place.levels, &given.place.levels);
        growth.fields("tree", &mut grown.trees, &given.trees, |form| &form.name, Self::tree);
        growth.fields("category", &mut grown.categories, &given.categories, |form| &form.name, Self::equal);
        growth.fields("tags", &mut grown.tags, &given.tags, |form| &form.name, Self::equal);
        growth.fields("outcome", &mut grown.outcomes, &given.outcomes, |form| &form.name, Self::outcome);
        growth.fields("clock", &mut grown.clocks, &given.clocks, |form| &form.name, Self::equal);
        growth.fields("measure", &mut grown.measures, &given.measures, |form| &form.name, Self::equal);
        growth.fields("key", &mut grown.keys, &given.keys, |form| &form.name, Self::equal);
        growth.fields("text", &mut grown.texts, &given.texts, |form| &form.name, Self::equal);
        growth.fields("counter", &mut grown.counters, &given.counters, |form| &form.name, Self::equal);
        growth.grown = grown;
        growth
    }

    /// Everything in which the two differ.
    #[cfg(any(test, feature = "import"))]
    pub(super) fn differences(self) -> Vec<String> {
        self.contradicted.into_iter().chain(self.added).collect()
    }

    fn adds(&mut self, what: &str) {
        self.added.push(format!("the schema given has {what}, the store has not"));
    }

    fn lacks(&mut self, what: &str) {
        self.contradicted.push(format!("the store has {what}, the schema given has not"));
    }

    fn same(&mut self, what: &str, store: &str, given: &str) {
        if store != given {
            self.contradicted.push(format!("{what} is {store} in the store and {given} in the schema given"));
        }
    }

    /// The fields of one kind; what `grow` makes of those that both have.
    fn fields<T: Clone>(
        &mut self,
        kind: &str,
        own: &mut Vec<T>,
        given: &[T],
        name: impl Fn(&T) -> &str,
        grow: impl Fn(&mut Self, &str, &mut T, &T),
    ) {
        for field in own.iter_mut() {
            let what = format!("{kind} {:?}", name(field));
            match given.iter().find(|other| name(other) == name(field)) {
                Some(other) => grow(self, &what, field, other),
                None => self.lacks(&what),
            }
        }
        for field in given {
            if !own.iter().any(|other| name(other) == name(field)) {
                self.adds(&format!("{kind} {:?}", name(field)));
                own.push(field.clone());
            }
        }
    }

    fn equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, own: &mut T, given: &T) {
        if own != given {
            self.same(what, &format!("{own:?}"), &format!("{given:?}"));
        }
    }

    fn tree(&mut self, what: &str, own: &mut TreeForm, given: &TreeForm) {
        self.names("level", what, &mut own.levels, &given.levels);
    }

    fn outcome(&mut self, what: &str, own: &mut OutcomeForm, given: &OutcomeForm) {
        self.names("label", what, &mut own.labels, &given.labels);
    }

    /// Names whose place in the list is their number: they grow at the end.
    fn names(&mut self, kind: &str, of: &str, own: &mut Vec<String>, given: &[String]) {
        match given.strip_prefix(own.as_slice()) {
            Some(new) => {
                new.iter().for_each(|name| self.adds(&format!("{kind} {name:?} of {of}")));
                own.extend_from_slice(new);
            }
            None => self.same(&format!("{kind}s of {of}"), &format!("{own:?}"), &format!("{given:?}")),
        }
    }
}
