//! Building a schema in code.

use super::form::{
    CounterForm, Form, MeasureForm, NameForm, OutcomeForm, PlaceForm, TreeForm, default_partition,
};
use super::{Schema, Unit};
use crate::calendar::PartitionGrain;
use crate::error::Result;
use crate::filter::Filter;

/// Builds a [`Schema`]; started by [`Schema::builder`], checked as a whole by [`build`](Self::build).
#[derive(Debug, Clone)]
#[must_use]
pub struct SchemaBuilder {
    form: Form,
}

fn all(names: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    names.into_iter().map(Into::into).collect()
}

impl SchemaBuilder {
    pub(super) fn new(time_zone: String) -> Self {
        Self {
            form: Form {
                time_zone,
                partition: default_partition(),
                location: false,
                place: PlaceForm { levels: Vec::new() },
                trees: Vec::new(),
                categories: Vec::new(),
                tags: Vec::new(),
                outcomes: Vec::new(),
                clocks: Vec::new(),
                measures: Vec::new(),
                keys: Vec::new(),
                texts: Vec::new(),
                counters: Vec::new(),
            },
        }
    }

    /// The levels of the place tree, from the top: 1 to 8.
    pub fn place(mut self, levels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.form.place.levels = all(levels);
        self
    }

    /// A further tree (topic, department) and its levels from the top: 1 to 16. By the first one orders are sorted within their unit, so
    /// it is to be the one that is asked for most: as a rule, topic.
    pub fn tree(
        mut self,
        name: impl Into<String>,
        levels: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.form.trees.push(TreeForm { name: name.into(), levels: all(levels) });
        self
    }

    /// A flat dimension with one value an order.
    pub fn category(mut self, name: impl Into<String>) -> Self {
        self.form.categories.push(NameForm { name: name.into() });
        self
    }

    /// A flat dimension with any number of values an order.
    pub fn tags(mut self, name: impl Into<String>) -> Self {
        self.form.tags.push(NameForm { name: name.into() });
        self
    }

    /// An outcome and its labels, at most 15; an order has one of them or none.
    pub fn outcome(
        mut self,
        name: impl Into<String>,
        labels: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.form.outcomes.push(OutcomeForm { name: name.into(), labels: all(labels) });
        self
    }

    /// A counter: the orders that a filter over outcomes and categories keeps, counted ahead in every segment.
    pub fn counter(mut self, name: impl Into<String>, filter: Filter) -> Self {
        self.form.counters.push(CounterForm { name: name.into(), filter: filter.to_string() });
        self
    }

    /// A measure given with each order: any integer but `i64::MIN`.
    pub fn measure(mut self, name: impl Into<String>) -> Self {
        self.form.measures.push(MeasureForm { name: name.into(), between: None, unit: None });
        self
    }

    /// A measure computed from two clocks: from the first to the second in whole units, rounded down; missing
    /// where one of them is.
    pub fn measure_between(
        mut self,
        name: impl Into<String>,
        from: impl Into<String>,
        to: impl Into<String>,
        unit: Unit,
    ) -> Self {
        let between = Some([from.into(), to.into()]);
        self.form.measures.push(MeasureForm { name: name.into(), between, unit: Some(unit) });
        self
    }

    /// A clock beside `created`.
    pub fn clock(mut self, name: impl Into<String>) -> Self {
        self.form.clocks.push(NameForm { name: name.into() });
        self
    }

    /// A key: an opaque 64-bit identity for distinct counts.
    pub fn key(mut self, name: impl Into<String>) -> Self {
        self.form.keys.push(NameForm { name: name.into() });
        self
    }

    /// Orders may have a point.
    pub fn location(mut self) -> Self {
        self.form.location = true;
        self
    }

    /// A text that is stored and given back.
    pub fn text(mut self, name: impl Into<String>) -> Self {
        self.form.texts.push(NameForm { name: name.into() });
        self
    }

    /// The step of `created` that makes one partition; a month without this call.
    pub fn partition(mut self, grain: PartitionGrain) -> Self {
        self.form.partition = grain;
        self
    }

    /// Checks everything and gives the schema.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) or [`Error::Unknown`](crate::Error::Unknown) names the first
    /// field that does not make sense.
    pub fn build(self) -> Result<Schema> {
        self.form.try_into()
    }
}
