//! Looking nodes up, and saying what was meant where there is none.

use super::{Node, Tree};
use crate::{Error, Result};

/// How many names are looked through for one that stands deeper in the tree.
const LOOKED_THROUGH: usize = 1_000_000;

/// How many names are suggested.
const SUGGESTED: usize = 3;

impl Tree {
    /// The node with these names, from the top.
    ///
    /// # Errors
    /// [`Error::Unknown`] where there is none, with the nearest names. [`Error::Ambiguous`] where there are several:
    /// siblings may share a name when their codes differ. [`Error::Invalid`] for an empty path.
    pub fn find(&self, path: impl IntoIterator<Item: AsRef<str>>) -> Result<Node> {
        let path: Vec<_> = path.into_iter().collect();
        let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
        let mut found = vec![None];
        for (depth, name) in path.iter().enumerate() {
            let mut below = Vec::new();
            for parent in &found {
                self.each_named(*parent, name, |node| below.push(Some(node)));
            }
            if below.is_empty() {
                return Err(self.unknown(&path, depth, &found));
            }
            found = below;
        }
        match *found {
            [Some(node)] => Ok(node),
            [None] => Err(Error::invalid(self.name(), "an empty path names no node; give at least one name")),
            _ => Err(self.ambiguous(join(&path), found.into_iter().flatten().collect())),
        }
    }

    /// The node with this code.
    ///
    /// # Errors
    /// [`Error::Unknown`] where there is none, with the nearest codes.
    pub fn find_code(&self, code: &str) -> Result<Node> {
        self.coded(code).ok_or_else(|| {
            let known = self.names.iter().take(self.len()).filter_map(|names| names.code.as_deref());
            Error::unknown(format!("{} with code", self.name), code, known)
        })
    }

    /// That there is no `path`: under `parents` nothing has the name of its step `depth`.
    fn unknown(&self, path: &[&str], depth: usize, parents: &[Option<Node>]) -> Error {
        let (above, rest) = path.split_at(depth);
        let step = rest.first().copied().unwrap_or_default();
        let mut suggested = if let [name] = path { self.deeper(name) } else { Vec::new() };
        let siblings = parents.iter().flat_map(|parent| self.children(*parent));
        let siblings = siblings.map(|node| self.name_of(node));
        if let Error::Unknown { nearest, .. } = Error::unknown(self.name(), step, siblings) {
            suggested.extend(nearest.iter().map(|name| join(above.iter().copied().chain([name.as_str()]))));
        }
        suggested.truncate(SUGGESTED);
        Error::Unknown { kind: self.name().to_owned(), name: join(path), nearest: suggested }
    }

    /// The full paths of some nodes with this name, wherever they are.
    fn deeper(&self, name: &str) -> Vec<String> {
        let named = (0..)
            .zip(self.names.iter().take(self.len().min(LOOKED_THROUGH)))
            .filter(|(_, names)| &*names.name == name);
        named.take(SUGGESTED).map(|(id, _)| self.shown(Node(id))).collect()
    }

    pub(super) fn ambiguous(&self, name: String, mut nodes: Vec<Node>) -> Error {
        nodes.sort_by_key(|node| self.label(*node));
        let shown = |node: &Node| match self.code_of(*node) {
            Some(code) => format!("{} (code {code})", self.shown(*node)),
            None => self.shown(*node),
        };
        Error::Ambiguous { kind: self.name().to_owned(), name, candidates: nodes.iter().map(shown).collect() }
    }

    /// The node's path as one text: see [`join`].
    pub(crate) fn shown(&self, node: Node) -> String {
        join(self.path(node))
    }

    /// The path that a child of this name has or would have.
    pub(super) fn shown_child(&self, parent: Option<Node>, name: &str) -> String {
        let above = parent.map(|parent| self.path(parent)).unwrap_or_default();
        join(above.into_iter().chain([name]))
    }
}

/// Writes a path as one text: names joined by `/`; a `/` or `\` within a name gets a `\` before it.
pub(crate) fn join(path: impl IntoIterator<Item: AsRef<str>>) -> String {
    let escaped = path.into_iter().map(|name| name.as_ref().replace('\\', r"\\").replace('/', r"\/"));
    escaped.collect::<Vec<_>>().join("/")
}
