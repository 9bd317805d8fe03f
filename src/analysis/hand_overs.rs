//! Who handed orders on to whom.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::order::{Order, Value};
use crate::schema::Field;
use crate::store::{Store, Version};

/// An order that has gone from one unit to another, or back to none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HandOver {
    /// The order id.
    pub id: String,
    /// The commit that handed it over.
    pub commit: u64,
    /// When that was known, in seconds since 1970.
    pub known: i64,
    /// The unit that had it: the names of its path, or the one value of a category.
    pub from: Vec<String>,
    /// The unit that it went to; empty where it went back to none.
    pub to: Vec<String>,
    /// Whether that unit had it before: a return.
    pub returned: bool,
}

/// How many orders went from a unit to another: the two, hand-overs, returns among them.
type Flow<'a> = (&'a [String], &'a [String], u64, u64);

impl HandOver {
    /// How many hand-overs there were between any two units, and how many of them were returns; the most first, then by the
    /// units' names.
    #[must_use]
    pub fn flows(all: &[Self]) -> Vec<Flow<'_>> {
        let mut sorted: Vec<&Self> = all.iter().collect();
        sorted.sort_by_key(|one| (&one.from, &one.to));
        let mut flows: Vec<Flow<'_>> = Vec::new();
        for one in sorted {
            let returned = u64::from(one.returned);
            match flows.last_mut().filter(|(from, to, ..)| *from == one.from && *to == one.to) {
                Some((_, _, orders, returns)) => (*orders, *returns) = (*orders + 1, *returns + returned),
                None => flows.push((&one.from, &one.to, 1, returned)),
            }
        }
        flows.sort_by_key(|(_, _, orders, _)| std::cmp::Reverse(*orders));
        flows
    }
}

impl Store {
    /// The orders that changed hands after one commit and up to another, by order and then by commit: whose version of that time
    /// names another unit in a field, a tree or a category of departments, than the version before. The first unit of an order is no
    /// hand-over; one that was removed and came anew starts again.
    ///
    /// What was [forgotten](Self::forget_before) is not known any more, also to tell a return.
    ///
    /// # Errors
    /// As for [`changes`](Self::changes). [`Error::Unknown`] for a field that the schema does not have, [`Error::Invalid`] for one
    /// that is neither tree nor category.
    pub fn hand_overs(&self, field: &str, from: u64, to: u64) -> Result<Vec<HandOver>> {
        let kind = self.snapshot().schema().require(field)?;
        if !matches!(kind, Field::Place | Field::Tree(_) | Field::Category(_)) {
            return Err(Error::invalid("field", format!("{field:?} is neither a tree nor a category")));
        }
        let unit = |order: &Order| -> Vec<String> {
            let path = |steps: &[crate::Step]| steps.iter().map(|step| step.name.clone()).collect();
            match (kind, order.value(field)) {
                (Field::Place, _) => path(order.place_path()),
                (_, Some(Value::Tree(steps))) => path(steps),
                (_, Some(Value::Category(value))) => vec![value.clone()],
                _ => Vec::new(),
            }
        };
        let mut all = Vec::new();
        for id in self.touched(from, to)? {
            let id = id.to_string();
            let versions = self.history(&id)?;
            let mut had: Vec<Vec<String>> = Vec::new();
            let mut before: Option<&Version> = None;
            for version in &versions {
                let (unit, earlier) = (unit(&version.order), before.replace(version));
                if earlier.is_none_or(|earlier| earlier.removed) {
                    had.clear();
                }
                let changed = had.last().filter(|last| **last != unit && !last.is_empty());
                if let Some(last) = changed.filter(|_| from < version.commit && version.commit <= to) {
                    all.push(HandOver {
                        id: id.clone(),
                        commit: version.commit,
                        known: version.known,
                        from: last.clone(),
                        returned: !unit.is_empty() && had.contains(&unit),
                        to: unit.clone(),
                    });
                }
                had.push(unit);
            }
        }
        Ok(all)
    }
}
