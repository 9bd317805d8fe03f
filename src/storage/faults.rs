//! What tests do to a [`Memory`]: count, set its clock, fail its operations, cut its power.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::memory::{File, Memory, hold};

/// What a disk writes at once, whole.
const BLOCK: usize = 512;

impl Memory {
    /// How many bytes were read through [`Bytes::slice`](super::Bytes::slice) so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Has the `n`-th operation from now fail, and all after it. Reads, writes and syncs are operations, those
    /// of open writers too; the clock and randomness are not.
    pub(crate) fn fail_after(&self, n: u64) {
        hold(&self.state).operations = Some(n.saturating_sub(1));
    }

    /// Puts other bytes in the place of a file's.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) {
        let state = hold(&self.state);
        if let Some(file) = state.names.get(name) {
            hold(file).bytes = Arc::new(bytes);
        }
    }

    /// What another machine would find on the disk if the power failed now.
    ///
    /// - Each change of the folder since it was synced, in order, happened or did not. A rename happened as a
    ///   whole. A file's bytes are independent of its name: syncing a file does not make its name durable.
    /// - The synced bytes of a file are there. Of what was written since, the file has some length, and each
    ///   block below it was written or was not, in any order; where a block was not, the bytes are those
    ///   from before (a cut that was not synced may be undone), or zero.
    ///
    /// A fourth of all seeds lets nothing unsynced survive, a fourth everything.
    pub(crate) fn crash(&self, seed: u64) -> Memory {
        let state = hold(&self.state);
        let mut dice = Dice::new(seed);
        let mut names = state.durable.clone();
        for change in &state.changes {
            if dice.survives() {
                change.apply(&mut names);
            }
        }
        let files = names.into_iter().map(|(name, file)| (name, surviving(&hold(&file), &mut dice)));
        let after = Memory::from_files(files);
        hold(&after.state).now = state.now;
        after
    }
}

fn surviving(file: &File, dice: &mut Dice) -> Vec<u8> {
    let written = &file.bytes[file.durable..];
    let before = &file.cut[..];
    let (shorter, longer) = (written.len().min(before.len()), written.len().max(before.len()));
    let length = match dice.fate {
        Fate::Nothing => before.len(),
        Fate::Everything => written.len(),
        Fate::Anything => shorter + dice.below(longer - shorter + 1),
    };
    let mut bytes = file.bytes[..file.durable].to_vec();
    let mut block_written = dice.survives();
    for at in 0..length {
        if bytes.len().is_multiple_of(BLOCK) {
            block_written = dice.survives();
        }
        let (first, second) = if block_written { (written, before) } else { (before, &[][..]) };
        bytes.push(first.get(at).or(second.get(at)).copied().unwrap_or(0));
    }
    bytes
}

/// Seeded choices (SplitMix64), with the two extremes as often as all that lies between.
struct Dice {
    state: u64,
    fate: Fate,
}

enum Fate {
    Nothing,
    Everything,
    Anything,
}

impl Dice {
    fn new(seed: u64) -> Self {
        let mut dice = Self { state: seed, fate: Fate::Anything };
        dice.fate = match dice.below(4) {
            0 => Fate::Nothing,
            1 => Fate::Everything,
            _ => Fate::Anything,
        };
        dice
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn survives(&mut self) -> bool {
        match self.fate {
            Fate::Nothing => false,
            Fate::Everything => true,
            Fate::Anything => self.next() & 1 == 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Storage, Writer};
    use super::*;
    use crate::{Error, Result};

    const SEEDS: std::ops::Range<u64> = 0..300;

    fn write(memory: &Memory, name: &str, bytes: &[u8]) -> Box<dyn Writer> {
        let mut writer = memory.create(name).unwrap();
        writer.write_all(bytes).unwrap();
        writer
    }

    #[test]
    fn what_was_synced_survives() {
        let memory = Memory::default();
        memory.set_now(7);
        write(&memory, "a", b"synced").sync().unwrap();
        memory.sync_folder().unwrap();
        for seed in SEEDS {
            let after = memory.crash(seed);
            assert_eq!(after.files(), [("a".to_owned(), b"synced".to_vec())]);
            assert_eq!(after.now(), 7);
        }
    }

    #[test]
    fn a_name_that_was_not_synced_may_be_missing() {
        let memory = Memory::default();
        write(&memory, "a", b"synced").sync().unwrap();
        let outcomes: BTreeSet<_> = SEEDS.map(|seed| memory.crash(seed).files()).collect();
        assert_eq!(outcomes, BTreeSet::from([vec![], vec![("a".to_owned(), b"synced".to_vec())]]));
    }

    #[test]
    fn a_rename_happened_or_did_not() {
        let memory = Memory::from_files([("old".to_owned(), vec![1]), ("new".to_owned(), vec![2])]);
        memory.rename("new", "old").unwrap();
        memory.remove("old").unwrap();
        let outcomes: BTreeSet<_> = SEEDS.map(|seed| memory.crash(seed).files()).collect();
        let file = |name: &str, byte| (name.to_owned(), vec![byte]);
        let expected = [
            vec![file("new", 2), file("old", 1)], // neither happened
            vec![file("old", 2)],                 // only the rename
            vec![file("new", 2)],                 // only the removal
            vec![],
        ];
        assert_eq!(outcomes, BTreeSet::from(expected));
    }

    #[test]
    fn bytes_that_were_not_synced_are_torn_at_blocks() {
        let memory = Memory::default();
        let mut writer = write(&memory, "a", &[1; 700]);
        writer.sync().unwrap();
        memory.sync_folder().unwrap();
        writer.write_all(&[2; 2000]).unwrap();
        let (mut lengths, mut holes, mut wholes) = (BTreeSet::new(), 0, 0);
        for seed in SEEDS {
            let bytes = memory.crash(seed).files().remove(0).1;
            assert_eq!(bytes[..700], [1; 700]);
            assert!(bytes.len() <= 2700);
            for block in bytes.chunks(BLOCK) {
                let tail: BTreeSet<u8> = block.iter().copied().filter(|&byte| byte != 1).collect();
                assert!(tail.len() <= 1, "a block was written in part: {tail:?}");
            }
            lengths.insert(bytes.len());
            holes += usize::from(bytes[700..].windows(2).any(|pair| pair == [0, 2]));
            wholes += usize::from(bytes[700..] == [2; 2000]);
        }
        assert!(lengths.len() > 50 && holes > 50 && wholes > 20, "{} {holes} {wholes}", lengths.len());
        assert!(lengths.contains(&700) && lengths.contains(&2700));
    }

    #[test]
    fn a_cut_that_was_not_synced_may_be_undone() {
        let memory = Memory::from_files([("log".to_owned(), vec![1; 1000])]);
        let mut writer = memory.append("log", 600).unwrap();
        writer.write_all(&[2; 100]).unwrap();
        drop(memory.append("log", 650).unwrap());
        let outcomes: BTreeSet<_> = SEEDS.map(|seed| memory.crash(seed).files().remove(0).1).collect();
        assert!(outcomes.contains(&vec![1; 1000]));
        assert!(outcomes.contains(&[vec![1; 600], vec![2; 50]].concat()));
        for bytes in outcomes {
            assert!((650..=1000).contains(&bytes.len()));
            assert!(bytes[..600] == [1; 600] && bytes[650..].iter().all(|&byte| byte == 1));
        }

        writer.sync().unwrap();
        assert!(
            SEEDS
                .into_iter()
                .all(|seed| memory.crash(seed).files()[0].1 == [vec![1; 600], vec![2; 50]].concat())
        );
    }

    #[test]
    fn the_nth_operation_fails_and_all_after_it() {
        let memory = Memory::default();
        let mut writer = write(&memory, "a", b"1");
        memory.fail_after(3);
        writer.write_all(b"2").unwrap();
        writer.sync().unwrap();
        let failed = |result: Result<()>| matches!(result, Err(Error::Io { .. }));
        assert!(failed(writer.sync()));
        assert!(writer.write_all(b"3").is_err());
        assert!(failed(memory.sync_folder()));
        assert!(failed(memory.open("a").map(drop)));
        assert!(failed(memory.lock().map(drop)));
        memory.fail_after(u64::MAX);
        assert_eq!(memory.files(), [("a".to_owned(), b"12".to_vec())]);
        assert!(memory.open("a").is_ok());
    }

    #[test]
    fn reads_are_counted() {
        let memory = Memory::from_files([("a".to_owned(), vec![0; 10])]);
        let bytes = memory.clone().open("a").unwrap();
        assert_eq!(memory.bytes_read(), 0);
        assert!(bytes.slice(2..5).is_some());
        assert_eq!(memory.bytes_read(), 3);
    }

    #[test]
    fn the_clock_runs_until_it_is_set() {
        let memory = Memory::default();
        assert!(memory.now() > 1_700_000_000);
        memory.set_now(-5);
        assert_eq!(memory.now(), -5);
        assert_eq!(Arc::strong_count(&memory.state), 1);
    }
}
