use super::*;
use crate::storage::Memory;

const NAME: &str = "log/1.log";

fn bytes(storage: &Memory) -> Vec<u8> {
    storage.files().into_iter().find(|(name, _)| name == NAME).unwrap().1
}

/// Two frames that were synced, then one that knows of it, and one that does not follow a sync.
fn written() -> Vec<u8> {
    let storage = Memory::default();
    let mut log = Log::create(&storage, NAME).unwrap();
    log.append(1, b"one").unwrap();
    log.append(2, b"two").unwrap();
    log.sync().unwrap();
    log.append(3, b"three").unwrap();
    log.append(4, b"four").unwrap();
    bytes(&storage)
}

fn commits(replay: &Replay) -> Vec<u64> {
    replay.frames.iter().map(|frame| frame.commit).collect()
}

#[test]
fn frames_come_back_in_order() {
    let replayed = replay(NAME, &written()).unwrap();
    assert_eq!(commits(&replayed), [1, 2, 3, 4]);
    assert_eq!(replayed.frames[2].payload, b"three");
    assert_eq!(replayed.dropped, 0);
}

#[test]
fn a_torn_tail_is_an_end_and_is_reported() {
    let all = written();
    let synced = FILE_HEADER + 2 * (FRAME_HEADER + 3);
    for length in synced..all.len() {
        let replayed = replay(NAME, &all[..length]).unwrap();
        assert_eq!(replayed.end + replayed.dropped, length as u64);
        assert!(commits(&replayed).starts_with(&[1, 2]), "{length}");
    }
}

#[test]
fn damage_below_what_a_later_frame_knows_to_be_durable_is_corruption() {
    let all = written();
    let synced = FILE_HEADER + 2 * (FRAME_HEADER + 3);
    for at in 0..synced {
        let mut damaged = all.clone();
        damaged[at] ^= 1;
        assert!(replay(NAME, &damaged).is_err(), "byte {at}");
    }
    for at in synced..all.len() {
        let mut damaged = all.clone();
        damaged[at] ^= 1;
        assert!(commits(&replay(NAME, &damaged).unwrap()).starts_with(&[1, 2]), "byte {at}");
    }
}

#[test]
fn a_resumed_log_goes_on_behind_the_last_whole_frame() {
    let storage = Memory::default();
    let mut log = Log::create(&storage, NAME).unwrap();
    log.append(1, b"one").unwrap();
    log.sync().unwrap();
    log.append(2, b"a tail that is torn").unwrap();
    let torn = bytes(&storage);
    let storage = Memory::from_files([(NAME.to_owned(), torn[..torn.len() - 3].to_vec())]);
    let replayed = replay(NAME, &bytes(&storage)).unwrap();
    assert_eq!(commits(&replayed), [1]);
    let mut log = Log::resume(&storage, NAME, &replayed).unwrap();
    log.append(2, b"two").unwrap();
    log.sync().unwrap();
    let replayed = replay(NAME, &bytes(&storage)).unwrap();
    assert_eq!(commits(&replayed), [1, 2]);
    assert_eq!(replayed.dropped, 0);
}
