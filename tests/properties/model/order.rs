//! Orders as the model keeps them, and what it refuses.

use std::collections::BTreeMap;

use zonal::{Moment, Order, Span, Unit, Value};

use super::schema::{Between, Kind};
use super::{Fault, Model};

/// An order that the store holds.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    /// As the store gives it back.
    pub(crate) order: Order,
    pub(crate) created: i64,
    /// Its nodes by tree; `place` is one.
    pub(crate) nodes: BTreeMap<String, usize>,
}

impl Fact {
    pub(crate) fn node(&self, tree: &str) -> Option<usize> {
        self.nodes.get(tree).copied()
    }

    /// The value of a category or an outcome.
    pub(crate) fn label(&self, field: &str) -> Option<&str> {
        match self.order.value(field)? {
            Value::Category(value) | Value::Outcome(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn tags(&self, field: &str) -> &[String] {
        match self.order.value(field) {
            Some(Value::Tags(tags)) => tags,
            _ => &[],
        }
    }

    pub(crate) fn clock(&self, name: &str) -> Option<i64> {
        match self.order.value(name) {
            _ if name == "created" => Some(self.created),
            Some(Value::Clock(time)) => time.seconds(),
            _ => None,
        }
    }

    pub(crate) fn key(&self, name: &str) -> Option<u64> {
        match self.order.value(name) {
            Some(Value::Key(key)) => Some(*key),
            _ => None,
        }
    }
}

impl Model {
    /// The value of a measure, stored or computed.
    pub(crate) fn measure(&self, fact: &Fact, name: &str) -> Option<i64> {
        if let Some(Between { from, to, unit, .. }) =
            self.fields.between.iter().find(|measure| measure.name == name)
        {
            let seconds = match unit {
                Unit::Seconds => 1,
                Unit::Minutes => 60,
                Unit::Hours => 3_600,
                Unit::Days => 86_400,
                other => panic!("a new unit, {other:?}: teach the model"),
            };
            return Some((fact.clock(to)? - fact.clock(from)?).div_euclid(seconds));
        }
        match fact.order.value(name) {
            Some(Value::Measure(value)) => Some(*value),
            _ => None,
        }
    }

    /// Takes an order in, and says in what form the store keeps it. An order that does not fit changes nothing.
    pub(super) fn take_in(&mut self, order: &Order) -> Result<Fact, Fault> {
        let mut trial = self.clone();
        let fact = trial.fact(order)?;
        *self = trial;
        Ok(fact)
    }

    fn fact(&mut self, order: &Order) -> Result<Fact, Fault> {
        if !(1..=64).contains(&order.id().len()) {
            return Err(Fault::Invalid);
        }
        let created = self.time(order.created())?;
        let mut nodes = BTreeMap::new();
        let mut kept = Order::new(order.id(), created);
        if let Some(node) = self.place.intern(order.place_path())? {
            nodes.insert("place".to_owned(), node);
            kept = kept.place(self.place.steps(node));
        }
        if let Some((longitude, latitude)) = order.point() {
            self.check_point(longitude, latitude)?;
            kept = kept.location_e7(longitude, latitude);
        }
        for (name, value) in order.values() {
            if let Some(value) = self.value(name, value, &mut nodes)? {
                kept = kept.with(name, value);
            }
        }
        Ok(Fact { order: kept, created, nodes })
    }

    pub(super) fn check_point(&self, longitude: i32, latitude: i32) -> Result<(), Fault> {
        let inside = longitude.unsigned_abs() <= 1_800_000_000 && latitude.unsigned_abs() <= 900_000_000;
        if self.fields.location && inside { Ok(()) } else { Err(Fault::Invalid) }
    }

    /// The form in which a value is kept; none where it says nothing.
    pub(super) fn value(
        &mut self,
        name: &str,
        value: &Value,
        nodes: &mut BTreeMap<String, usize>,
    ) -> Result<Option<Value>, Fault> {
        let stored = self.fields.stored.iter().any(|measure| measure == name);
        match (self.fields.kind(name).ok_or(Fault::Invalid)?, value) {
            (Kind::Tree, Value::Tree(path)) if name != "place" => {
                let tree = self.trees.get_mut(name).expect("a tree of the schema");
                let Some(node) = tree.intern(path)? else { return Ok(None) };
                nodes.insert(name.to_owned(), node);
                Ok(Some(Value::Tree(tree.steps(node))))
            }
            (Kind::Category, Value::Category(value)) => {
                self.remember(name, value)?;
                Ok(Some(Value::Category(value.clone())))
            }
            (Kind::Tags, Value::Tags(tags)) => {
                tags.iter().try_for_each(|tag| self.remember(name, tag))?;
                let known = &self.values[name];
                let kept: Vec<String> = known.iter().filter(|value| tags.contains(value)).cloned().collect();
                Ok((!kept.is_empty()).then_some(Value::Tags(kept)))
            }
            (Kind::Outcome, Value::Outcome(label))
                if self.fields.labels(name).is_some_and(|l| l.contains(label)) =>
            {
                Ok(Some(value.clone()))
            }
            (Kind::Measure, Value::Measure(number)) if stored && *number != i64::MIN => {
                Ok(Some(value.clone()))
            }
            (Kind::Clock, Value::Clock(time)) if name != "created" => {
                Ok(Some(Value::Clock(self.time(time)?.into())))
            }
            (Kind::Key, Value::Key(key)) if *key != 1 << 63 => Ok(Some(value.clone())),
            (Kind::Text, Value::Text(_)) => Ok(Some(value.clone())),
            _ => Err(Fault::Invalid),
        }
    }

    /// Adds a value of a category or a tag where it is new.
    fn remember(&mut self, field: &str, value: &str) -> Result<(), Fault> {
        if !(1..=1024).contains(&value.len()) {
            return Err(Fault::Invalid);
        }
        let known = self.values.get_mut(field).expect("a field of the schema");
        if !known.iter().any(|known| known == value) {
            known.push(value.to_owned());
        }
        Ok(())
    }

    /// The seconds of a time; text is a local date-time.
    pub(super) fn time(&self, moment: &Moment) -> Result<i64, Fault> {
        let seconds = match moment {
            Moment::Seconds(seconds) => *seconds,
            Moment::Text(text) => self.wall.instant(text.parse().map_err(|_| Fault::Invalid)?),
        };
        if Span::ALL.contains(seconds) { Ok(seconds) } else { Err(Fault::Invalid) }
    }
}
