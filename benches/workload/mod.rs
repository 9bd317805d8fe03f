//! Synthetic orders in the shape of a Beijing-sized hotline, the same for the same seed: 16 districts, 349
//! streets, 7,535 communities and 120,000 buildings; 17 themes, 200 topics and 1,800 items; skewed as such data are.

use zonal::{Columns, Paths, Result, Schema, any_of, is};

const SHAPE: [usize; 4] = [16, 349, 7_535, 120_000];
const TOPICS: [usize; 3] = [17, 200, 1_800];
const DEPARTMENTS: u32 = 90;
const CHANNELS: [f64; 7] = [0.55, 0.75, 0.85, 0.91, 0.95, 0.98, 1.0];
const KINDS: [f64; 5] = [0.45, 0.80, 0.92, 0.97, 1.0];
const SATISFACTION: [f64; 3] = [0.88, 0.95, 1.0];
const CALLERS: u64 = 6_000_000;
const DAY: f64 = 86_400.0;

/// The first second of 2019 in UTC.
const START: i64 = 1_546_300_800;
/// Seconds in the five years from then on.
const LENGTH: i64 = 1_826 * 86_400;

/// SplitMix64: small, seeded, good enough for shapes.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// In [0, 1).
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn pick(&mut self, cumulative: &[f64]) -> u32 {
        let share = self.share() * cumulative.last().copied().unwrap_or(1.0);
        cumulative.partition_point(|bound| *bound <= share).min(cumulative.len() - 1) as u32
    }
}

/// The trees, and how likely each leaf is.
pub(crate) struct City {
    buildings: Paths,
    topics: Paths,
    /// Per building its community, per item its topic.
    community: Vec<usize>,
    topic: Vec<usize>,
    building_shares: Vec<f64>,
    topic_shares: Vec<f64>,
}

/// For each child its parent, ascending, every parent used.
fn nested(chance: &mut Chance, children: usize, parents: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..parents).collect();
    all.extend((parents..children).map(|_| chance.below(parents as u64) as usize));
    all.sort_unstable();
    all
}

fn cumulative(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}

impl City {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let street = nested(&mut chance, SHAPE[1], SHAPE[0]);
        let community = nested(&mut chance, SHAPE[2], SHAPE[1]);
        let building = nested(&mut chance, SHAPE[3], SHAPE[2]);
        let path = |at: usize| {
            let community_at = building[at];
            let street_at = community[community_at];
            let names = [
                ("district", street[street_at]),
                ("street", street_at),
                ("community", community_at),
                ("building", at),
            ];
            names.map(|(level, number)| format!("{level} {number}"))
        };
        let topic2 = nested(&mut chance, TOPICS[1], TOPICS[0]);
        let topic3 = nested(&mut chance, TOPICS[2], TOPICS[1]);
        let item = |at: usize| {
            let topic_at = topic3[at];
            [("theme", topic2[topic_at]), ("topic", topic_at), ("item", at)]
                .map(|(level, number)| format!("{level} {number}"))
        };
        // Buildings by a Pareto law, items by Zipf's in a random order.
        let pareto = |chance: &mut Chance| (1.0 - chance.share()).powf(-1.0 / 1.2) - 0.95;
        let building_shares =
            cumulative((0..SHAPE[3]).map(|_| pareto(&mut chance)).collect::<Vec<_>>().into_iter());
        let mut zipf: Vec<f64> = (1..=TOPICS[2]).map(|rank| (rank as f64).powf(-0.9)).collect();
        for at in (1..zipf.len()).rev() {
            zipf.swap(at, chance.below(at as u64 + 1) as usize);
        }
        Self {
            buildings: Paths::new((0..SHAPE[3]).map(path)),
            topics: Paths::new((0..TOPICS[2]).map(item)),
            community: building,
            topic: topic3,
            building_shares,
            topic_shares: cumulative(zipf.into_iter()),
        }
    }

    /// So many orders, evenly over a part of the five years, in the order of time; `columns` gives them ids.
    fn orders(
        &self,
        chance: &mut Chance,
        count: usize,
        start: i64,
        length: i64,
        columns: impl FnOnce(Vec<i64>) -> Columns,
    ) -> Columns {
        let mut created: Vec<i64> = (0..count).map(|_| start + chance.below(length as u64) as i64).collect();
        created.sort_unstable();
        let building: Vec<u32> = (0..count).map(|_| chance.pick(&self.building_shares)).collect();
        let item: Vec<u32> = (0..count).map(|_| chance.pick(&self.topic_shares)).collect();
        let department = building.iter().zip(&item).map(|(building, item)| {
            Some((self.topic[*item as usize] * 7 + self.community[*building as usize]) as u32 % DEPARTMENTS)
        });
        let department: Vec<Option<u32>> = department.collect();
        let effective: Vec<bool> = (0..count).map(|_| chance.share() < 0.7).collect();
        let mut answer = |share: f64| -> Vec<Option<u32>> {
            effective.iter().map(|called| called.then(|| u32::from(chance.share() >= share))).collect()
        };
        let (contacted, solved) = (answer(0.985), answer(0.93));
        let satisfied = effective.iter().map(|called| called.then(|| chance.pick(&SATISFACTION))).collect();
        let closed = created
            .iter()
            .map(|time| Some(time - ((1.0 - chance.share()).ln() * 5.0 * DAY) as i64))
            .collect();
        let mut some =
            |cumulative: &[f64]| (0..count).map(|_| Some(chance.pick(cumulative))).collect::<Vec<_>>();
        let (channel, kind) = (some(&CHANNELS), some(&KINDS));
        let caller = (0..count).map(|_| Some(chance.below(CALLERS))).collect();
        let numbers = |count: u32| (0..count).map(|number| number.to_string());
        columns(created)
            .place(&self.buildings, building.into_iter().map(Some).collect())
            .tree("topic", &self.topics, item.into_iter().map(Some).collect())
            .category("department", numbers(DEPARTMENTS), department)
            .category("channel", numbers(CHANNELS.len() as u32), channel)
            .category("kind", numbers(KINDS.len() as u32), kind)
            .outcome("callback", ["effective"], effective.iter().map(|called| called.then_some(0)).collect())
            .outcome("contacted", ["yes", "no"], contacted)
            .outcome("solved", ["yes", "no"], solved)
            .outcome("satisfaction", ["yes", "basically", "no"], satisfied)
            .clock("closed", closed)
            .key("caller", caller)
    }
}

pub(crate) fn schema() -> Result<Schema> {
    Schema::builder("UTC")
        .place(["district", "street", "community", "building"])
        .tree("topic", ["theme", "topic", "item"])
        .category("department")
        .category("channel")
        .category("kind")
        .outcome("callback", ["effective"])
        .outcome("contacted", ["yes", "no"])
        .outcome("solved", ["yes", "no"])
        .outcome("satisfaction", ["yes", "basically", "no"])
        .counter("effective", is("callback", "effective"))
        .counter("contacted", is("contacted", "yes"))
        .counter("solved", is("solved", "yes"))
        .counter("satisfied", is("satisfaction", "yes"))
        .counter("basically", is("satisfaction", "basically"))
        .counter("pleased", any_of("satisfaction", ["yes", "basically"]))
        .clock("closed")
        .measure_between("hours", "created", "closed", zonal::Unit::Hours)
        .key("caller")
        .build()
}

/// So many orders spread evenly over the five years, a month's worth at a time; their ids count from 0.
pub(crate) fn slices(city: &City, orders: usize) -> impl Iterator<Item = Columns> + '_ {
    slices_with(city, orders, |first, created| {
        Columns::numbered((first..first + created.len() as u64).collect(), created)
    })
}

/// The same orders with other ids: `columns` makes those from the first one's number and the times.
pub(crate) fn slices_with<'a>(
    city: &'a City,
    orders: usize,
    columns: impl Fn(u64, Vec<i64>) -> Columns + 'a,
) -> impl Iterator<Item = Columns> + 'a {
    const SLICES: usize = 60;
    let mut chance = Chance::new(orders as u64);
    (0..SLICES).map(move |slice| {
        let first = orders * slice / SLICES;
        let count = orders * (slice + 1) / SLICES - first;
        let length = LENGTH / SLICES as i64;
        let columns = |created| columns(first as u64, created);
        city.orders(&mut chance, count, START + slice as i64 * length, length, columns)
    })
}
