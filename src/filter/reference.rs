//! How a query names a node of a tree before it meets a snapshot.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::tree::Node;

/// A node of a tree, named by its path, by its code, or by the handle of a look-up.
///
/// ```
/// use zonal::NodeRef;
///
/// let by_path = NodeRef::from(["Boston", "17"]);
/// let by_code = NodeRef::code("110105026");
/// assert_eq!(by_path.to_string(), "Boston/17");
/// assert_eq!(by_code.to_string(), "code:110105026");
/// assert_eq!(NodeRef::parse(r"Boston/Mass\/Cass"), NodeRef::from(["Boston", "Mass/Cass"]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeRef {
    /// The names from the top.
    Path(Vec<String>),
    /// The node's code.
    Code(String),
    /// The handle that a look-up in the same store gave.
    Node(Node),
}

const CODE: &str = "code:";
const NODE: &str = "node:";

impl NodeRef {
    /// The node with this code.
    pub fn code(code: impl Into<String>) -> Self {
        Self::Code(code.into())
    }

    /// Reads `code:CODE`, or names joined by `/` from the top; after `\` any letter stands for itself, so `\/` is
    /// a slash within a name.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if let Some(code) = text.strip_prefix(CODE) {
            return Self::Code(unescape(code));
        }
        if let Some(node) = text.strip_prefix(NODE).and_then(|id| id.parse().ok()) {
            return Self::Node(Node::from_index(node));
        }
        let mut names = Vec::new();
        let (mut start, mut escaped) = (0, false);
        for (at, letter) in text.char_indices() {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '/' => {
                    names.push(unescape(text.get(start..at).unwrap_or("")));
                    start = at + 1;
                }
                _ => {}
            }
        }
        names.push(unescape(text.get(start..).unwrap_or("")));
        Self::Path(names)
    }
}

/// Takes the escapes out of a text: after a backslash any letter stands for itself.
pub(super) fn unescape(text: &str) -> String {
    let mut letters = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    plain
}

impl fmt::Display for NodeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(names) => {
                let escaped: Vec<String> =
                    names.iter().map(|name| name.replace('\\', "\\\\").replace('/', "\\/")).collect();
                let path = escaped.join("/");
                let literal = path.starts_with(CODE) || path.starts_with(NODE);
                write!(f, "{}{path}", if literal { "\\" } else { "" })
            }
            Self::Code(code) => write!(f, "{CODE}{}", code.replace('\\', "\\\\")),
            Self::Node(node) => write!(f, "{NODE}{}", node.index()),
        }
    }
}

impl From<Node> for NodeRef {
    fn from(node: Node) -> Self {
        Self::Node(node)
    }
}

impl<S: AsRef<str>, const N: usize> From<[S; N]> for NodeRef {
    fn from(names: [S; N]) -> Self {
        Self::Path(names.iter().map(|name| name.as_ref().to_owned()).collect())
    }
}

impl From<Vec<String>> for NodeRef {
    fn from(names: Vec<String>) -> Self {
        Self::Path(names)
    }
}

impl From<&[String]> for NodeRef {
    fn from(names: &[String]) -> Self {
        Self::Path(names.to_vec())
    }
}
