//! Dictionaries of paths, and the nodes that a load has found for them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::Result;
use crate::segment::{ColumnId, MISSING};
use crate::tree::{Node, Step, Tree};

/// Paths of units or of another tree's nodes, numbered from 0: the dictionary of a column of [`Columns`](super::Columns).
///
/// Whoever pushes many [`Columns`](super::Columns) keeps one and gives each a clone, which costs nothing: a load looks the
/// names up once, as long as the next columns share it.
///
/// ```
/// use zonal::{Columns, Paths, Schema, Store};
///
/// let store = Store::in_memory(Schema::builder("Asia/Shanghai").place(["district", "street"]).build()?)?;
/// let streets = Paths::new([["朝阳区", "望京街道"], ["海淀区", "中关村街道"]]);
/// let mut load = store.load()?;
/// load.push_columns(Columns::numbered(vec![1], vec![1_767_225_600]).place(&streets, vec![Some(1)]))?;
/// load.push_columns(Columns::numbered(vec![2], vec![1_767_312_000]).place(&streets, vec![Some(0)]))?;
/// load.finish()?;
/// # Ok::<(), zonal::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Paths(Arc<[Vec<Step>]>);

impl Paths {
    /// The paths, each from the top.
    pub fn new<P: IntoIterator<Item: Into<Step>>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self(paths.into_iter().map(|path| path.into_iter().map(Into::into).collect()).collect())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The numbers of their nodes, which are added where they are new; [`MISSING`] for an empty path.
    pub(super) fn nodes(&self, tree: &mut Tree) -> Result<Arc<[i64]>> {
        // Sorted, as they mostly are, a path begins as the one before it.
        let mut before: &[Step] = &[];
        let mut found: Vec<Node> = Vec::new();
        let mut nodes = Vec::with_capacity(self.len());
        for path in self.0.iter() {
            found.truncate(path.iter().zip(before).take_while(|(step, same)| step == same).count());
            for step in path.iter().skip(found.len()) {
                found.push(tree.intern(found.last().copied(), &step.name, step.code.as_deref())?);
            }
            before = path;
            nodes.push(found.last().map_or(MISSING, |node| node.index().into()));
        }
        Ok(nodes.into())
    }
}

impl<P: IntoIterator<Item: Into<Step>>, I: IntoIterator<Item = P>> From<I> for Paths {
    fn from(paths: I) -> Self {
        Self::new(paths)
    }
}

impl From<&Paths> for Paths {
    fn from(paths: &Paths) -> Self {
        paths.clone()
    }
}

/// The nodes of the paths that each column had last.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<ColumnId, (Paths, Arc<[i64]>)>);

impl Known {
    /// As [`Paths::nodes`]; nothing is looked up for the paths that the column had before.
    pub(super) fn nodes(&mut self, column: ColumnId, paths: Paths, tree: &mut Tree) -> Result<Arc<[i64]>> {
        if let Some((before, nodes)) = self.0.get(&column)
            && Arc::ptr_eq(&before.0, &paths.0)
        {
            return Ok(Arc::clone(nodes));
        }
        let nodes = paths.nodes(tree)?;
        self.0.insert(column, (paths, Arc::clone(&nodes)));
        Ok(nodes)
    }

    /// The trees are as they were before.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
