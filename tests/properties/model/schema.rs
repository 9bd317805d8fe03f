//! A schema as plain lists.

use zonal::{Filter, PartitionGrain, Schema, Unit};

/// What orders carry. [`Fields::schema`] makes the store's own form of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fields {
    pub(crate) zone: String,
    pub(crate) partition: PartitionGrain,
    pub(crate) place: Vec<String>,
    pub(crate) trees: Vec<(String, Vec<String>)>,
    pub(crate) categories: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) outcomes: Vec<(String, Vec<String>)>,
    pub(crate) counters: Vec<(String, Filter)>,
    pub(crate) stored: Vec<String>,
    pub(crate) between: Vec<Between>,
    pub(crate) clocks: Vec<String>,
    pub(crate) keys: Vec<String>,
    pub(crate) location: bool,
    pub(crate) texts: Vec<String>,
}

/// A measure between two clocks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Between {
    pub(crate) name: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tree,
    Category,
    Tags,
    Outcome,
    Measure,
    Clock,
    Key,
    Location,
    Text,
}

impl Fields {
    /// A schema with nothing but places.
    pub(crate) fn new(zone: &str, place: &[&str]) -> Self {
        Self {
            zone: zone.to_owned(),
            partition: PartitionGrain::Month,
            place: place.iter().map(|level| (*level).to_owned()).collect(),
            trees: Vec::new(),
            categories: Vec::new(),
            tags: Vec::new(),
            outcomes: Vec::new(),
            counters: Vec::new(),
            stored: Vec::new(),
            between: Vec::new(),
            clocks: Vec::new(),
            keys: Vec::new(),
            location: false,
            texts: Vec::new(),
        }
    }

    pub(crate) fn schema(&self) -> Schema {
        let mut builder = Schema::builder(&self.zone).place(&self.place).partition(self.partition);
        for (name, levels) in &self.trees {
            builder = builder.tree(name, levels);
        }
        for name in &self.categories {
            builder = builder.category(name);
        }
        for name in &self.tags {
            builder = builder.tags(name);
        }
        for (name, labels) in &self.outcomes {
            builder = builder.outcome(name, labels);
        }
        for name in &self.stored {
            builder = builder.measure(name);
        }
        for Between { name, from, to, unit } in &self.between {
            builder = builder.measure_between(name, from, to, *unit);
        }
        for name in &self.clocks {
            builder = builder.clock(name);
        }
        for name in &self.keys {
            builder = builder.key(name);
        }
        for name in &self.texts {
            builder = builder.text(name);
        }
        if self.location {
            builder = builder.location();
        }
        for (name, filter) in &self.counters {
            builder = builder.counter(name, filter.clone());
        }
        builder.build().expect("a schema that makes sense")
    }

    /// Every field and its kind.
    pub(crate) fn all(&self) -> Vec<(String, Kind)> {
        let mut all = vec![("place".to_owned(), Kind::Tree), ("created".to_owned(), Kind::Clock)];
        all.extend(self.trees.iter().map(|(name, _)| (name.clone(), Kind::Tree)));
        all.extend(self.categories.iter().map(|name| (name.clone(), Kind::Category)));
        all.extend(self.tags.iter().map(|name| (name.clone(), Kind::Tags)));
        all.extend(self.outcomes.iter().map(|(name, _)| (name.clone(), Kind::Outcome)));
        all.extend(self.stored.iter().map(|name| (name.clone(), Kind::Measure)));
        all.extend(self.between.iter().map(|measure| (measure.name.clone(), Kind::Measure)));
        all.extend(self.clocks.iter().map(|name| (name.clone(), Kind::Clock)));
        all.extend(self.keys.iter().map(|name| (name.clone(), Kind::Key)));
        all.extend(self.location.then(|| ("location".to_owned(), Kind::Location)));
        all.extend(self.texts.iter().map(|name| (name.clone(), Kind::Text)));
        all
    }

    /// The names of the fields of one kind.
    pub(crate) fn of_kind(&self, kind: Kind) -> Vec<String> {
        self.all().into_iter().filter(|(_, known)| *known == kind).map(|(name, _)| name).collect()
    }

    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        self.all().into_iter().find(|(known, _)| known == name).map(|(_, kind)| kind)
    }

    pub(crate) fn labels(&self, outcome: &str) -> Option<&[String]> {
        self.outcomes.iter().find(|(name, _)| name == outcome).map(|(_, labels)| labels.as_slice())
    }

    pub(crate) fn counter(&self, name: &str) -> Option<&Filter> {
        self.counters.iter().find(|(known, _)| known == name).map(|(_, filter)| filter)
    }
}
