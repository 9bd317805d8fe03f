//! One element of a path, as callers name it.

use serde::{Deserialize, Serialize};

/// One element of a path into a [`Tree`](crate::Tree): a name, and the code where the source has one.
///
/// With a code, the code identifies the node and the name is its label. Without, the name does, among its siblings.
///
/// ```
/// use zonal::Step;
///
/// assert_eq!(Step::from("望京街道").code, None);
/// assert_eq!(Step::from(("望京街道", "110105026")).code.as_deref(), Some("110105026"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Step {
    /// The name, 1 to 1024 bytes.
    pub name: String,
    /// The code, 1 to 1024 bytes, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl From<String> for Step {
    fn from(name: String) -> Self {
        Self { name, code: None }
    }
}

impl From<&String> for Step {
    fn from(name: &String) -> Self {
        Self::from(name.clone())
    }
}

impl From<&str> for Step {
    fn from(name: &str) -> Self {
        Self::from(name.to_owned())
    }
}

impl From<(&str, &str)> for Step {
    fn from((name, code): (&str, &str)) -> Self {
        Self { name: name.to_owned(), code: Some(code.to_owned()) }
    }
}
