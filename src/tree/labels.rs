//! Order labels: where a node stands in the tree's pre-order, and which labels its subtree has.
//!
//! A node owns the half-open interval `[label, end)`. Its own label is the first number of it; its children own
//! disjoint parts of the rest, in their order; what is behind the last child is free for children to come. So
//! `x` is at or under `n` exactly when `label(n) <= label(x) < end(n)`, and labels sort nodes in pre-order.
//!
//! ```text
//! label                                                              end
//!   | n | child 0           | child 1       | child 2    |    free    |
//! ```
//!
//! A new child takes `free / (2 (k + 16))` of its parent, which has `k` children already. So the free part
//! shrinks with the square root of the number of children, and hundreds of thousands fit before it is used up. Then
//! the whole tree is spread anew, in time proportional to its size; no two nodes change their order by that.

use super::{Links, NONE, Node, Tree};

/// The labels there are. Under test they are so few that trees are spread all the time.
fn range(nodes: usize) -> u64 {
    if cfg!(test) { 64 + 8 * nodes as u64 } else { 1 << 63 }
}

/// The node above the top nodes, which owns all labels and is not a node of the tree.
pub(super) fn top() -> Links {
    Links { label: 0, end: range(0), ..Links::ABSENT }
}

impl Tree {
    /// The interval for one more child of `parent`, or none where its free part is too small.
    pub(super) fn free_interval(&self, parent: Option<Node>) -> Option<(u64, u64)> {
        let above = self.links(parent);
        let start = self.links.get(above.last).map_or(above.label + 1, |last| last.end);
        let width = (above.end - start) / (2 * (u64::from(above.children) + 16));
        (width > 0).then_some((start, start + width))
    }

    /// Gives every node a new interval. Half of what a node can spare goes to its children, in proportion to the
    /// sizes of their subtrees, the other half stays free behind them.
    pub(super) fn spread(&mut self) {
        let mut links: Vec<Links> = self.links.iter().copied().collect();
        let mut sizes = vec![1; links.len()];
        // A child's id is greater than its parent's: backwards, a size is complete when it is added.
        for (id, node) in links.iter().enumerate().rev() {
            if node.parent != NONE {
                sizes[node.parent as usize] += sizes[id];
            }
        }
        self.top.end = range(links.len());
        share(self.top, links.len() as u64 + 1, &mut links, &sizes);
        for id in 0..links.len() {
            share(links[id], sizes[id], &mut links, &sizes);
        }
        self.links = links.into_iter().collect();
    }
}

/// Shares the interval of a node, whose subtree has `size` nodes, among its children. Every subtree gets one label
/// per node at least, so it always works out.
fn share(node: Links, size: u64, links: &mut [Links], sizes: &[u64]) {
    let spare = u128::from((node.end - node.label - size) / 2);
    let below = u128::from(size - 1);
    let mut start = node.label + 1;
    let mut child = node.first;
    while let Some(links) = links.get_mut(child as usize) {
        let size = sizes[child as usize];
        let width = size + (spare * u128::from(size) / below) as u64;
        (links.label, links.end) = (start, start + width);
        start += width;
        child = links.next;
    }
}
