//! A tree as a list of nodes in the order in which they came.

use zonal::{NodeRef, Step};

use super::Fault;

#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    pub(crate) levels: Vec<String>,
    pub(crate) nodes: Vec<Node>,
    /// All nodes: each before its children, these in the order in which they came.
    pub(crate) preorder: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) parent: Option<usize>,
    pub(crate) name: String,
    pub(crate) code: Option<String>,
}

impl Tree {
    pub(crate) fn new(levels: &[String]) -> Self {
        Self { levels: levels.to_vec(), ..Self::default() }
    }

    /// The node, its parent, and so on to the top.
    pub(crate) fn upwards(&self, node: usize) -> Vec<usize> {
        let mut above = vec![node];
        if let Some(parent) = self.nodes[node].parent {
            above.extend(self.upwards(parent));
        }
        above
    }

    pub(crate) fn depth(&self, node: usize) -> usize {
        self.upwards(node).len() - 1
    }

    pub(crate) fn is_under(&self, node: usize, base: usize) -> bool {
        self.upwards(node).contains(&base)
    }

    /// The node at a level that this one is or lies under.
    pub(crate) fn at_level(&self, node: usize, level: usize) -> Option<usize> {
        self.upwards(node).into_iter().find(|above| self.depth(*above) == level)
    }

    pub(crate) fn path(&self, node: usize) -> Vec<String> {
        self.upwards(node).iter().rev().map(|node| self.nodes[*node].name.clone()).collect()
    }

    pub(crate) fn steps(&self, node: usize) -> Vec<Step> {
        let step = |node: &usize| Step {
            name: self.nodes[*node].name.clone(),
            code: self.nodes[*node].code.clone(),
        };
        self.upwards(node).iter().rev().map(step).collect()
    }

    pub(crate) fn children(&self, of: Option<usize>) -> Vec<usize> {
        (0..self.nodes.len()).filter(|node| self.nodes[*node].parent == of).collect()
    }

    /// The nodes under one, or all: each before its children.
    fn walk(&self, of: Option<usize>) -> Vec<usize> {
        let branch = |child: usize| [vec![child], self.walk(Some(child))].concat();
        self.children(of).into_iter().flat_map(branch).collect()
    }

    /// Leaves the first so many nodes.
    pub(crate) fn cut(&mut self, nodes: usize) {
        self.nodes.truncate(nodes);
        self.preorder = self.walk(None);
    }

    /// The node's place in tree order.
    pub(crate) fn place_of(&self, node: usize) -> usize {
        self.preorder.iter().position(|known| *known == node).expect("a node of the tree")
    }

    /// Finds what a path names, and adds what is missing. What was added before a fault stays.
    pub(crate) fn intern(&mut self, path: &[Step]) -> Result<Option<usize>, Fault> {
        let mut at = None;
        if path.len() > self.levels.len() {
            return Err(Fault::Invalid);
        }
        for step in path {
            at = Some(self.step(at, step)?);
        }
        Ok(at)
    }

    fn step(&mut self, parent: Option<usize>, step: &Step) -> Result<usize, Fault> {
        let fits = |text: &str| (1..=1024).contains(&text.len());
        if !fits(&step.name) || !step.code.as_deref().is_none_or(fits) {
            return Err(Fault::Invalid);
        }
        let known: Vec<usize> = match &step.code {
            Some(code) => {
                (0..self.nodes.len()).filter(|node| self.nodes[*node].code.as_ref() == Some(code)).collect()
            }
            None => {
                self.children(parent).into_iter().filter(|node| self.nodes[*node].name == step.name).collect()
            }
        };
        match known[..] {
            [] => {
                self.nodes.push(Node { parent, name: step.name.clone(), code: step.code.clone() });
                self.preorder = self.walk(None);
                Ok(self.nodes.len() - 1)
            }
            [node] if self.nodes[node].parent == parent => Ok(node),
            [_] => Err(Fault::Invalid),
            _ => Err(Fault::Ambiguous),
        }
    }

    /// The node that a reference names.
    pub(crate) fn find(&self, reference: &NodeRef) -> Result<usize, Fault> {
        let all = 0..self.nodes.len();
        let found: Vec<usize> = match reference {
            NodeRef::Path(path) if path.is_empty() => return Err(Fault::Invalid),
            NodeRef::Path(path) => all.filter(|node| self.path(*node) == *path).collect(),
            NodeRef::Code(code) => all.filter(|node| self.nodes[*node].code.as_ref() == Some(code)).collect(),
            NodeRef::Node(_) => panic!("the model has no handles of the store"),
        };
        match found[..] {
            [] => Err(Fault::Unknown),
            [node] => Ok(node),
            _ => Err(Fault::Ambiguous),
        }
    }
}
