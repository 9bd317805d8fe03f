//! Orders that go from hand to hand, against a list of who had them when.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use zonal::{HandOver, Order, Patch, Schema, Store};

/// What a commit does to an order: gives it to a unit, takes it from all, changes something else, or removes it.
#[derive(Debug, Clone, Copy)]
enum Move {
    To(u8),
    Back,
    Else,
    Remove,
}

fn moves() -> impl Strategy<Value = Vec<Vec<(u8, Move)>>> {
    let one = prop_oneof![
        5 => (0..3_u8).prop_map(Move::To),
        1 => Just(Move::Back),
        1 => Just(Move::Else),
        1 => Just(Move::Remove),
    ];
    vec(vec((0..4_u8, one), 1..4), 1..12)
}

/// The names of a unit: two of them lie under one parent.
fn names(unit: u8) -> Vec<String> {
    let path: &[&str] = [&["a"][..], &["a", "b"], &["c"]][usize::from(unit)];
    path.iter().map(|name| (*name).to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::answers::config(300).cases))]

    #[test]
    fn hand_overs_are_those_of_the_list(commits in moves(), from in 0..12_u64, to in 0..13_u64, seal in 0..5_usize) {
        let schema = Schema::builder("UTC").place(["city"]).tree("department", ["bureau", "office"]).measure("n");
        let store = Store::in_memory(schema.build().expect("a schema")).expect("a store");
        // By order: the unit at the end of each commit that touched it since it came, with the number of the commit.
        let mut lives: BTreeMap<u8, Vec<(u64, Vec<String>)>> = BTreeMap::new();
        let mut expected = Vec::new();
        for (number, moves) in commits.iter().enumerate() {
            let commit_number = number as u64 + 1;
            let mut commit = store.begin().known_at(commit_number as i64 * 100);
            let mut touched = BTreeMap::new();
            for (id, made) in moves {
                // One move an order and commit: what lies within a commit is no version.
                if touched.insert(*id, ()).is_some() {
                    continue;
                }
                let name = id.to_string();
                let life = lives.entry(*id).or_default();
                let was = life.last().map(|(_, unit)| unit.clone());
                let unit = match (made, &was) {
                    (Move::Remove, Some(_)) => {
                        commit.remove(&name);
                        life.clear();
                        continue;
                    }
                    (Move::Remove | Move::Back | Move::Else, None) => continue,
                    (Move::To(unit), _) => names(*unit),
                    (Move::Back, Some(_)) => Vec::new(),
                    (Move::Else, Some(unit)) => unit.clone(),
                };
                match (made, &was) {
                    (_, None) => commit.upsert(Order::new(&name, 0).place(["x"]).tree("department", unit.clone())),
                    (Move::Back, _) => commit.patch(&name, Patch::new().clear("department")),
                    (Move::Else, _) => commit.patch(&name, Patch::new().measure("n", commit_number as i64)),
                    _ => commit.patch(&name, Patch::new().tree("department", unit.clone())),
                }
                if let Some(was) = was.filter(|was| *was != unit && !was.is_empty()) {
                    let returned = life.iter().any(|(_, had)| *had == unit && !unit.is_empty());
                    expected.push((*id, commit_number, was, unit.clone(), returned));
                }
                life.push((commit_number, unit));
            }
            commit.finish().expect("a commit");
            match seal {
                1 => store.flush().expect("a flush"),
                2 if number % 3 == 2 => store.compact().expect("a compaction"),
                _ => {}
            }
        }
        let last = store.snapshot().commit();
        let (from, to) = (from.min(last), to.min(last));
        if from > to {
            prop_assert!(store.hand_overs("department", from, to).is_err());
            return Ok(());
        }
        expected.retain(|(_, commit, ..)| from < *commit && *commit <= to);
        expected.sort();
        let found = store.hand_overs("department", from, to).expect("commits that were made");
        let told: Vec<_> = found
            .iter()
            .map(|one| {
                assert_eq!(one.known, one.commit as i64 * 100);
                (one.id.parse::<u8>().expect("a number"), one.commit, one.from.clone(), one.to.clone(), one.returned)
            })
            .collect();
        prop_assert_eq!(&told, &expected);
        let flows = HandOver::flows(&found);
        prop_assert_eq!(flows.iter().map(|(.., orders, _)| orders).sum::<u64>(), expected.len() as u64);
        prop_assert!(flows.is_sorted_by(|a, b| a.2 >= b.2));
        for (from, to, orders, returned) in flows {
            let of = expected.iter().filter(|(_, _, was, unit, _)| was == from && unit == to);
            let counts = (of.clone().count() as u64, of.filter(|(.., returned)| *returned).count() as u64);
            prop_assert_eq!((orders, returned), counts);
        }
    }
}

#[test]
fn only_units_hand_over() {
    let schema =
        Schema::builder("UTC").place(["city"]).category("department").measure("n").build().expect("a schema");
    let store = Store::in_memory(schema).expect("a store");
    assert!(store.hand_overs("n", 0, 0).is_err());
    assert!(store.hand_overs("departments", 0, 0).is_err());
    assert!(store.hand_overs("department", 0, 1).is_err());
    assert_eq!(store.hand_overs("department", 0, 0).expect("a category"), []);
}
