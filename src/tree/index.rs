//! Finding a node by its parent and name, or by its code.
//!
//! All clones of a tree share one index, so that neither a clone nor a new node copies it. An entry says only: *a node
//! with this hash may have this id*. Whoever reads it looks at its own nodes: an id that this clone does not have yet,
//! or has given to another node, is passed over. So entries that a clone left behind when it was thrown away do no
//! harm. And none is ever missing: nodes are added only after the index is there, and enter it at once.
//!
//! The index is built at the first look-up: opening a store with a million nodes does not wait for it.

use std::hash::{BuildHasher, Hasher};
use std::sync::{OnceLock, PoisonError, RwLock};

use foldhash::quality::FixedState;
use hashbrown::HashTable;

use super::{Node, Tree, raw};

#[derive(Debug, Default)]
pub(super) struct Index(OnceLock<RwLock<Maps>>);

#[derive(Debug, Default)]
struct Maps {
    by_name: Map,
    by_code: Map,
}

impl Maps {
    fn insert(&mut self, id: u32, parent: u32, name: &str, code: Option<&str>) {
        self.by_name.insert(hash_of(parent, name), id);
        if let Some(code) = code {
            self.by_code.insert(hash_of(0, code), id);
        }
    }
}

/// Hashes and the ids of nodes that may have them.
#[derive(Debug, Default)]
struct Map(HashTable<(u32, u32)>);

impl Map {
    fn insert(&mut self, hash: u32, id: u32) {
        // The same entry may be there: from a clone that added the same node and was thrown away.
        if self.0.find(widen(hash), |entry| *entry == (hash, id)).is_none() {
            self.0.insert_unique(widen(hash), (hash, id), |entry| widen(entry.0));
        }
    }

    fn get(&self, hash: u32) -> impl Iterator<Item = u32> {
        self.0.iter_hash(widen(hash)).filter(move |entry| entry.0 == hash).map(|entry| entry.1)
    }
}

fn hash_of(parent: u32, text: &str) -> u32 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write_u32(parent);
    hasher.write(text.as_bytes());
    hasher.finish() as u32
}

/// The table wants its bits at both ends of a word.
fn widen(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Tree {
    fn maps(&self) -> &RwLock<Maps> {
        self.index.0.get_or_init(|| {
            let mut maps = Maps::default();
            maps.by_name.0.reserve(self.len(), |entry| widen(entry.0));
            for (id, (links, name)) in (0..).zip(self.links.iter().zip(self.names.iter())) {
                maps.insert(id, links.parent, &name.name, name.code.as_deref());
            }
            RwLock::new(maps)
        })
    }

    /// Calls `each` with every child of `parent` that has this name, in no particular order.
    pub(super) fn each_named(&self, parent: Option<Node>, name: &str, mut each: impl FnMut(Node)) {
        let parent = raw(parent);
        let maps = self.maps().read().unwrap_or_else(PoisonError::into_inner);
        for id in maps.by_name.get(hash_of(parent, name)).filter(|id| self.seen(*id).is_some()) {
            let is_child = self.links.get(id).is_some_and(|links| links.parent == parent);
            if is_child && self.names.get(id).is_some_and(|names| &*names.name == name) {
                each(Node(id));
            }
        }
    }

    /// The node with this code.
    pub(super) fn coded(&self, code: &str) -> Option<Node> {
        let maps = self.maps().read().unwrap_or_else(PoisonError::into_inner);
        let has_it = |id: &u32| self.names.get(*id).is_some_and(|names| names.code.as_deref() == Some(code));
        maps.by_code.get(hash_of(0, code)).filter(|id| self.seen(*id).is_some()).find(has_it).map(Node)
    }

    /// Enters a new node.
    pub(super) fn index_node(&self, node: Node, parent: Option<Node>, name: &str, code: Option<&str>) {
        let mut maps = self.maps().write().unwrap_or_else(PoisonError::into_inner);
        maps.insert(node.0, raw(parent), name, code);
    }
}
