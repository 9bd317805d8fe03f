//! What orders are drawn from: few times, names and ids, all close to an edge.

use zonal::{Grain, Span, Step};

use super::draws::Draws;
use crate::model::{Fields, Wall};

/// Names that a text form, a path or a comparison could trip over.
pub(crate) const NAMES: [&str; 14] = [
    "a",
    "b",
    "c",
    "Mass/Cass",
    "x and y",
    "a|b",
    "or",
    "code:7",
    "say \"hi\"",
    "back\\slash",
    "(not)",
    "朝阳区",
    "007",
    " padded ",
];

const IDS: [&str; 14] = [
    "0",
    "7",
    "007",
    "+7",
    "9999999999",
    "18446744073709551614",
    "18446744073709551615",
    "18446744073709551616",
    "a",
    "A",
    "id with space",
    "0123456789012345678901234567890123456789012345678901234567890123",
    "订单-1",
    "-1",
];

/// The times and codes of one city.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) wall: Wall,
    /// The instant around which most orders lie.
    pub(crate) centre: i64,
    /// Whether nodes have codes.
    coded: Coded,
    /// How many plain names there are at the top.
    tops: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coded {
    Never,
    Always,
    Sometimes,
}

impl World {
    pub(crate) fn new(fields: &Fields, draws: &mut Draws) -> Self {
        let wall = Wall::new(&fields.zone);
        let year = draws.pick(&[2011, 2012, 2024, 1987, 2007, 1900, 2199]);
        let mut edges = wall.changes(year);
        for (month, day) in [(1, 1), (3, 1), (1, 31), (12, 30), (7, 15)] {
            edges.push(wall.first_second(jiff::civil::date(year, month, day)));
        }
        let centre = draws.pick(&edges);
        let coded = draws.pick(&[Coded::Never, Coded::Never, Coded::Always, Coded::Sometimes]);
        Self { wall, centre, coded, tops: draws.pick(&[2, 1, 3]) }
    }

    /// A time, most often near the centre.
    pub(crate) fn time(&self, draws: &mut Draws) -> i64 {
        const DAY: i64 = 86_400;
        let time = match draws.below(16) {
            0..=2 => self.centre,
            3 => self.centre - 1,
            4 => self.centre + 1,
            5 => self.centre + draws.pick(&[-3_600, 3_600, -1_800, 1_800, -7_200]),
            6..=8 => self.centre + draws.signed() % (2 * DAY),
            9 | 10 => self.centre + draws.signed() % 40 * DAY,
            11 => self.centre + draws.signed() % 400 * DAY + draws.signed(),
            // The edges of the steps around.
            12..=14 => {
                let grain = draws.pick(&[Grain::Day, Grain::Month, Grain::Year, Grain::Week]);
                let time = self.centre + draws.signed() % 40 * DAY;
                self.wall.start(grain, time) - i64::from(draws.below(2) == 1)
            }
            _ => match draws.below(8) {
                0 => Span::ALL.start(),
                1 => Span::ALL.end() - 1,
                2 => 0,
                _ => self.centre + draws.signed() % 20 * 365 * DAY,
            },
        };
        time.clamp(Span::ALL.start(), Span::ALL.end() - 1)
    }

    /// A path of up to so many steps: few names, so that orders meet, and often not down to the last level.
    pub(crate) fn path(&self, levels: usize, draws: &mut Draws) -> Vec<Step> {
        let depth = draws.pick(&[levels, levels, levels, 1, 2, 3, 0]).min(levels);
        let mut names: Vec<&str> = Vec::new();
        let mut path = Vec::new();
        for level in 0..depth {
            let choice = draws.below(if level == 0 { self.tops } else { 3 });
            let odd = draws.once_in(if level == 0 { 100 } else { 12 });
            names.push(if odd { draws.pick(&NAMES) } else { ["a", "b", "c"][choice] });
            let code = names.join("/");
            let code = match self.coded {
                Coded::Never => None,
                Coded::Always if draws.once_in(20) => Some(format!("{code}+")),
                Coded::Always => Some(code),
                Coded::Sometimes => (code.len() % 4 == 1 || draws.once_in(20)).then_some(code),
            };
            path.push(Step { name: names[level].to_owned(), code });
        }
        path
    }

    pub(crate) fn name(&self, draws: &mut Draws) -> String {
        (if draws.once_in(4) { draws.pick(&NAMES) } else { draws.pick(&NAMES[..4]) }).to_owned()
    }

    /// An order id: a running number, or something odd.
    pub(crate) fn id(&self, number: usize, draws: &mut Draws) -> String {
        match draws.below(8) {
            7 => draws.pick(&IDS).to_owned(),
            6 => format!("o-{number}"),
            5 => (u64::MAX - number as u64).to_string(),
            _ => (1_000 + number).to_string(),
        }
    }
}
