//! Numbers of units that orders do not carry: residents, households, buildings.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use serde::Serialize;

use super::Fraction;
use crate::store::Snapshot;
use crate::tree::{Node, Tree};

/// Dated numbers of units, to be put below the line of a rate: orders per 10,000 residents.
///
/// A number holds from its date until the next one of the same unit. A unit without a number of its own has the sum of its
/// children's, where every one of them has one: a part of the residents under all of the orders would make a wrong rate.
#[derive(Debug, Clone)]
pub struct Attributes {
    place: Tree,
    /// By name and unit: from when on, and how many; in time.
    values: BTreeMap<String, HashMap<Node, Vec<(i64, u64)>>>,
}

/// A number of a unit, and how old it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Attribute {
    /// The number.
    pub value: u64,
    /// Since when it holds, in seconds since 1970: of a sum, the oldest of its parts.
    pub since: i64,
}

impl Attribute {
    /// So many orders for each `per` of the number: `rate(379, 10_000)` of 38,410 residents is 98.67. None over 0.
    #[must_use]
    pub fn rate(&self, orders: u64, per: u64) -> Option<Fraction> {
        match i128::from(orders).checked_mul(per.into()) {
            Some(orders) => Fraction::new(orders, self.value.into()),
            None => (Fraction::from(orders) * Fraction::from(per)).over(&Fraction::from(self.value)),
        }
    }
}

impl Attributes {
    /// No numbers yet, for the units that a snapshot knows.
    #[must_use]
    pub fn new(snapshot: &Snapshot) -> Self {
        Self { place: snapshot.place().clone(), values: BTreeMap::new() }
    }

    /// Sets a number of a unit from a time on. One with the same time is replaced.
    pub fn set(&mut self, name: impl Into<String>, unit: Node, since: i64, value: u64) {
        let dated = self.values.entry(name.into()).or_default().entry(unit).or_default();
        match dated.binary_search_by_key(&since, |(since, _)| *since) {
            Ok(at) => dated[at].1 = value,
            Err(at) => dated.insert(at, (since, value)),
        }
    }

    /// The number that holds for a unit at a time: its own, or else the sum of its children's. None where there is none, or not
    /// yet: nothing is carried back.
    #[must_use]
    pub fn get(&self, name: &str, unit: Node, at: i64) -> Option<Attribute> {
        self.sum(self.values.get(name)?, unit, at)
    }

    fn sum(&self, values: &HashMap<Node, Vec<(i64, u64)>>, unit: Node, at: i64) -> Option<Attribute> {
        let own = values.get(&unit).and_then(|dated| dated.iter().rfind(|(since, _)| *since <= at));
        if let Some((since, value)) = own {
            return Some(Attribute { value: *value, since: *since });
        }
        let add = |a: Attribute, b: Attribute| {
            Some(Attribute { value: a.value.checked_add(b.value)?, since: a.since.min(b.since) })
        };
        let mut parts = self.place.children(Some(unit)).map(|child| self.sum(values, child, at));
        let first = parts.next()??;
        parts.try_fold(first, |sum, part| add(sum, part?))
    }

    /// The names of the numbers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

#[cfg(feature = "import")]
mod read {
    use std::io::Read;

    use super::super::sheet::Sheet;
    use super::Attributes;
    use crate::error::{Error, Result};
    use crate::filter::{NodeRef, resolve};
    use crate::store::Snapshot;

    const UNIT: &str = "unit";
    const SINCE: &str = "since";

    impl Attributes {
        /// Reads numbers from CSV in UTF-8: a column `unit` (names from the top joined by `/`, or `code:CODE`), a column `since`
        /// (a date), and one column for each attribute, which may be empty.
        ///
        /// ```text
        /// unit,since,residents,households
        /// 北京市/朝阳区/望京街道,2020-11-01,152847,61022
        /// code:110105026,2010-11-01,131204,
        /// ```
        ///
        /// # Errors
        /// [`Error::Invalid`] with the line of the first row that cannot be read or whose unit the snapshot does not know.
        pub fn from_csv(snapshot: &Snapshot, csv: impl Read) -> Result<Self> {
            let sheet = Sheet::open("attributes", csv)?;
            let (unit_at, since_at) = (sheet.column(UNIT)?, sheet.column(SINCE)?);
            let names = sheet.names().to_vec();
            let mut attributes = Self::new(snapshot);
            sheet.each(|row| {
                let field = |at: usize| row.get(at).unwrap_or_default();
                let said = |error: Error| error.to_string();
                let unit = resolve(snapshot.place(), &NodeRef::parse(field(unit_at))).map_err(said)?;
                let since = snapshot.calendar().parse(field(since_at)).map_err(said)?;
                let numbers = names.iter().enumerate().filter(|(at, _)| *at != unit_at && *at != since_at);
                for (at, name) in numbers.filter(|(at, _)| !field(*at).is_empty()) {
                    let number = field(at).parse();
                    let number = number.map_err(|_| format!("{name} is {:?}, no whole number", field(at)))?;
                    attributes.set(name, unit, since, number);
                }
                Ok(())
            })?;
            Ok(attributes)
        }
    }
}
