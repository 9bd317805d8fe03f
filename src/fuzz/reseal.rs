//! Puts right the checksums in a file of any bytes, as far as it is possible to tell where they belong.

use crate::segment::format::{ENTRY, FOOTER, HEADER};

/// A file of a store, by its name.
pub(super) fn file(name: &str, bytes: &mut Vec<u8>) {
    match name {
        "MANIFEST" => manifest(bytes),
        _ if name.starts_with("nodes/") => node_log(bytes),
        _ => drop(segment(bytes)),
    }
}

/// The checksum of each section, then that of the footer. None where there is no footer to say where they are.
pub(super) fn segment(bytes: &mut [u8]) -> Option<()> {
    let footer = bytes.len().checked_sub(FOOTER)?;
    let table = usize::try_from(u64_at(bytes, footer)?).ok()?;
    let count = u32_at(bytes, footer + 8)? as usize;
    let body = table..footer;
    for entry in body.clone().step_by(ENTRY).take(count) {
        let start = usize::try_from(u64_at(bytes, entry + 8)?).ok()?;
        let end = start.checked_add(usize::try_from(u64_at(bytes, entry + 16)?).ok()?)?;
        let crc = crc32fast::hash(bytes.get(start..end).unwrap_or_default());
        put(bytes, entry + 24, &crc.to_le_bytes());
    }
    let mut crc = crc32fast::Hasher::new();
    for part in [0..HEADER, body, footer..footer + 16] {
        crc.update(bytes.get(part)?);
    }
    put(bytes, footer + 16, &crc.finalize().to_le_bytes());
    Some(())
}

/// The checksum of each record.
pub(super) fn node_log(bytes: &mut [u8]) {
    let mut start = crate::tree::log::header().len();
    while let Some(length) = u32_at(bytes, start.saturating_add(1)) {
        let end = start + 5 + length as usize;
        let Some(record) = bytes.get(start..end) else { break };
        let crc = crc32fast::hash(record);
        put(bytes, end, &crc.to_le_bytes());
        start = end + 4;
    }
}

/// The length and the checksum in the first line.
pub(super) fn manifest(bytes: &mut Vec<u8>) {
    let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else { return };
    let body = bytes.split_off(end);
    let line = String::from_utf8_lossy(bytes).into_owned();
    let mut words = line.split(' ');
    let (magic, version) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let text = body.get(1..).unwrap_or_default();
    *bytes = format!("{magic} {version} {} {:08x}", text.len(), crc32fast::hash(text)).into_bytes();
    bytes.extend(body);
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_le_bytes(*word))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

fn put(bytes: &mut [u8], at: usize, word: &[u8; 4]) {
    if let Some(place) = bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = *word;
    }
}
