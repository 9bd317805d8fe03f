//! Adding nodes: a path is looked up, and what is missing of it is added.

use super::{Links, NONE, Name, Node, Step, Tree, find, raw};
use crate::{Error, Result};

/// A name or a code has 1 to this many bytes.
pub(super) const NAME_LIMIT: usize = 1024;

impl Tree {
    /// Finds the node that a path names, and adds what is missing of it. An empty path is no node.
    ///
    /// # Errors
    /// As for [`intern`](Self::intern). The steps before the wrong one have been added then.
    pub(crate) fn intern_path(&mut self, steps: &[Step]) -> Result<Option<Node>> {
        steps
            .iter()
            .try_fold(None, |parent, step| self.intern(parent, &step.name, step.code.as_deref()).map(Some))
    }

    /// Finds or adds a child of `parent`. With a code, it is the node that has this code, whatever its name. Without,
    /// it is the child with this name.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the name or the code is empty or too long, where the code belongs to a node elsewhere in
    /// the tree (nodes do not move), or where the new node would be deeper than the levels. [`Error::Ambiguous`] where
    /// there is no code and several children have the name.
    pub(crate) fn intern(&mut self, parent: Option<Node>, name: &str, code: Option<&str>) -> Result<Node> {
        self.check("name", name)?;
        if let Some(code) = code {
            self.check("code", code)?;
        }
        let found = match code {
            Some(code) => self.child_coded(parent, name, code)?,
            None => self.child_named(parent, name)?,
        };
        match found {
            Some(node) => Ok(node),
            None => self.add(parent, name, code),
        }
    }

    /// Whether [`intern_path`](Self::intern_path) would take a path, without adding anything.
    ///
    /// # Errors
    /// As for [`intern`](Self::intern).
    pub(crate) fn check_path(&self, steps: &[Step]) -> Result<()> {
        let names = || find::join(steps.iter().map(|step| &step.name));
        if steps.len() > self.levels.len() {
            return Err(self.too_deep(&names()));
        }
        // None: not there yet, and so is what lies under it.
        let mut parent = Some(None);
        let mut new_codes: Vec<&str> = Vec::new();
        for step in steps {
            self.check("name", &step.name)?;
            let code = step.code.as_deref();
            code.map_or(Ok(()), |code| self.check("code", code))?;
            let found = match (parent, code) {
                (Some(parent), Some(code)) => self.child_coded(parent, &step.name, code)?,
                (Some(parent), None) => self.child_named(parent, &step.name)?,
                (None, Some(code)) => match self.coded(code) {
                    Some(node) => return Err(self.moved(code, node, &names())),
                    None => None,
                },
                (None, None) => None,
            };
            parent = found.map(Some);
            if let (None, Some(code)) = (found, code) {
                if new_codes.contains(&code) {
                    return Err(Error::invalid(
                        self.name(),
                        format!("code {code:?} stands twice in {:?}", names()),
                    ));
                }
                new_codes.push(code);
            }
        }
        Ok(())
    }

    fn check(&self, what: &str, text: &str) -> Result<()> {
        if (1..=NAME_LIMIT).contains(&text.len()) {
            return Ok(());
        }
        let reason = format!("a {what} of {} bytes; it takes 1 to {NAME_LIMIT}", text.len());
        Err(Error::invalid(self.name(), reason))
    }

    fn child_coded(&self, parent: Option<Node>, name: &str, code: &str) -> Result<Option<Node>> {
        let found = self.coded(code);
        if let Some(node) = found.filter(|node| self.parent(*node) != parent) {
            return Err(self.moved(code, node, &self.shown_child(parent, name)));
        }
        Ok(found)
    }

    /// The error for a code that names a node elsewhere.
    fn moved(&self, code: &str, node: Node, path: &str) -> Error {
        let there = self.shown(node);
        let reason =
            format!("code {code:?} is {there:?}, it cannot be {path:?} too; give one of them another code");
        Error::invalid(self.name(), reason)
    }

    fn too_deep(&self, path: &str) -> Error {
        let levels = self.levels.join(", ");
        Error::invalid(
            self.name(),
            format!("{path:?} is deeper than the levels, which are {levels}; shorten the path"),
        )
    }

    fn child_named(&self, parent: Option<Node>, name: &str) -> Result<Option<Node>> {
        let mut found = None;
        let mut several = false;
        self.each_named(parent, name, |node| several |= found.replace(node).is_some());
        if several {
            let mut named = Vec::new();
            self.each_named(parent, name, |node| named.push(node));
            return Err(self.ambiguous(self.shown_child(parent, name), named));
        }
        Ok(found)
    }

    fn add(&mut self, parent: Option<Node>, name: &str, code: Option<&str>) -> Result<Node> {
        if parent.is_some_and(|parent| self.get(parent.0).is_none()) {
            return Err(Error::invalid(
                self.name(),
                format!("{name:?} was to go under a node of another tree"),
            ));
        }
        let depth = parent.map_or(0, |parent| self.level_of(parent) + 1);
        if depth >= self.levels.len() {
            return Err(self.too_deep(&self.shown_child(parent, name)));
        }
        match self.append(parent, name, code) {
            Some(node) => Ok(node),
            None => {
                Err(Error::invalid(self.name(), "it is full: it has as many nodes as 32 bits can number"))
            }
        }
    }

    /// Appends a node as the last child of `parent`, and finds its place in the order. None where the ids are used up.
    pub(super) fn append(&mut self, parent: Option<Node>, name: &str, code: Option<&str>) -> Option<Node> {
        let free = self.free_interval(parent);
        let node = self.attach(parent, name, code)?;
        match (free, self.links.get_mut(node.0)) {
            (Some((label, end)), Some(links)) => (links.label, links.end) = (label, end),
            _ => self.spread(),
        }
        self.index_node(node, parent, name, code);
        Some(node)
    }

    /// Appends a node as the last child of `parent`. It has no order label yet. None where the ids are used up.
    pub(super) fn attach(&mut self, parent: Option<Node>, name: &str, code: Option<&str>) -> Option<Node> {
        // The log writes ids plus one, and the greatest number means none.
        let id = u32::try_from(self.len()).ok().filter(|id| *id < NONE - 1)?;
        let depth = parent.map_or(0, |parent| self.level_of(parent) + 1);
        self.links.push(Links { parent: raw(parent), ..Links::ABSENT });
        self.depths.push(u8::try_from(depth).unwrap_or(u8::MAX));
        self.names.push(Name { name: name.into(), code: code.map(Into::into) });
        let above = match parent {
            None => &mut self.top,
            Some(parent) => self.links.get_mut(parent.0)?,
        };
        let before = std::mem::replace(&mut above.last, id);
        above.children += 1;
        if before == NONE {
            above.first = id;
        } else {
            self.links.get_mut(before)?.next = id;
        }
        Some(Node(id))
    }
}
