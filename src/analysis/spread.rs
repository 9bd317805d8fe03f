//! How far a problem reaches: by the levels of the place tree, by the steps of a ladder of topics, by distance, and where on a map.

use hashbrown::HashMap;
use serde::Serialize;

use super::Fraction;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::order::Order;
use crate::query::{At, Figure, Query, RowKind, Targets};
use crate::segment::ColumnId;
use crate::store::Snapshot;

/// The mean radius of the Earth in metres (IUGG).
const EARTH: f64 = 6_371_008.8;
const E7: f64 = 1e7;

/// How far orders reach at a level of the place tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reach {
    /// The level's name.
    pub level: String,
    /// Units of the level that have orders. Where it is 1 the problem has not left the unit.
    pub units: u64,
    /// Orders that lie at or under one of them.
    pub orders: u64,
    /// The share of the largest of these units.
    pub largest: Figure,
}

/// How many orders stand on each step of a ladder of topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ladder {
    /// Orders by step, in the order in which steps were named.
    pub steps: Vec<u64>,
    /// Orders on none of them.
    pub none: u64,
    /// The mean step, the first being 1; none without orders on steps.
    pub mean: Option<Fraction>,
}

/// A cell of a map, with its edges in 10⁻⁷ degrees: the western and the southern edge belong to it, the others to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HotCell {
    /// The western edge.
    pub west: i64,
    /// The southern edge.
    pub south: i64,
    /// Orders whose point lies in the cell.
    pub orders: u64,
}

impl Snapshot {
    /// How far a query's orders reach, level by level from the top: a problem of one building, of some in one street, or of the
    /// city. Remainders have no unit of the level, and are not among its orders.
    ///
    /// # Errors
    /// As for [`run`](Self::run). [`Error::Invalid`] for a query with a grain, dimensions, a top k or subtotals.
    pub fn reach(&self, query: &Query) -> Result<Vec<Reach>> {
        let query = plain(query)?;
        let place = self.place();
        let bases = query.within.iter().map(|base| self.resolve(base)).collect::<Result<Vec<_>>>()?;
        let first = bases.iter().map(|base| place.level_of(*base)).max().unwrap_or(0);
        let reach = |level: &String| {
            let answer = self.run(&query.clone().level(level))?;
            let targets = answer.rows().filter(|row| row.kind() == RowKind::Target && row.count() > 0);
            let counts: Vec<u64> = targets.map(|row| row.count()).collect();
            let orders = counts.iter().sum();
            let largest =
                Figure::Ratio { numerator: counts.iter().copied().max().unwrap_or(0), denominator: orders };
            Ok(Reach { level: level.clone(), units: counts.len() as u64, orders, largest })
        };
        place.levels().iter().skip(first).map(reach).collect()
    }

    /// On which steps of a ladder a query's orders stand: the values of a category, or the names of the nodes of a tree's level, from
    /// the lowest step up, such as basic, essential, developing, quality.
    ///
    /// # Errors
    /// As for [`run`](Self::run). [`Error::Invalid`] for a query with a grain, dimensions, a top k or subtotals, for a name that comes
    /// twice, and for tags.
    pub fn ladder(&self, query: &Query, field: &str, level: Option<&str>, steps: &[&str]) -> Result<Ladder> {
        let query = Query { targets: Targets::Bases, ..plain(query)? };
        if let Some((_, twice)) =
            (1..).zip(steps).find(|(after, step)| steps.iter().skip(*after).any(|s| s == *step))
        {
            return Err(Error::invalid("ladder", format!("{twice:?} is two steps; name it once")));
        }
        let query = match level {
            Some(level) => query.by_level(field, level),
            None => query.by(field),
        };
        query.groupings(self)?;
        let mut ladder = Ladder { steps: vec![0; steps.len()], none: 0, mean: None };
        for row in self.run(&query)?.rows() {
            let group = row.group(field).filter(|group| !group.is_remainder());
            let at = group.and_then(|group| steps.iter().position(|step| Some(*step) == group.value()));
            *at.and_then(|at| ladder.steps.get_mut(at)).unwrap_or(&mut ladder.none) += row.count();
        }
        let weighed: u64 = ladder.steps.iter().zip(1..).map(|(orders, step)| orders * step).sum();
        ladder.mean = Fraction::from(weighed).over(&Fraction::from(ladder.steps.iter().sum::<u64>()));
        Ok(ladder)
    }

    /// The orders of a query within so many metres of a point in degrees, the nearest first, each with its distance in metres; of
    /// equally distant ones the newest first. Orders without a point are not among them.
    ///
    /// Distances are great circles on a sphere with the Earth's mean radius: about half a percent from those on the ellipsoid at most.
    ///
    /// # Errors
    /// As for [`run`](Self::run). [`Error::Invalid`] for a point that is none.
    pub fn nearest(
        &self,
        query: &Query,
        (longitude, latitude): (f64, f64),
        metres: f64,
    ) -> Result<Vec<(f64, Order)>> {
        self.require_points()?;
        if !(-180.0..=180.0).contains(&longitude) || !(-90.0..=90.0).contains(&latitude) {
            return Err(Error::invalid("point", "longitude lies within 180 degrees, latitude within 90"));
        }
        let mut found: Vec<(f64, At)> = Vec::new();
        let query = query.clone().filter(around(longitude, latitude, metres));
        self.visit(&query, &[ColumnId::Longitude, ColumnId::Latitude], |at, values| {
            let degrees = |value: &i64| i32::try_from(*value).map(|value| f64::from(value) / E7);
            if let [east, north] = values
                && let (Ok(east), Ok(north)) = (degrees(east), degrees(north))
            {
                let away = distance((longitude, latitude), (east, north));
                if away <= metres {
                    found.push((away, at));
                }
            }
        })?;
        let orders = found.into_iter().map(|(away, at)| Ok((away, self.order_at(at)?)));
        let mut orders = orders.collect::<Result<Vec<(f64, Order)>>>()?;
        orders.sort_by(|(a, first), (b, second)| {
            a.total_cmp(b).then_with(|| second.created().seconds().cmp(&first.created().seconds()))
        });
        Ok(orders)
    }

    /// The `n` cells of a grid with the most orders of a query: cells of this many 10⁻⁷ degrees from west to east and from south to
    /// north, counted from longitude and latitude 0. Of cells with as many orders, the more southern comes first, then the more
    /// western. 0.01 degrees are 1,113 metres from south to north, and that times the cosine of the latitude from west to east.
    ///
    /// # Errors
    /// As for [`run`](Self::run). [`Error::Invalid`] for a cell without extent.
    pub fn hot_cells(&self, query: &Query, (width, height): (u32, u32), n: usize) -> Result<Vec<HotCell>> {
        self.require_points()?;
        if width == 0 || height == 0 {
            return Err(Error::invalid("grid", "a cell has a width and a height, in 10⁻⁷ degrees"));
        }
        let (width, height) = (i64::from(width), i64::from(height));
        let mut cells: HashMap<(i64, i64), u64> = HashMap::new();
        self.visit(query, &[ColumnId::Longitude, ColumnId::Latitude], |_, values| {
            if let [longitude, latitude] = values
                && i32::try_from(*longitude).is_ok()
                && i32::try_from(*latitude).is_ok()
            {
                let cell = (latitude.div_euclid(height), longitude.div_euclid(width));
                *cells.entry(cell).or_default() += 1;
            }
        })?;
        let mut cells: Vec<_> = cells.into_iter().collect();
        cells.sort_unstable_by_key(|(cell, orders)| (std::cmp::Reverse(*orders), *cell));
        let cell = |((south, west), orders)| HotCell { west: west * width, south: south * height, orders };
        Ok(cells.into_iter().take(n).map(cell).collect())
    }
}

impl Snapshot {
    fn require_points(&self) -> Result<()> {
        if self.schema().location {
            return Ok(());
        }
        Err(Error::invalid("query", "the schema has no location; orders have no points"))
    }
}

/// The great circle between two points in degrees, in metres (haversine; Sinnott 1984).
fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
    let cosines = a.1.to_radians().cos() * b.1.to_radians().cos();
    let haversine = half(a.1, b.1) + cosines * half(a.0, b.0);
    2.0 * EARTH * haversine.clamp(0.0, 1.0).sqrt().asin()
}

/// A box that holds a circle, with some room; everything where that reaches a pole or the other side of the date line.
fn around(longitude: f64, latitude: f64, metres: f64) -> Filter {
    let reach = (metres.max(0.0) / EARTH).to_degrees() * 1.001 + 1e-6;
    let (south, north) = (latitude - reach, latitude + reach);
    // Where the circle is widest it touches meridians this far away.
    let wide = (reach.to_radians().sin() / latitude.to_radians().cos()).asin().to_degrees() + 1e-6;
    let (west, east) = (longitude - wide, longitude + wide);
    if !(reach < 90.0 && south > -90.0 && north < 90.0 && west > -180.0 && east < 180.0) {
        return Filter::All;
    }
    #[expect(clippy::cast_possible_truncation, reason = "degrees within 180 fit")]
    let e7 = |degrees: f64| (degrees * E7) as i32;
    Filter::Within { west: e7(west), south: e7(south), east: e7(east), north: e7(north) }
}

fn plain(query: &Query) -> Result<Query> {
    if query.grain.is_some() || !query.by.is_empty() || query.top.is_some() || query.between {
        return Err(Error::invalid("query", "it is cut by itself: no grain, dimensions, top k or subtotals"));
    }
    Ok(Query { metrics: Vec::new(), all_units: false, ..query.clone() })
}
