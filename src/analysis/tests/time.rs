//! Comparisons, backlogs and surges.

use super::*;
use crate::{Figure, Grain, Span, count};

/// Orders of one street with these times of creation.
fn created(name: &str, times: &[String]) -> Vec<Order> {
    let order =
        |(at, time): (usize, &String)| Order::new(format!("{name}-{at}"), time.as_str()).place(["城", name]);
    times.iter().enumerate().map(order).collect()
}

/// So many orders on a day.
fn on(day: &str, many: usize) -> Vec<String> {
    vec![format!("{day}T09:00"); many]
}

#[test]
fn over_nothing_there_is_no_growth_but_both_counts() {
    let march = created("甲", &[on("2025-03-05", 3), on("2025-02-05", 2)].concat());
    let new = created("乙", &on("2025-03-07", 4));
    let gone = created("丙", &on("2025-02-07", 1));
    let store = store([march, new, gone].concat());
    let now = store.snapshot();
    let month = |month| now.calendar().month(2025, month).unwrap();
    let query = Query::zoom().level("district").metric(count());
    let comparison = now.compare(&query, month(3), month(2)).unwrap();
    let rows: Vec<_> = comparison
        .rows()
        .map(|row| {
            let growth = row.growth(&count()).map(|growth| growth.to_string());
            (
                row.path().names()[1].to_owned(),
                row.figures(&count()),
                row.difference(&count()).unwrap().to_string(),
                growth,
            )
        })
        .collect();
    let pair = |now, before| (Figure::Count(now), Figure::Count(before));
    let expected = [
        ("甲".to_owned(), pair(3, 2), "1".to_owned(), Some("1/2".to_owned())),
        ("乙".to_owned(), pair(4, 0), "4".to_owned(), None),
        ("丙".to_owned(), pair(0, 1), "-1".to_owned(), Some("-1".to_owned())),
    ];
    assert_eq!(rows, expected);
    assert!(now.compare(&query.clone().top(1), month(3), month(2)).is_err());

    let turnover = comparison.turnover(&count(), 2);
    let names =
        |rows: &[Compared<'_>]| rows.iter().map(|row| row.path().names()[1].to_owned()).collect::<Vec<_>>();
    assert_eq!(
        [names(&turnover.entered), names(&turnover.stayed), names(&turnover.left)],
        [["乙"], ["甲"], ["丙"]]
    );
}

#[test]
fn steps_lie_beside_steps() {
    let store =
        store(created("甲", &[on("2025-03-01", 1), on("2025-03-31", 5), on("2025-02-01", 2)].concat()));
    let now = store.snapshot();
    let month = |month| now.calendar().month(2025, month).unwrap();
    let query = Query::zoom().grain(Grain::Day).metric(count());
    let comparison = now.compare(&query, month(3), month(2)).unwrap();
    let counts = |at: usize| comparison.rows().nth(at).unwrap().figures(&count());
    assert_eq!(comparison.rows().len(), 31);
    assert_eq!(counts(0), (Figure::Count(1), Figure::Count(2)));
    assert_eq!(counts(30), (Figure::Count(5), Figure::Count(0)));
    assert!(comparison.rows().nth(30).unwrap().before().is_none());
}

#[test]
fn a_surge_stands_out_of_its_own_past() {
    // Thursdays with 2, 3, 1, 2, 4, 2, 3 and 3 orders (mean 2.5, variance 6/7 and so Poisson), then one with 9.
    let weeks = ["04-24", "04-17", "04-10", "04-03", "03-27", "03-20", "03-13", "03-06"];
    let mut times: Vec<String> = weeks
        .iter()
        .zip([2, 3, 1, 2, 4, 2, 3, 3])
        .flat_map(|(day, many)| on(&format!("2025-{day}"), many))
        .collect();
    times.extend(on("2025-05-01", 9));
    // The seven days that end three days before: 1, 2, 1, 2, 1, 2 (April 22nd to 28th, with 2 on the 24th).
    for (day, many) in [("04-22", 1), ("04-23", 2), ("04-25", 1), ("04-26", 2), ("04-27", 1), ("04-28", 2)] {
        times.extend(on(&format!("2025-{day}"), many));
    }
    // The days just before, and all later ones, change nothing.
    times.extend([on("2025-04-29", 50), on("2025-05-02", 50)].concat());
    let quiet = created("乙", &on("2025-05-01", 4));
    let store = store([created("甲", &times), quiet].concat());
    let now = store.snapshot();
    let day = now.calendar().parse("2025-05-01T18:00").unwrap();
    let query = Query::zoom().level("district");
    let surges = now.surges(&query, day, 4).unwrap();
    let found: Vec<_> = surges.rows().collect();
    assert_eq!(found.iter().map(|row| row.path().names()[1]).collect::<Vec<_>>(), ["乙", "甲"]);
    let near =
        |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-9, "{found}, not {expected}");
    // P(X ≥ 9) of a Poisson with mean 2.5 and P(X ≥ 4) of one with mean 1/16, summed with sixty digits.
    near(found[1].probability(), 1.140252832604e-03);
    near(found[0].probability(), 6.048069929996e-07);
    assert_eq!((found[1].observed(), found[1].expected()), (9, 2.5));
    // Mean 11/7, variance 2/7.
    near(found[1].c2().unwrap(), (9.0 - 11.0 / 7.0) / (2.0_f64 / 7.0).sqrt());
    assert_eq!(found[0].c2(), None);
    assert_eq!(now.surges(&query, day, 5).unwrap().rows().len(), 1);
    assert!(now.surges(&query.grain(Grain::Day), day, 4).is_err());
}

#[test]
fn an_order_is_open_until_it_is_closed() {
    let schema =
        Schema::builder("America/New_York").place(["city"]).clock("closed").clock("due").build().unwrap();
    let store = Store::in_memory(schema).unwrap();
    let mut commit = store.begin();
    let order = |id: &str, created: &str| Order::new(id, created).place(["Boston"]);
    commit.upsert(order("1", "2011-11-05T23:00").clock("closed", "2011-11-07").clock("due", "2011-11-06"));
    commit.upsert(order("2", "2011-11-06T12:00").clock("due", "2011-11-07T12:00"));
    commit.upsert(order("3", "2011-10-01").clock("closed", "2011-10-02"));
    commit.finish().unwrap();
    let now = store.snapshot();
    let days =
        Span::new(now.calendar().parse("2011-11-05").unwrap(), now.calendar().parse("2011-11-08").unwrap());
    let query = Query::zoom().within(["Boston"]).during(days.unwrap());
    let backlog = Backlog::new("closed").due("due", 12).ages([1]);
    let curve = backlog.curve(&now, &query.clone().grain(Grain::Day)).unwrap();
    let rows: Vec<_> = curve.iter().map(|day| (day.opened, day.closed, day.open)).collect();
    // Midnight is open still: what closes at the first second of the 7th closes on the 7th.
    assert_eq!(rows, [(1, 0, 1), (1, 0, 2), (0, 1, 1)]);
    assert_eq!(curve[1].step.end() - curve[1].step.start(), 25 * 3600);
    let at = now.calendar().parse("2011-11-07").unwrap();
    let everything = Query::zoom();
    let pending = backlog.at(&now, &everything, at).unwrap();
    let row = &pending[0];
    // The closing second itself: order 1 is open before it, and not from it on.
    assert_eq!((row.open, row.overdue, row.due_soon, row.ages.as_slice()), (2, 1, 0, &[1, 1][..]));
    let later = backlog.at(&now, &everything, at + 1).unwrap();
    assert_eq!((later[0].open, later[0].overdue, later[0].due_soon), (1, 0, 1));
    assert!(
        backlog.curve(&now, &query).is_err()
            && backlog.curve(&now, &everything.clone().grain(Grain::Day)).is_err()
    );
    assert!(Backlog::new("closed").ages([3, 1]).at(&now, &everything, at).is_err());
}

#[test]
fn a_cluster_is_the_same_thing_within_some_days() {
    let schema = Schema::builder("Asia/Shanghai")
        .place(["city", "street", "house"])
        .tree("topic", ["theme", "item"])
        .category("channel")
        .build()
        .unwrap();
    let store = Store::in_memory(schema).unwrap();
    let mut commit = store.begin();
    let heating = |id: &str, created: &str, path: &[&str]| {
        Order::new(id, created).place(path.iter().copied()).tree("topic", ["供暖", "温度不达标"])
    };
    commit.upsert(heating("1", "2025-11-01T08:00", &["城", "甲", "1"]));
    commit.upsert(heating("2", "2025-11-03", &["城", "甲", "1"]).category("channel", "phone"));
    commit.upsert(heating("3", "2025-11-07T23:59:59", &["城", "甲", "1"]));
    commit.upsert(heating("4", "2025-11-08", &["城", "甲", "2"]));
    commit.upsert(heating("5", "2025-11-07", &["城", "甲"])); // which house is not known
    commit.upsert(Order::new("6", "2025-11-07").place(["城", "甲", "1"]).tree("topic", ["供暖"]));
    commit.finish().unwrap();
    let now = store.snapshot();
    let query = Query::zoom().level("house").by_level("topic", "item");
    let clusters =
        |moment: &str, least| now.clusters(&query, now.calendar().parse(moment).unwrap(), 7, least).unwrap();
    let of_week = clusters("2025-11-08", 3);
    let found: Vec<_> = of_week.rows().collect();
    assert_eq!(
        found.iter().map(|row| (row.path().to_string(), row.size())).collect::<Vec<_>>(),
        [("城/甲/1".to_owned(), 3)]
    );
    assert_eq!(of_week.share(), Figure::Ratio { numerator: 3, denominator: 5 });
    let orders = now.orders(&found[0].query(), crate::Sort::Newest, 9).unwrap();
    assert_eq!(orders.iter().map(Order::id).collect::<Vec<_>>(), ["3", "2", "1"]);
    // An hour later on the 8th, the first has left the window.
    assert_eq!(clusters("2025-11-08T09:00", 3).rows().len(), 0);
    assert_eq!(clusters("2025-11-08T09:00", 2).rows().len(), 1);
    assert_eq!(clusters("2025-11-08T09:00", 0).rows().len(), 2);

    let by_channel = now
        .clusters(&Query::zoom().by("channel"), now.calendar().parse("2025-11-08").unwrap(), 7, 1)
        .unwrap();
    let sizes: Vec<_> =
        by_channel.rows().map(|row| now.run(&row.query()).unwrap().rows().next().unwrap().count()).collect();
    assert_eq!(sizes, [4, 1]);
    assert!(now.clusters(&query.grain(Grain::Day), 0, 7, 1).is_err());
}

#[test]
fn a_profile_counts_how_often_a_part_came() {
    let schema = Schema::builder("America/New_York").place(["city"]).build().unwrap();
    let store = Store::in_memory(schema).unwrap();
    let mut commit = store.begin();
    // The clock is set back: 01:30 comes twice on November 6th, a Sunday.
    for (id, created) in
        [("1", "2011-11-06T01:30:00-04:00"), ("2", "2011-11-06T01:30:00-05:00"), ("3", "2011-11-07T09:00")]
    {
        commit.upsert(Order::new(id, created).place(["Boston"]));
    }
    commit.finish().unwrap();
    let now = store.snapshot();
    let span =
        Span::new(now.calendar().parse("2011-11-05").unwrap(), now.calendar().parse("2011-11-14").unwrap());
    let query = Query::zoom().during(span.unwrap());
    let season = |cycle, part: u32| {
        let found =
            now.profile(&query, cycle).unwrap().into_iter().find(|season| season.part == part).unwrap();
        (found.orders, found.times, found.mean.map(|mean| mean.to_string()).unwrap_or_default())
    };
    assert_eq!(season(Cycle::HourOfDay, 1), (2, 10, "1/5".to_owned()));
    assert_eq!(season(Cycle::HourOfDay, 9), (1, 9, "1/9".to_owned()));
    assert_eq!(season(Cycle::DayOfWeek, 7), (2, 2, "1".to_owned()));
    assert_eq!(season(Cycle::DayOfWeek, 1), (1, 1, "1".to_owned()));
    assert_eq!(season(Cycle::MonthOfYear, 11), (3, 1, "3".to_owned()));
    assert_eq!(season(Cycle::MonthOfYear, 12), (0, 0, String::new()));
    assert!(now.profile(&query.grain(Grain::Day), Cycle::DayOfWeek).is_err());
}

#[test]
fn a_week_is_compared_with_the_same_weeks_of_past_years() {
    // Two orders in each of the seven weeks around, two years on end, and twelve in the week itself.
    let calendar = crate::Calendar::new("Asia/Shanghai").unwrap();
    let week = calendar.week(2025, 20).unwrap();
    let mut times = Vec::new();
    for back in (49..=55).chain(101..=107) {
        let earlier = calendar.earlier(week, back, Grain::Week, crate::Alignment::SameDates).unwrap();
        times.extend(vec![calendar.format(earlier.start() + 86_400); 2]);
    }
    times.extend(vec![calendar.format(week.start()); 12]);
    times.push("2025-05-01".to_owned()); // a week that is not looked at
    let store = store(created("甲", &times));
    let now = store.snapshot();
    let query = Query::zoom().level("district");
    let surges = now.weekly_surges(&query, week.start() + 3_600, 5).unwrap();
    let found = surges.rows().next().unwrap();
    assert_eq!((found.observed(), found.c2()), (12, None));
    assert!((found.expected() - 2.0).abs() < 1e-9, "{}", found.expected());
    // P(X ≥ 12) of a Poisson with mean 2, summed with sixty digits.
    assert!((found.probability() / 1.36461515961520e-06 - 1.0).abs() < 1e-9, "{}", found.probability());
    let before = calendar.week(2023, 20).unwrap().start();
    assert!(now.weekly_surges(&query, before, 1).is_err());
}
