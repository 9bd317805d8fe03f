//! The tree against a naive one, and what a reader of an error message sees.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const LEVELS: usize = 4;

fn levels() -> Vec<String> {
    (0..LEVELS).map(|level| format!("level {level}")).collect()
}

fn tree() -> Tree {
    Tree::new("place", levels())
}

fn add(tree: &mut Tree, path: &[&str]) -> Node {
    let steps: Vec<Step> = path.iter().map(|name| Step::from(*name)).collect();
    tree.intern_path(&steps).unwrap().unwrap()
}

/// A list of nodes, in the order of their numbers.
#[derive(Debug, Clone, Default)]
struct Naive(Vec<NaiveNode>);

#[derive(Debug, Clone)]
struct NaiveNode {
    parent: Option<usize>,
    name: String,
    code: Option<String>,
}

impl Naive {
    fn children(&self, parent: Option<usize>) -> Vec<usize> {
        (0..self.0.len()).filter(|id| self.0[*id].parent == parent).collect()
    }

    fn preorder(&self, base: Option<usize>) -> Vec<usize> {
        let below = self.children(base).into_iter().flat_map(|child| self.preorder(Some(child)));
        base.into_iter().chain(below).collect()
    }

    /// The ids from the top down to the node.
    fn line(&self, id: usize) -> Vec<usize> {
        let mut line = self.0[id].parent.map(|parent| self.line(parent)).unwrap_or_default();
        line.push(id);
        line
    }

    fn path(&self, id: usize) -> Vec<&str> {
        self.line(id).into_iter().map(|id| &*self.0[id].name).collect()
    }

    /// What [`Tree::intern`] should answer; an error is none.
    fn intern(&mut self, parent: Option<usize>, name: &str, code: Option<&str>) -> Option<usize> {
        let found: Vec<usize> = match code {
            Some(code) => (0..self.0.len()).filter(|id| self.0[*id].code.as_deref() == Some(code)).collect(),
            None => self.children(parent).into_iter().filter(|id| self.0[*id].name == name).collect(),
        };
        match *found {
            [] if parent.is_some_and(|parent| self.line(parent).len() == LEVELS) => None,
            [] => {
                self.0.push(NaiveNode { parent, name: name.to_owned(), code: code.map(str::to_owned) });
                Some(self.0.len() - 1)
            }
            [id] => (self.0[id].parent == parent).then_some(id),
            _ => None,
        }
    }
}

fn check(tree: &Tree, naive: &Naive) {
    let node = |id: usize| Node(id as u32);
    let nodes = |ids: Vec<usize>| ids.into_iter().map(node).collect::<Vec<_>>();
    let level = |id: usize| naive.line(id).len() - 1;
    assert_eq!(tree.len(), naive.0.len());
    assert_eq!(tree.get(naive.0.len() as u32), None);
    for base in std::iter::once(None).chain((0..naive.0.len()).map(Some)) {
        let order = naive.preorder(base);
        assert_eq!(tree.children(base.map(node)).collect::<Vec<_>>(), nodes(naive.children(base)));
        assert_eq!(tree.preorder(base.map(node)).collect::<Vec<_>>(), nodes(order.clone()));
        for wanted in 0..=LEVELS {
            let at_level = order.iter().copied().filter(|id| level(*id) == wanted).collect();
            assert_eq!(tree.descendants(base.map(node), wanted).collect::<Vec<_>>(), nodes(at_level));
        }
    }
    let labels: Vec<u64> = naive.preorder(None).into_iter().map(|id| tree.label(node(id))).collect();
    assert!(labels.is_sorted_by(|a, b| a < b), "labels are in pre-order: {labels:?}");
    for id in 0..naive.0.len() {
        let line = naive.line(id);
        assert_eq!(tree.level_of(node(id)), level(id));
        assert_eq!(tree.parent(node(id)), naive.0[id].parent.map(node));
        assert_eq!(tree.path(node(id)), naive.path(id));
        assert_eq!(tree.code_of(node(id)), naive.0[id].code.as_deref());
        for wanted in 0..=LEVELS {
            assert_eq!(tree.ancestor(node(id), wanted), node(line[wanted.min(line.len() - 1)]));
        }
        for base in 0..naive.0.len() {
            assert_eq!(tree.is_under(node(id), node(base)), line.contains(&base));
            let within =
                tree.label(node(base)) <= tree.label(node(id)) && tree.label(node(id)) < tree.end(node(base));
            assert_eq!(within, line.contains(&base));
        }
        let same_path = (0..naive.0.len()).filter(|other| naive.path(*other) == naive.path(id)).count();
        match tree.find(naive.path(id)) {
            Ok(found) => assert_eq!((found, same_path), (node(id), 1)),
            Err(Error::Ambiguous { candidates, .. }) => assert_eq!(candidates.len(), same_path),
            Err(error) => panic!("{error}"),
        }
        if let Some(code) = &naive.0[id].code {
            assert_eq!(tree.find_code(code).unwrap(), node(id));
        }
    }
}

#[derive(Debug, Clone)]
enum Act {
    /// Under the node that the index picks, or at the top.
    Intern(Option<Index>, &'static str, Option<&'static str>),
    Snapshot,
    /// Goes back to a snapshot: what was added since is thrown away, as by a commit that fails.
    GoBack(Index),
    /// Writes the log as a commit does, from the last time on.
    Log,
}

fn act() -> impl Strategy<Value = Act> {
    let name = prop::sample::select(vec!["a", "b", "c", "d", "/", "街道"]);
    let code = prop::sample::select(vec!["1", "2", "3", "4", "5", "6", "7", "8"]);
    let parent = prop::option::weighted(0.85, any::<Index>());
    prop_oneof![
        20 => (parent, name, prop::option::weighted(0.2, code)).prop_map(|(p, n, c)| Act::Intern(p, n, c)),
        1 => Just(Act::Snapshot),
        1 => any::<Index>().prop_map(Act::GoBack),
        1 => Just(Act::Log),
    ]
}

proptest! {
    #[test]
    fn it_is_the_naive_tree(acts in prop::collection::vec(act(), 0..90)) {
        let (mut tree, mut naive) = (tree(), Naive::default());
        let mut log = log::header();
        let mut logged = 0;
        // Those that hold all that is logged: to the others nothing can go back.
        let mut snapshots = Vec::new();
        let mut older = Vec::new();
        for act in acts {
            match act {
                Act::Intern(parent, name, code) => {
                    let parent = parent.filter(|_| !tree.is_empty()).map(|parent| parent.index(tree.len()));
                    let found = tree.intern(parent.map(|id| Node(id as u32)), name, code);
                    let expected = naive.intern(parent, name, code);
                    prop_assert_eq!(found.as_ref().ok().map(|node| node.0 as usize), expected, "{:?}", found);
                }
                Act::Snapshot => snapshots.push((tree.clone(), naive.clone())),
                Act::GoBack(to) => {
                    if !snapshots.is_empty() {
                        (tree, naive) = to.get(&snapshots).clone();
                    }
                }
                Act::Log => {
                    log.extend(log::encode(&tree, logged));
                    logged = tree.len();
                    older.append(&mut snapshots);
                    snapshots.push((tree.clone(), naive.clone()));
                }
            }
        }
        log.extend(log::encode(&tree, logged));
        check(&log::replay("place", levels(), &log).unwrap(), &naive);
        snapshots.push((tree, naive));
        for (tree, naive) in older.iter().chain(&snapshots) {
            check(tree, naive);
        }
    }

    #[test]
    fn any_bytes_replay_or_are_corrupt(bytes in prop::collection::vec(any::<u8>(), 0..200), whole in any::<bool>()) {
        let log = if whole { [log::header(), bytes].concat() } else { bytes };
        let _ = log::replay("place", levels(), &log);
    }

    /// Records whose crc32 is right, whatever they say.
    #[test]
    fn any_records_replay_or_are_corrupt(
        records in prop::collection::vec((0u8..3, 0u32..4, "[a-c]{0,2}", "[1-9]{0,1}", 0usize..3), 0..8),
    ) {
        let mut log = log::header();
        for (kind, parent, name, code, cut) in records {
            let mut body = parent.to_le_bytes().to_vec();
            for text in [name, code] {
                body.extend((text.len() as u16).to_le_bytes());
                body.extend(text.as_bytes());
            }
            body.truncate(body.len() - cut);
            log.extend(record(kind, &body));
        }
        if let Ok(tree) = log::replay("place", levels(), &log) {
            prop_assert_eq!([log::header(), log::encode(&tree, 0)].concat(), log);
        }
    }
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let record = [&[kind][..], &(body.len() as u32).to_le_bytes(), body].concat();
    [&record[..], &crc32fast::hash(&record).to_le_bytes()].concat()
}

#[test]
fn the_log_begins_with_its_magic_and_version() {
    assert_eq!(log::header(), b"zonaltre\x01\0\0\0");
    let mut tree = tree();
    tree.intern(None, "A", Some("1")).unwrap();
    assert_eq!(log::encode(&tree, 0), record(1, b"\0\0\0\0\x01\0A\x01\x001"));
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_log_is_found() {
    let mut tree = tree();
    add(&mut tree, &["Boston", "Ward 1", "0101"]);
    tree.intern(None, "朝阳区", Some("110105")).unwrap();
    let log = [log::header(), log::encode(&tree, 0)].concat();
    assert!(log::replay("place", levels(), &log).is_ok());
    for bit in 0..log.len() * 8 {
        let mut flipped = log.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(log::replay("place", levels(), &flipped).is_err(), "bit {bit}");
    }
    let whole: Vec<usize> =
        (0..=log.len()).filter(|cut| log::replay("place", levels(), &log[..*cut]).is_ok()).collect();
    assert_eq!(whole.len(), tree.len() + 1, "whole records, or none: {whole:?}");
}

#[test]
fn damage_of_a_log_is_placed_and_named() {
    let whole = record(1, b"\0\0\0\0\x01\0A\0\0");
    let second = 12 + whole.len() as u64;
    let of = |record: &[u8]| {
        let damage = log::replay("place", vec!["city".into()], &[&log::header(), &whole, record].concat())
            .unwrap_err();
        (damage.offset - second, damage.reason)
    };
    let mut bad = whole.clone();
    bad[9] ^= 1;
    let (at, reason) = of(&bad);
    assert!(at == 0 && reason.contains("crc32"), "{at} {reason}");
    let (at, reason) = of(&record(4, b"whatever"));
    assert!(at == 0 && reason.contains("kind 4, written by a later zonal"), "{at} {reason}");
    let (at, reason) = of(&record(1, b"\x03\0\0\0\x01\0A\0\0"));
    assert!(at == 5 && reason.contains("parent 2 is not known yet"), "{at} {reason}");
    let (at, reason) = of(&record(1, b"\x01\0\0\0\x01\0A\0\0"));
    assert!(at == 5 && reason.contains("deeper than the 1 levels"), "{at} {reason}");
    let (at, reason) = of(&record(1, b"\0\0\0\0\x01\0\xff\0\0"));
    assert!(at == 9 && reason.contains("not UTF-8"), "{at} {reason}");
    let (at, reason) = of(&record(1, b"\0\0\0\0\0\0\0\0"));
    assert!(at == 9 && reason.contains("empty"), "{at} {reason}");
    let (at, reason) = of(&record(1, b"\0\0\0\0\x01\0A\0\0!"));
    assert!(at == 14 && reason.contains("more bytes"), "{at} {reason}");
    let (at, reason) = of(&whole[..16]);
    assert!(at == 14 && reason.contains("truncated"), "{at} {reason}");
    let damage = log::replay("place", levels(), b"zonaltre\x02\0\0\0").unwrap_err();
    assert!(damage.offset == 8 && damage.reason.contains("format version is 2"), "{damage}");
}

#[test]
fn an_unknown_path_suggests_siblings_and_deeper_nodes() {
    let mut tree = tree();
    add(&mut tree, &["Boston", "Ward 1", "Main Street"]);
    add(&mut tree, &["Boston", "Ward 2"]);
    add(&mut tree, &["Boston", "Charlestown"]);
    let error = tree.find(["Boston", "Ward 3", "Main Street"]).unwrap_err();
    let shown =
        r#"there is no place "Boston/Ward 3/Main Street"; the nearest are Boston/Ward 1, Boston/Ward 2"#;
    assert_eq!(error.to_string(), shown);
    let error = tree.find(["Main Street"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"there is no place "Main Street"; the nearest are Boston/Ward 1/Main Street"#
    );
    let error = tree.find(["Bostn"]).unwrap_err();
    assert_eq!(error.to_string(), r#"there is no place "Bostn"; the nearest are Boston"#);
    assert!(tree.find([""; 0]).unwrap_err().to_string().contains("an empty path"));
    assert_eq!(tree.level("level 2").unwrap(), 2);
    assert!(tree.level("level 9").unwrap_err().to_string().contains(r#"no level of place "level 9""#));
}

#[test]
fn a_shared_name_is_told_apart_by_what_is_under_it_or_by_code() {
    let mut tree = tree();
    let town = tree.intern(None, "卢沟桥", Some("110106201")).unwrap();
    let street = tree.intern(None, "卢沟桥", Some("110106008")).unwrap();
    let under = tree.intern(Some(street), "小屯", None).unwrap();
    let error = tree.find(["卢沟桥"]).unwrap_err();
    let shown = "place \"卢沟桥\" could be any of 卢沟桥 (code 110106201), 卢沟桥 (code 110106008); \
        name one by its code or its full path";
    assert_eq!(error.to_string(), shown);
    assert!(matches!(tree.intern(None, "卢沟桥", None), Err(Error::Ambiguous { .. })));
    assert_eq!(tree.find(["卢沟桥", "小屯"]).unwrap(), under);
    assert_eq!(tree.find_code("110106201").unwrap(), town);
    let error = tree.find_code("110106202").unwrap_err().to_string();
    assert!(
        error.starts_with(r#"there is no place with code "110106202"; the nearest are 110106201"#),
        "{error}"
    );
    // A code's name is a label: another spelling is the same node.
    assert_eq!(tree.intern(None, "卢沟桥街道", Some("110106008")).unwrap(), street);
    assert_eq!(tree.name_of(street), "卢沟桥");
}

#[test]
fn what_is_no_node_is_refused() {
    let mut tree = tree();
    let deep = add(&mut tree, &["a", "b", "c", "d"]);
    let reason = |result: Result<Node>| result.unwrap_err().to_string();
    assert!(reason(tree.intern(Some(deep), "e", None)).contains(r#""a/b/c/d/e" is deeper than the levels"#));
    assert!(reason(tree.intern(None, "", None)).contains("a name of 0 bytes"));
    assert!(reason(tree.intern(None, &"x".repeat(1025), None)).contains("a name of 1025 bytes"));
    assert!(reason(tree.intern(None, "x", Some(""))).contains("a code of 0 bytes"));
    assert!(reason(tree.intern(Some(Node(99)), "x", None)).contains("a node of another tree"));
    let city = tree.intern(None, "city", Some("1")).unwrap();
    let moved = reason(tree.intern(Some(deep), "moved", Some("1")));
    assert!(moved.contains(r#"code "1" is "city", it cannot be "a/b/c/d/moved" too"#), "{moved}");
    assert_eq!(tree.intern_path(&[]).unwrap(), None);
    assert!(tree.intern(None, &"x".repeat(1024), None).is_ok());
    assert_eq!(tree.code_of(city), Some("1"));
}

#[test]
fn a_node_of_another_tree_answers_like_an_empty_one() {
    let mut tree = tree();
    let here = add(&mut tree, &["a"]);
    let other = Node(7);
    assert_eq!((tree.name_of(other), tree.code_of(other), tree.parent(other)), ("", None, None));
    assert_eq!((tree.path(other).len(), tree.ancestor(other, 0)), (0, other));
    assert_eq!(tree.preorder(Some(other)).chain(tree.children(Some(other))).count(), 0);
    assert!(!tree.is_under(other, here) && !tree.is_under(here, other) && !tree.is_under(other, other));
}

#[test]
fn a_slash_within_a_name_is_told_from_one_between_names() {
    let mut tree = tree();
    let one = add(&mut tree, &[r"A/B\", "C"]);
    assert_eq!(tree.shown(one), r"A\/B\\/C");
}

#[test]
fn handles_and_steps_serialise_plainly() {
    assert_eq!(serde_json::to_string(&Node(7)).unwrap(), "7");
    let step: Step = serde_json::from_str(r#"{"name":"a"}"#).unwrap();
    assert_eq!(step, Step::from("a"));
    assert_eq!(serde_json::to_string(&Step::from(("a", "1"))).unwrap(), r#"{"name":"a","code":"1"}"#);
    assert_eq!(Step::from(&String::from("a")), Step::from("a"));
}
