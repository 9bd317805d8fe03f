//! Hierarchies: the tree of places, of topics, of departments; with one level, the dictionary of a category.
//!
//! A tree is a value. A clone is a snapshot: it costs a few reference counts, and adding a node to one of a million
//! copies a chunk or three ([`chunks`]). Nodes are numbered as they are added and their numbers never change; where they
//! stand in the tree's order is said by labels ([`labels`]), which may. [`index`] finds nodes, [`log`] keeps them.

mod chunks;
mod find;
mod forest;
mod index;
mod intern;
mod labels;
pub(crate) mod log;
mod step;
#[cfg(test)]
mod tests;
mod walk;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};
pub(crate) use chunks::Chunks;
pub(crate) use forest::Forest;
use index::Index;
pub use step::Step;

/// A node of a [`Tree`]: a number that never changes, and that means something to its own tree alone.
///
/// Nodes are numbered in the order in which they were added. A node that a tree does not hold, be it of another tree
/// or added after this snapshot was taken, answers like an empty one: without a name, a parent or children, under nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Node(u32);

impl Node {
    pub(crate) fn from_index(index: u32) -> Self {
        Self(index)
    }

    pub(crate) fn index(self) -> u32 {
        self.0
    }
}

/// No node, where a `u32` stands for one: half the size of an option.
const NONE: u32 = u32::MAX;

fn raw(node: Option<Node>) -> u32 {
    node.map_or(NONE, Node::index)
}

fn node(raw: u32) -> Option<Node> {
    (raw != NONE).then_some(Node(raw))
}

/// Where a node stands: its relatives and its order label. It may change, and is plain data, cheap to copy.
#[derive(Debug, Clone, Copy)]
struct Links {
    parent: u32,
    first: u32,
    last: u32,
    next: u32,
    children: u32,
    label: u64,
    end: u64,
}

impl Links {
    /// Of a node that the tree does not hold.
    const ABSENT: Self = Self {
        parent: NONE,
        first: NONE,
        last: NONE,
        next: NONE,
        children: 0,
        label: u64::MAX,
        end: u64::MAX,
    };
}

/// What a node is called.
#[derive(Debug, Clone)]
struct Name {
    name: Arc<str>,
    code: Option<Arc<str>>,
}

/// A hierarchy of nodes with named levels: of places, topics or departments.
///
/// Branches may end at any level. Children keep the order in which they were added, and *tree order* means
/// pre-order: a node, then its children, each with everything under it. Where codes are given, the code
/// identifies a node and its name is a label; otherwise its path does.
///
/// A `Tree` is a snapshot: what is added to the store later does not show in it. Cloning it is cheap.
#[derive(Clone)]
pub struct Tree {
    name: Arc<str>,
    levels: Arc<[String]>,
    /// The parent of the top nodes.
    top: Links,
    links: Chunks<Links>,
    /// The level of every node. It is asked for so often that it lies apart, where many are close together.
    depths: Chunks<u8>,
    names: Chunks<Name>,
    index: Arc<Index>,
    /// How many of the nodes there are to those who look for some or walk through them; of a snapshot of an earlier commit.
    visible: usize,
}

impl Tree {
    pub(crate) fn new(name: &str, levels: Vec<String>) -> Self {
        Self {
            name: name.into(),
            levels: levels.into(),
            top: labels::top(),
            links: Chunks::default(),
            depths: Chunks::default(),
            names: Chunks::default(),
            index: Arc::default(),
            visible: usize::MAX,
        }
    }

    /// The tree with further levels at its bottom.
    pub(crate) fn with_levels(self, levels: Vec<String>) -> Self {
        Self { levels: levels.into(), ..self }
    }

    /// The tree when it had so many nodes. The later ones can still be asked where they stand, for segments may have them.
    pub(crate) fn as_of(&self, nodes: usize) -> Self {
        Self { visible: nodes, ..self.clone() }
    }

    /// The node with this number, where it is to be seen.
    pub(crate) fn seen(&self, raw: u32) -> Option<Node> {
        node(raw).filter(|node| (node.0 as usize) < self.len())
    }

    /// The tree's name in the schema: `place`, `topic`, …
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of its levels, from the top.
    #[must_use]
    pub fn levels(&self) -> &[String] {
        &self.levels
    }

    /// The number of a level, the top being 0.
    ///
    /// # Errors
    /// [`Error::Unknown`] where the tree has no such level.
    pub fn level(&self, name: &str) -> Result<usize> {
        let found = self.levels.iter().position(|level| level == name);
        found.ok_or_else(|| {
            Error::unknown(format!("level of {}", self.name), name, self.levels.iter().map(String::as_str))
        })
    }

    /// The number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.links.len().min(self.visible)
    }

    /// Whether the tree has no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The node with this number, where there is one.
    pub(crate) fn get(&self, index: u32) -> Option<Node> {
        self.links.get(index).map(|_| Node(index))
    }

    fn links(&self, node: Option<Node>) -> Links {
        match node {
            None => self.top,
            Some(node) => self.links.get(node.0).copied().unwrap_or(Links::ABSENT),
        }
    }

    /// The node above, none for a top node.
    #[must_use]
    pub fn parent(&self, of: Node) -> Option<Node> {
        node(self.links(Some(of)).parent)
    }

    /// The number of the node's level, the top being 0.
    #[must_use]
    pub fn level_of(&self, node: Node) -> usize {
        self.depths.get(node.0).copied().unwrap_or(0).into()
    }

    /// The node's name.
    #[must_use]
    pub fn name_of(&self, node: Node) -> &str {
        self.name_at(node.0).unwrap_or_default()
    }

    /// The name of the node with this number.
    pub(crate) fn name_at(&self, index: u32) -> Option<&str> {
        self.names.get(index).map(|names| names.name.as_ref())
    }

    /// The node's code, where it has one.
    #[must_use]
    pub fn code_of(&self, node: Node) -> Option<&str> {
        self.names.get(node.0)?.code.as_deref()
    }

    /// The names from the top down to the node.
    #[must_use]
    pub fn path(&self, node: Node) -> Vec<&str> {
        let mut path: Vec<&str> = self.upwards(node).map(|node| self.name_of(node)).collect();
        path.reverse();
        path
    }

    /// The node at `level` that this one is or lies under; the node itself where it is not that deep.
    #[must_use]
    pub fn ancestor(&self, node: Node, level: usize) -> Node {
        self.upwards(node).find(|node| self.level_of(*node) <= level).unwrap_or(node)
    }

    /// The node, its parent, and so on to the top.
    fn upwards(&self, node: Node) -> impl Iterator<Item = Node> {
        std::iter::successors(self.get(node.0), |node| self.parent(*node))
    }

    /// Whether `node` is `base` or lies under it.
    #[must_use]
    pub fn is_under(&self, node: Node, base: Node) -> bool {
        (self.label(base)..self.end(base)).contains(&self.label(node))
    }

    /// Sorts nodes in tree order: `x` is at or under `n` exactly when `label(n) <= label(x) < end(n)`. Valid for this
    /// snapshot only: another may have other labels, though never another order.
    pub(crate) fn label(&self, node: Node) -> u64 {
        self.links(Some(node)).label
    }

    /// The label of the node with a number; 0, before all others, where there is none.
    pub(crate) fn label_at(&self, number: u32) -> u64 {
        self.links.get(number).map_or(0, |links| links.label)
    }

    /// The end of the labels at and under the node.
    pub(crate) fn end(&self, node: Node) -> u64 {
        self.links(Some(node)).end
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree")
            .field("name", &self.name)
            .field("levels", &self.levels)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
