//! All trees of a store: place, the further trees, and the one-level trees that number the values of
//! categories and tags.

use crate::error::{Error, Result};
use crate::schema::{Field, Schema};

use super::{Node, Tree};

/// The name of the only level of a dictionary.
const VALUE: &str = "value";

/// The numbers of the trees: that of the place, and the first of each kind; a schema has at most a thousand of a kind.
const PLACE: u32 = 0;
const TREES: u32 = 1 << 16;
const CATEGORIES: u32 = 2 << 16;
const TAGS: u32 = 3 << 16;

/// The trees of a store, in the order of the schema. A clone is a snapshot and costs little.
#[derive(Debug, Clone)]
pub(crate) struct Forest {
    pub(crate) place: Tree,
    pub(crate) trees: Vec<Tree>,
    pub(crate) categories: Vec<Tree>,
    pub(crate) tags: Vec<Tree>,
}

/// The name of a tree's log, unique in its store: the kind of the field and its number.
fn log_name(kind: &str, number: usize) -> String {
    format!("{kind}-{number}")
}

impl Forest {
    /// The trees of a schema; `make` gives each by its log's name, its own name and its levels.
    pub(crate) fn build(
        schema: &Schema,
        mut make: impl FnMut(String, &str, Vec<String>) -> Result<Tree>,
    ) -> Result<Self> {
        let place = make("place".to_owned(), &schema.place.name, schema.place.levels.clone())?;
        let mut trees = Vec::new();
        for (number, tree) in schema.trees.iter().enumerate() {
            trees.push(make(log_name("tree", number), &tree.name, tree.levels.clone())?);
        }
        let mut dictionaries = |kind: &str, names: &[String]| -> Result<Vec<Tree>> {
            let numbered = names.iter().enumerate();
            numbered
                .map(|(number, name)| make(log_name(kind, number), name, vec![VALUE.to_owned()]))
                .collect()
        };
        let categories = dictionaries("category", &schema.categories)?;
        let tags = dictionaries("tags", &schema.tags)?;
        Ok(Self { place, trees, categories, tags })
    }

    /// These trees under a schema that has grown: with its further trees and levels.
    pub(crate) fn grown(&self, schema: &Schema) -> Result<Self> {
        Self::build(schema, |log, name, levels| {
            let known = self.all().find(|(known, _)| *known == log);
            Ok(match known {
                Some((_, tree)) => tree.clone().with_levels(levels),
                None => Tree::new(name, levels),
            })
        })
    }

    /// The trees when each had as many nodes as this says of its number; see [`numbered`](Self::numbered).
    pub(crate) fn as_of(&self, nodes: impl Fn(u32) -> usize) -> Self {
        let cut = |kind: u32, trees: &[Tree]| -> Vec<Tree> {
            (kind..).zip(trees).map(|(number, tree)| tree.as_of(nodes(number))).collect()
        };
        Self {
            place: self.place.as_of(nodes(PLACE)),
            trees: cut(TREES, &self.trees),
            categories: cut(CATEGORIES, &self.categories),
            tags: cut(TAGS, &self.tags),
        }
    }

    /// The trees, each with a number that it keeps when the schema grows.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u32, &Tree)> {
        std::iter::once((PLACE, &self.place))
            .chain((TREES..).zip(&self.trees))
            .chain((CATEGORIES..).zip(&self.categories))
            .chain((TAGS..).zip(&self.tags))
    }

    /// The trees with the names of their logs, in a fixed order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (String, &Tree)> {
        fn numbered<'a>(kind: &'static str, trees: &'a [Tree]) -> impl Iterator<Item = (String, &'a Tree)> {
            trees.iter().enumerate().map(move |(number, tree)| (log_name(kind, number), tree))
        }
        std::iter::once(("place".to_owned(), &self.place))
            .chain(numbered("tree", &self.trees))
            .chain(numbered("category", &self.categories))
            .chain(numbered("tags", &self.tags))
    }

    /// The tree that numbers the values of a field.
    pub(crate) fn of(&self, field: Field) -> Option<&Tree> {
        match field {
            Field::Place => Some(&self.place),
            Field::Tree(number) => self.trees.get(number),
            Field::Category(number) => self.categories.get(number),
            Field::Tags(number) => self.tags.get(number),
            _ => None,
        }
    }

    /// The number of a category's value or of a tag; none where no order has had it.
    pub(crate) fn value(&self, field: Field, value: &str) -> Option<Node> {
        let mut found = None;
        self.of(field)?.each_named(None, value, |node| found = Some(node));
        found
    }

    /// That a category's value or a tag is not known.
    pub(crate) fn unknown_value(&self, field: Field, name: &str, value: &str) -> Error {
        let known =
            self.of(field).into_iter().flat_map(|tree| tree.children(None).map(|node| tree.name_of(node)));
        Error::unknown(format!("value of {name}"), value, known)
    }
}
