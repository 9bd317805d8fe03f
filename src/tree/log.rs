#![doc = include_str!("log.md")]
//!
//! What [`replay`] is given must be whole.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::intern::NAME_LIMIT;
use super::{Node, Tree, raw};
use crate::Corruption;
use crate::cursor::Cursor;

const MAGIC: &[u8; 8] = b"zonaltre";
const VERSION: u32 = 1;
const ADD: u8 = 1;

/// What an empty log holds.
pub(crate) fn header() -> Vec<u8> {
    [&MAGIC[..], &VERSION.to_le_bytes()].concat()
}

/// The records of the nodes from number `from` on, to be appended to a log that has those before.
pub(crate) fn encode(tree: &Tree, from: usize) -> Vec<u8> {
    let mut log = Vec::new();
    for node in (from..tree.len()).filter_map(|id| tree.get(u32::try_from(id).ok()?)) {
        let mut body = raw(tree.parent(node)).wrapping_add(1).to_le_bytes().to_vec();
        for text in [tree.name_of(node), tree.code_of(node).unwrap_or_default()] {
            // Names and codes are within NAME_LIMIT.
            body.extend((text.len() as u16).to_le_bytes());
            body.extend(text.as_bytes());
        }
        let mut record = vec![ADD];
        record.extend((body.len() as u32).to_le_bytes());
        record.extend(body);
        let crc = crc32fast::hash(&record);
        log.extend(record);
        log.extend(crc.to_le_bytes());
    }
    log
}

/// Reads a log, header and all, back into the tree that was written.
///
/// # Errors
/// Where the first damaged byte is, and what is wrong there.
pub(crate) fn replay(name: &str, levels: Vec<String>, bytes: &[u8]) -> Result<Tree, Corruption> {
    let mut log = Cursor::new(bytes);
    if log.take(MAGIC.len())? != MAGIC {
        return Err(Corruption::new(0, "it does not begin like a node log"));
    }
    let at = log.offset();
    let version = log.u32()?;
    if version != VERSION {
        return Err(Corruption::new(
            at,
            format!(
                "its format version is {version}, this build reads {VERSION}; open it with the zonal that wrote it"
            ),
        ));
    }
    // All nodes get their places in the order at once.
    let mut tree = read_records(Tree::new(name, levels), log, Tree::attach)?;
    tree.spread();
    Ok(tree)
}

/// Reads the records behind those that the tree has already.
pub(crate) fn replay_more(tree: Tree, bytes: &[u8]) -> Result<Tree, Corruption> {
    read_records(tree, Cursor::new(bytes), Tree::append)
}

/// Takes a node into a tree, as [`Tree::append`] does.
type Append = fn(&mut Tree, Option<Node>, &str, Option<&str>) -> Option<Node>;

fn read_records(mut tree: Tree, mut log: Cursor<'_>, append: Append) -> Result<Tree, Corruption> {
    while !log.rest().is_empty() {
        let (at, body) = record(&mut log)?;
        // Offsets within the body become offsets within the log.
        add(&mut tree, body, append)
            .map_err(|damage| Corruption { offset: damage.offset.saturating_add(at as u64), ..damage })?;
    }
    Ok(tree)
}

/// Takes the next record and gives its body, and where that begins.
fn record<'a>(log: &mut Cursor<'a>) -> Result<(usize, &'a [u8]), Corruption> {
    let start = log.clone();
    let kind = log.u8()?;
    let length = log.u32()? as usize;
    let at = log.offset();
    let body = log.take(length)?;
    let covered = log.offset().saturating_sub(start.offset());
    let computed = crc32fast::hash(start.rest().get(..covered).unwrap_or_default());
    let stored = log.u32()?;
    if stored != computed {
        return Err(
            start.corrupt(format!("the record's crc32 is {computed:08x}, not {stored:08x} as written"))
        );
    }
    if kind != ADD {
        return Err(start.corrupt(format!("a record of kind {kind}, written by a later zonal")));
    }
    Ok((at, body))
}

fn add(tree: &mut Tree, body: &[u8], append: Append) -> Result<(), Corruption> {
    let mut body = Cursor::new(body);
    let parent = match body.u32()?.checked_sub(1) {
        None => None,
        Some(id) => {
            let known = tree.get(id);
            Some(known.ok_or_else(|| Corruption::new(0, format!("parent {id} is not known yet")))?)
        }
    };
    let depth = parent.map_or(0, |parent| tree.level_of(parent).saturating_add(1));
    if depth >= tree.levels().len() {
        return Err(Corruption::new(
            0,
            format!("the node is deeper than the {} levels", tree.levels().len()),
        ));
    }
    let name = text(&mut body)?.ok_or_else(|| Corruption::new(4, "the name is empty"))?;
    let code = text(&mut body)?;
    if !body.rest().is_empty() {
        return Err(body.corrupt("more bytes than a node has"));
    }
    append(tree, parent, name, code)
        .ok_or_else(|| Corruption::new(0, "more nodes than 32 bits can number"))?;
    Ok(())
}

/// A name or a code; none where its length is 0.
fn text<'a>(body: &mut Cursor<'a>) -> Result<Option<&'a str>, Corruption> {
    let start = body.clone();
    let length = usize::from(body.u16()?);
    if length > NAME_LIMIT {
        return Err(start.corrupt(format!("a name of {length} bytes, the limit is {NAME_LIMIT}")));
    }
    let text = std::str::from_utf8(body.take(length)?);
    let text = text.map_err(|error| start.corrupt(format!("a name is not UTF-8: {error}")))?;
    Ok((!text.is_empty()).then_some(text))
}
