//! Going through a tree, in its order.

use super::{Node, Tree, node};

impl Tree {
    /// The children of a node, in tree order; without one, the top nodes.
    pub fn children(&self, of: Option<Node>) -> impl Iterator<Item = Node> {
        let first = self.seen(self.links(of).first);
        std::iter::successors(first, |child| self.seen(self.links(Some(*child)).next))
    }

    /// The nodes of `level` that are or lie under `base`, in tree order; without a base, all of that level.
    pub fn descendants(&self, base: Option<Node>, level: usize) -> impl Iterator<Item = Node> {
        self.walk(base, level).filter(move |node| self.level_of(*node) == level)
    }

    /// The base and everything under it, in tree order; without a base, all nodes.
    pub fn preorder(&self, base: Option<Node>) -> impl Iterator<Item = Node> {
        self.walk(base, usize::MAX)
    }

    /// Like [`preorder`](Self::preorder), but not below the level `deepest`.
    fn walk(&self, base: Option<Node>, deepest: usize) -> impl Iterator<Item = Node> {
        let start = match base {
            Some(base) => self.get(base.0),
            None => self.seen(self.top.first),
        };
        std::iter::successors(start, move |at| {
            let goes_on = self.level_of(*at) < deepest;
            let below = if goes_on { self.seen(self.links(Some(*at)).first) } else { None };
            below.or_else(|| self.behind(*at, base))
        })
    }

    /// The node that follows the whole subtree of `at`, within that of `base`.
    fn behind(&self, mut at: Node, base: Option<Node>) -> Option<Node> {
        while Some(at) != base {
            let links = self.links(Some(at));
            if let Some(next) = self.seen(links.next) {
                return Some(next);
            }
            at = node(links.parent)?;
        }
        None
    }
}
