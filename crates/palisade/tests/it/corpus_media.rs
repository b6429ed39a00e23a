//! The corpus of files, as real programs write them, and what becomes of them by chance: whatever is accepted keeps its promises.

use std::path::Path;

use proptest::prelude::*;

#[path = "../../../../fuzz/properties/media.rs"]
mod media;

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/media");
    let files = folder.read_dir().unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn every_input_of_the_corpus_keeps_the_promises() {
    let files = corpus();
    assert!(files.len() >= 30, "only {} files", files.len());
    for file in files {
        media::holds(&file);
    }
}

/// Makes the checksums of a PNG right again, so that what was changed is looked into.
fn mend(file: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = file.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()) {
        let length = u32::from_be_bytes(length) as usize;
        let Some(contents) = file.get(at + 4..(at + 8).saturating_add(length)) else {
            return;
        };
        let mut sum = flate2::Crc::new();
        sum.update(contents);
        let Some(place) = file.get_mut(at + 8 + length..at + 12 + length) else {
            return;
        };
        place.copy_from_slice(&sum.sum().to_be_bytes());
        at += 12 + length;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn files_changed_by_chance_keep_the_promises(
        which: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..6), 1..6),
        mended: bool,
    ) {
        let files = corpus();
        let mut file = which.get(&files).clone();
        for (place, byte, how) in changes {
            let at = place.index(file.len());
            match how {
                0 => file.truncate(at + 1),
                1 => file.insert(at, byte),
                2 => file[at] = file[at].wrapping_add(1),
                3 => file[at] ^= 1 << (byte % 8),
                4 => file.extend_from_within(at..(at + usize::from(byte)).min(file.len())),
                _ => file[at] = byte,
            }
        }
        if mended && file.starts_with(b"\x89PNG") {
            mend(&mut file);
        }
        media::holds(&file);
    }

    #[test]
    fn all_bytes_keep_the_promises(bytes: Vec<u8>) {
        media::holds(&bytes);
    }
}
